/*
 * slot_state - what is the case in a slot: the plan's states, which the board tells to whoever
 * looks.
 */
#ifndef DROVER_WORKER_SLOT_STATE_H
#define DROVER_WORKER_SLOT_STATE_H

enum slot_state {
    SLOT_EMPTY,    /* no worker, and none is wanted */
    SLOT_STARTING, /* forked, not yet accepting */
    SLOT_LIVE,     /* accepting */
    SLOT_RELIEVED, /* the same, and its successor is starting */
    SLOT_STALLED,  /* it was stopped by a signal, or hangs; ended at the deadline */
    SLOT_ABORTED,  /* it was told to end for that; killed at the deadline */
    SLOT_WAITING,  /* the worker ended; another is forked at the deadline */
    SLOT_REFUSED,  /* the worker cannot run with this configuration */
    SLOT_STATES,
};

#endif
