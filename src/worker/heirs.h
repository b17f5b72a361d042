/*
 * heirs - the workers, by their slots' inboxes, that take over what one hands over that leaves.
 */
#ifndef DROVER_WORKER_HEIRS_H
#define DROVER_WORKER_HEIRS_H

#include "worker/doors.h"
#include "worker/handover.h"
#include "worker/order.h"

/* Zeroed: none. */
struct heirs {
    int count;
    int next;            /* whose turn it is */
    int ends[SLOTS_MAX]; /* INBOX_IN of each; borrowed from the doors */
};

enum heirs_answer {
    HEIRS_TOOK, /* conn_close() is due */
    HEIRS_FULL, /* not now */
    HEIRS_NONE, /* there is none left who could */
};

/* Those of the set that have an inbox. `first`: about whose turn it is first, so that workers that
 * leave together do not all begin with the same. */
void heirs_set(struct heirs *heirs, const struct doors *doors, const struct slot_set *set,
               int first);

/* Hands over one that handover_is_possible() for, to each in turn. */
enum heirs_answer heirs_give(struct heirs *heirs, const struct conn *conn);

#endif
