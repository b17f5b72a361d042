/*
 * standby - the process beside a worker that outlives it: it has the same descriptor table
 * (os/twin.h) and sleeps. When the worker has ended, or hangs, the master tells it so, and it makes
 * the worker's successor, which goes on with the connections that were at rest.
 *
 * It is made before any application code runs, and never runs any itself, nor serves: it stays as
 * the worker was then, so each successor is a fresh one, made of the same memory by twin_fork(),
 * and is covered by the same standby from its first moment on. It knows descriptors by what was
 * open when it was made (pristine.h); whatever else is there when it wakes is the last worker's,
 * and is closed, but for the connections that its desk says can be gone on with.
 *
 * A worker that has ended: the standby takes what lies on its desk. The successor is a twin, and
 * has the worker's epoll set, with the connections in it.
 *
 * One that hangs: the same, but before the successor is made the table is parted: the worker keeps
 * the old one for itself, so that the numbers it has in its hands mean what they meant, should it
 * come back. The successor has an epoll set of its own. While the worker lives it has copies of the
 * descriptors, and close(2) alone would not end a connection: the successor shuts it down first,
 * until the master says that it is alone.
 *
 * What an order has brought gets the number of the channel before, so the numbers that a standby
 * knows are the same for all of its successors. One descriptor is kept free for that: the worker
 * may have used up all that there can be.
 */
#ifndef DROVER_WORKER_STANDBY_H
#define DROVER_WORKER_STANDBY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the master tells a standby; with it comes the successor's channel, one descriptor. */
struct standby_order {
    int from;     /* the row of the worker that is succeeded */
    int row;      /* the successor's */
    bool is_hung; /* the worker may come back */
    bool is_held; /* worker_job.is_held, now */
};

/* And hears: the successor's pid; or minus an errno, when none could be made. */
struct standby_report {
    int32_t pid;
};

struct worker;

/*
 * Makes the standby of a worker that has its identity, and its loop, but nothing else yet; tells
 * the master its pid, or why there is none, by REPORT_STANDBY. Returns in the worker, true; and in
 * each successor, with *order filled, false. Never in the standby.
 */
bool standby_make(struct worker *worker, struct standby_order *order);

#endif
