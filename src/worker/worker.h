/*
 * worker - a process that accepts for its slot, and for those it has adopted, and serves.
 */
#ifndef DROVER_WORKER_WORKER_H
#define DROVER_WORKER_WORKER_H

#include <drover.h>
#include <sys/types.h>

#include "http/forwarded.h"
#include "os/child.h"
#include "os/preempt.h"
#include "worker/access_buffer.h"
#include "worker/board.h"
#include "worker/deadlines.h"
#include "worker/desk.h"
#include "worker/doors.h"
#include "worker/sites.h"

struct worker_job {
    const char *role; /* borrowed; what this process is, where it is none of the server's workers */
    int slot;
    bool is_held;              /* accepts nothing until it is told to begin */
    int channel;               /* socketpair to the master, as order.h has it */
    pid_t master;              /* whose child this is */
    struct doors *doors;       /* of all slots; the worker's own copy */
    struct board *board;       /* of all workers; borrowed */
    struct board_row *row;     /* of it: what it does is counted here; borrowed */
    const struct desks *desks; /* borrowed; NULL: it has none */
    int standby;        /* its standby's end of the channel to the master; -1: it is to have none */
    bool needs_standby; /* else it ends before anything is opened */
    const struct sites *sites;               /* its applications; borrowed */
    const struct child_identity *identity;   /* borrowed */
    const struct forwarded_rules *forwarded; /* borrowed */
    int max_connections;
    int yield_from; /* with so many it ends the longest idle one for the next; 0: with no number */
    uint64_t max_body;            /* bytes of a body that is gathered for a handler */
    uint32_t connection_requests; /* answers of one connection, 0: any number */
    enum preemption preemption;
    int64_t timeouts[DEADLINE_KINDS]; /* milliseconds, 0: never */
    int64_t drain_timeout;            /* milliseconds, 0: never */
    uint64_t max_requests;            /* it answers so many, more or less, and is spent; 0: any */
    uint64_t max_rss;                 /* the same for bytes that are resident */
    int log_fd;                       /* of a file that the log is written to; -1: it is stderr */
    struct access_file access;        /* fd -1: no access log */
    const struct access_format *access_format; /* of that; borrowed */
    struct access_buffer *access_buffers;      /* one a row of the board; borrowed */
};

/* Runs in the child until it has nothing more to do. Returns the status to exit with. */
int worker_run(struct worker_job *job);

#endif
