#include "worker/deadlines.h"

#include <stddef.h>

#include "base/clock.h"

static void unlink_one(struct deadlines *all, struct deadline *one)
{
    if (one->previous)
        one->previous->next = one->next;
    else
        all->first[one->kind] = one->next;
    if (one->next)
        one->next->previous = one->previous;
    else
        all->last[one->kind] = one->previous;
}

void deadlines_disarm(struct deadlines *all, struct deadline *one)
{
    if (one->kind != DEADLINE_NONE)
        unlink_one(all, one);
    one->kind = DEADLINE_NONE;
}

void deadlines_arm(struct deadlines *all, struct deadline *one, enum deadline_kind kind,
                   int64_t now)
{
    deadlines_disarm(all, one);
    if (kind == DEADLINE_NONE || all->length[kind] == 0)
        return;
    one->kind = kind;
    one->at = now + all->length[kind];
    one->next = NULL;
    one->previous = all->last[kind];
    if (one->previous)
        one->previous->next = one;
    else
        all->first[kind] = one;
    all->last[kind] = one;
}

int64_t deadlines_next(const struct deadlines *all)
{
    int64_t next = CLOCK_NEVER;
    for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_KINDS; kind++)
        if (all->first[kind] && all->first[kind]->at < next)
            next = all->first[kind]->at;
    return next;
}

struct deadline *deadlines_due(struct deadlines *all, int64_t now, enum deadline_kind *kind)
{
    for (*kind = DEADLINE_NONE + 1; *kind < DEADLINE_KINDS; (*kind)++) {
        struct deadline *one = all->first[*kind];
        if (one && one->at <= now) {
            deadlines_disarm(all, one);
            return one;
        }
    }
    return NULL;
}
