#include "worker/deadlines.h"

#include "base/clock.h"

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
