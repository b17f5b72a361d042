/*
 * order - what a master tells a worker over their socketpair, and what it hears back. One message
 * each, never split. End of file means that the other side is gone.
 */
#ifndef DROVER_WORKER_ORDER_H
#define DROVER_WORKER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum order_kind {
    ORDER_ADOPT,   /* accept for this slot too */
    ORDER_RELEASE, /* its own worker accepts again */
    ORDER_DOORS,   /* a slot was made: its sockets come along, in the order of the addresses, and
                    * the ends of its inbox */
    ORDER_REARM,   /* a sharer of a socket is gone, and with it perhaps a wake-up that was yours */
    ORDER_BEGIN,   /* to one that was held: all that it serves, it serves from now on */
    ORDER_LOGS,    /* log files were opened anew and come along: the log's, the access log's */
    ORDER_ALONE,   /* the worker that it has succeeded is gone: nobody else has its descriptors */
    ORDER_LEAVE,   /* others go on: finish what runs, hand over what is idle, and leave */
    ORDER_STOP,    /* nobody goes on: serve the queues, close the doors, finish and leave */
};

/* A set of slots. */
struct slot_set {
    uint64_t bits[(SLOTS_MAX + 63) / 64];
};

static inline bool slot_set_has(const struct slot_set *set, int slot)
{
    return set->bits[slot / 64] >> (slot % 64) & 1;
}

static inline void slot_set_add(struct slot_set *set, int slot)
{
    set->bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static inline void slot_set_remove(struct slot_set *set, int slot)
{
    set->bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

struct order {
    enum order_kind kind;
    int slot;
    /* ORDER_LEAVE: whose inboxes take connections; where there are none, each is told to close with
     * its next answer. */
    struct slot_set heirs;
    /* ORDER_LEAVE: addresses, a bit each, that nobody accepts at any more: their queues are served,
     * and then they are shut. */
    uint32_t closing;
    /* Of those that are closing, and at ORDER_STOP: who comes now is for others, so their queues
     * are served, but they are not shut. */
    uint32_t kept;
    /* ORDER_STOP, and ORDER_LEAVE for what is closing: no new handshake begins any more, so those
     * that are under way are waited for. */
    bool is_filtered;
    /* ORDER_LEAVE: no drain's deadline, until it comes again without this, or ORDER_STOP does. */
    bool is_unhurried;
    /* ORDER_LOGS: which of the two there are; and until when, as clock_ms(), the old ones take what
     * was gathered. */
    bool has_log;
    bool has_access;
    int64_t until;
    int number; /* that its REPORT_LOGS has as its count */
};

enum report_kind {
    REPORT_READY,    /* accepts from now on; `count`: connections that a successor goes on with */
    REPORT_FAILED,   /* could not start, says `why` */
    REPORT_LEAVING,  /* cannot stay, says `why`, and waits for an order */
    REPORT_STRANDED, /* is full, and clients wait at a socket that it shares with others */
    REPORT_CUT,      /* closed `count` connections at the drain's deadline */
    REPORT_LOGS,     /* nothing is written to the old log files any more; `count`: of the order */
    REPORT_AWAKE,    /* something happens again, and the board says that nobody looks */
    REPORT_STANDBY,  /* its standby is the process `count`; or minus an errno, and `why` */
    REPORT_GIVEN,    /* it leaves, and has given away what rests, or has nobody to give it to */
    REPORT_BACK,     /* it had hung, is superseded, and finishes what is still its own */
    REPORT_BORN,  /* a standby's successor is the process `count`; before it takes anything over */
    REPORT_SPENT, /* has served long enough, says `why`, and goes on until its successor is ready */
};

struct report {
    enum report_kind kind;
    int count;
    char why[256];
};

#endif
