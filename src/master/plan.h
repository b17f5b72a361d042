/*
 * plan - what is to be done about the workers: the heart of the supervision.
 *
 * Pure: an event and the time come in, actions come out. No system call, no clock. The rules are
 * a table [state][event]; who adopts which slot follows from the states after every step, so no
 * rule has to think of it.
 *
 * A slot serves while its own worker accepts, and is adopted by the worker of another slot while
 * that does not. The adopter is a slot that serves, and only one.
 *
 * Each generation of workers has a plan of its own. One that is coming starts its workers, and
 * nothing else: the slots are still served by the present one's.
 */
#ifndef DROVER_MASTER_PLAN_H
#define DROVER_MASTER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "worker/order.h"
#include "worker/slot_state.h"

enum plan_event {
    PLAN_WANT,       /* a worker is wanted here */
    PLAN_UNWANT,     /* none is */
    PLAN_READY,      /* the worker accepts, or the successor, if there is one */
    PLAN_SPENT,      /* the worker is to be replaced */
    PLAN_ENDED,      /* the worker is gone, or could not be forked */
    PLAN_MISFIT,     /* the worker is gone, and the next one would end the same */
    PLAN_HEIR_ENDED, /* the successor is gone */
    PLAN_LACKING,    /* neither could be forked: there is no process for it yet, but will be */
    PLAN_FORGONE,    /* the successor is gone, and the worker stays without one */
    PLAN_STALLED,    /* the worker was stopped, or hangs */
    PLAN_RECOVERED,  /* and goes on */
    PLAN_SUPERSEDED, /* the worker that was stopped, or hangs, has a successor */
    PLAN_LOST,       /* and was ended by a signal after all, which counts as an end here */
    PLAN_AWAY,       /* the worker takes nothing from its queue, for a good reason or none */
    PLAN_BACK,       /* and does again */
    PLAN_DUE,        /* the slot's deadline has passed */
    PLAN_EVENTS,
};

enum plan_deed {
    PLAN_SPAWN,   /* fork a worker for the slot */
    PLAN_KILL,    /* SIGKILL the slot's worker; the successor, if there is one */
    PLAN_ABORT,   /* SIGABRT the slot's worker, so that a core shows where it hung */
    PLAN_DISMISS, /* the slot's worker drains and is no longer the slot's; its successor is */
    PLAN_ADOPT,   /* the worker of slot `by` accepts for the slot too */
    PLAN_RELEASE, /* and no longer */
    PLAN_REARM,   /* the slot's worker watches the shared sockets anew */
    PLAN_GIVE_UP, /* a coming generation is not to become the present one */
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
    bool is_away;  /* its queue is steered around, and served by another */
    bool is_spent; /* the worker is to be replaced as soon as one can be */
    int adopter;   /* the slot whose worker accepts here too; -1: none */
    int ends;      /* in a row, without a healthy period between */
    int64_t live_since;
    int64_t deadline; /* PLAN_DUE is to be told then; CLOCK_NEVER */
};

struct plan {
    int slot_count;
    int64_t start_timeout; /* milliseconds; 0: never */
    int64_t hang_timeout;  /* the same */
    int64_t healthy;       /* a worker that has lived so long begins the count of ends anew */
    bool is_coming;        /* nobody adopts yet, and what cannot start gives all up */
    bool is_stopping;      /* only PLAN_UNWANT means something, and nobody adopts */
    struct plan_slot slots[SLOTS_MAX];
};

void plan_init(struct plan *plan, int64_t start_timeout, int64_t hang_timeout);

/* One more slot, empty. Returns its number, -1 when there are SLOTS_MAX. */
int plan_add_slot(struct plan *plan);

/* The only step. `now` as clock_ms(). An event that means nothing in the slot's state is ignored.
 */
void plan_step(struct plan *plan, enum plan_event event, int slot, int64_t now,
               struct plan_actions *actions);

/* A coming generation is the present one from here on. */
void plan_take_over(struct plan *plan, struct plan_actions *actions);

/* The slots that serve. Returns how many. */
int plan_serving(const struct plan *plan, struct slot_set *serving);

/* Is every slot that has, or is to have, a worker served by it? */
bool plan_is_whole(const struct plan *plan);

/* The nearest deadline of all slots, and its slot in *slot; CLOCK_NEVER when there is none, or the
 * plan is stopping. */
int64_t plan_next(const struct plan *plan, int *slot);

/* How many slots are in this state. */
int plan_count(const struct plan *plan, enum slot_state state);

/* Milliseconds before the respawn after so many ends in a row: 0, then doubling up to the cap. */
int64_t plan_delay(int ends);

#endif
