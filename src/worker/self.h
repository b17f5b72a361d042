/*
 * self - a worker's own state, for the files that it consists of: worker.c, its start and its loop,
 * and orders.c, what it is told to do.
 */
#ifndef DROVER_WORKER_SELF_H
#define DROVER_WORKER_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "os/loop.h"
#include "os/preempt.h"
#include "worker/acceptor.h"
#include "worker/access.h"
#include "worker/conn.h"
#include "worker/conns.h"
#include "worker/inbox.h"
#include "worker/order.h"
#include "worker/pristine.h"
#include "worker/report.h"
#include "worker/services.h"
#include "worker/spent.h"
#include "worker/worker.h"

struct worker {
    struct worker_job *job;
    char title[16]; /* its name in ps(1) */
    struct loop *loop;
    int signals; /* signalfd */

    int spare;         /* what its standby gives up for a descriptor that it receives; -1 */
    struct desk *desk; /* of its row; NULL: it has no standby, or is superseded */
    uint32_t round;    /* of that, while nothing of it was taken */
    bool was_parted;   /* a worker before it that hung may have copies of its descriptors */
    struct pristine pristine;
    struct fds resumed; /* a successor's, from the start: connections to go on with */

    const struct board_worker *seat; /* what the master says of it; NULL: nothing yet, or ever */
    struct acceptor acceptor;
    struct inbox inbox;
    struct conns conns;
    struct spent spent;
    uint64_t requests_before; /* what the board's row had at the start */
    struct slot_set slots;    /* that it serves */
    int64_t leave_by;         /* the drain's deadline */
    int64_t awake_until;      /* the master was told that something happens, and has until then */
    bool is_spent;            /* and the master was told */
    bool is_held;             /* until it is told to begin */
    bool is_leaving;
    bool has_given;   /* what rests to others, and the master was told */
    bool is_stopping; /* and nobody goes on */
    bool is_orphan;   /* the master is gone */
    bool has_services;
    struct preempt preempt;
    struct conn_env env;
    struct access access;
    struct drover_worker services; /* for the application */
};

/* To its master. */
static inline int self_report(const struct worker *w, enum report_kind kind, int count,
                              const char *why)
{
    return report_send(w->job->channel, kind, count, why);
}

#endif
