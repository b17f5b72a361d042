/*
 * order - what a master tells a worker over their socketpair, and what it hears back. One message
 * each, never split. End of file means that the other side is gone.
 */
#ifndef DROVER_WORKER_ORDER_H
#define DROVER_WORKER_ORDER_H

#include <stdint.h>

enum order_kind {
    ORDER_ADOPT,   /* accept for this slot too */
    ORDER_RELEASE, /* its own worker accepts again */
    ORDER_DOORS,   /* a slot was made: its sockets come along, in the order of the addresses */
    ORDER_REARM,   /* a sharer of a socket is gone, and with it perhaps a wake-up that was yours */
    ORDER_LEAVE,   /* others go on: finish what runs and leave */
    ORDER_STOP,    /* nobody goes on: serve the queues, close the doors, finish and leave */
};

struct order {
    enum order_kind kind;
    int slot;
};

enum report_kind {
    REPORT_READY,    /* accepts from now on */
    REPORT_FAILED,   /* could not start, says `why` */
    REPORT_LEAVING,  /* cannot stay, says `why`, and waits for an order */
    REPORT_STRANDED, /* is full, and clients wait at a socket that it shares with others */
    REPORT_CUT,      /* closed `count` connections at the drain's deadline */
};

struct report {
    enum report_kind kind;
    int count;
    char why[256];
};

#endif
