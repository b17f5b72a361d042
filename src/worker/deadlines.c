#include "worker/deadlines.h"

#include <stddef.h>

#include "base/clock.h"

#define AT_MASK ((UINT64_C(1) << 56) - 1)

static int64_t at(const struct deadline *one)
{
    return (int64_t)one->at;
}

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
    one->at = (uint64_t)(now + all->length[kind]) & AT_MASK;
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
        if (all->first[kind] && at(all->first[kind]) < next)
            next = at(all->first[kind]);
    return next;
}

struct deadline *deadlines_due(struct deadlines *all, int64_t now, enum deadline_kind *kind)
{
    for (*kind = DEADLINE_NONE + 1; *kind < DEADLINE_KINDS; (*kind)++) {
        struct deadline *one = all->first[*kind];
        if (one && at(one) <= now) {
            deadlines_disarm(all, one);
            return one;
        }
    }
    return NULL;
}
