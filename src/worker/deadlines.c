#include "worker/deadlines.h"

#include "base/clock.h"

static int64_t at(const struct deadline *one)
{
    return (int64_t)one->at;
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
