/*
 * plan - what is to be done about the workers: the heart of the supervision.
 *
 * Pure: an event and the time come in, actions come out. No system call, no clock. The rules are
 * a table [state][event]; who adopts which slot follows from the states after every step, so no
 * rule has to think of it.
 *
 * A slot is served by its own worker while that is live, and adopted by the worker of another slot
 * while it is not. The adopter is a live slot, and only one.
 */
#ifndef DROVER_MASTER_PLAN_H
#define DROVER_MASTER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum slot_state {
    SLOT_EMPTY,    /* no worker, and none is wanted */
    SLOT_STARTING, /* forked, not yet accepting */
    SLOT_LIVE,     /* accepting */
    SLOT_STOPPED,  /* by SIGSTOP or its like */
    SLOT_WAITING,  /* the worker ended; another is forked at the deadline */
    SLOT_REFUSED,  /* the worker cannot run with this configuration */
    SLOT_STATES,
};

enum plan_event {
    PLAN_WANT,      /* a worker is wanted here */
    PLAN_UNWANT,    /* none is */
    PLAN_RENEW,     /* a fresh one is */
    PLAN_READY,     /* the worker accepts */
    PLAN_LEAVING,   /* the worker was told to leave, not by us */
    PLAN_ENDED,     /* the worker is gone, or could not be forked */
    PLAN_MISFIT,    /* the worker is gone with EX_CONFIG */
    PLAN_STOPPED,   /* by a signal */
    PLAN_CONTINUED, /* again */
    PLAN_DUE,       /* the slot's deadline has passed */
    PLAN_EVENTS,
};

enum plan_deed {
    PLAN_SPAWN,   /* fork a worker for the slot */
    PLAN_KILL,    /* SIGKILL the slot's worker */
    PLAN_DISMISS, /* the slot's worker leaves: it drains, and is no longer the slot's */
    PLAN_ADOPT,   /* the worker of slot `by` accepts for the slot too */
    PLAN_RELEASE, /* and no longer */
    PLAN_REARM,   /* the slot's worker watches the shared sockets anew */
};

struct plan_action {
    enum plan_deed deed;
    int slot;
    int by;
};

/* What one step asks for, in this order. */
struct plan_actions {
    int count;
    /* A slot is adopted, released and rearmed at most once a step, and two deeds are a rule's. */
    struct plan_action list[3 * SLOTS_MAX + 2];
};

struct plan_slot {
    enum slot_state state;
    int adopter; /* the slot whose worker accepts here too; -1: none */
    int ends;    /* in a row, without a healthy period between */
    int64_t live_since;
    int64_t deadline; /* PLAN_DUE is to be told then; CLOCK_NEVER */
};

struct plan {
    int slot_count;
    int64_t start_timeout; /* milliseconds; 0: never */
    bool is_stopping;      /* only PLAN_UNWANT means something, and nobody adopts */
    struct plan_slot slots[SLOTS_MAX];
};

void plan_init(struct plan *plan, int64_t start_timeout);

/* One more slot, empty. Returns its number, -1 when there are SLOTS_MAX. */
int plan_add_slot(struct plan *plan);

/* The only step. `now` as clock_ms(). An event that means nothing in the slot's state is ignored.
 */
void plan_step(struct plan *plan, enum plan_event event, int slot, int64_t now,
               struct plan_actions *actions);

/* The nearest deadline of all slots, and its slot in *slot; CLOCK_NEVER when there is none. */
int64_t plan_next(const struct plan *plan, int *slot);

/* How many slots are in this state. */
int plan_count(const struct plan *plan, enum slot_state state);

/* Milliseconds before the respawn after so many ends in a row: 0, then doubling up to the cap. */
int64_t plan_delay(int ends);

#endif
