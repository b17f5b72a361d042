/*
 * admin_child - what the admin process is once it is forked: a worker with an application of its
 * own, and nothing of the master but its doors and the board.
 */
#ifndef DROVER_MASTER_ADMIN_CHILD_H
#define DROVER_MASTER_ADMIN_CHILD_H

#include "master/state.h"
#include "status/metrics.h"

/* What outlives each of them. A row a place: two at a time never write to the same one. */
struct admin_memory {
    struct board_row rows[ADMIN_CHILDREN_MAX];
    struct metrics_floor floor;
};

/* In the child, of this place among the admin processes; channel: to the master. */
_Noreturn void admin_child_run(struct master *m, int place, int channel);

#endif
