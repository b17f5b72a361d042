/*
 * logs - the server's log files: who opens them, gives them to the workers, and opens them anew.
 *
 * The master opens all of them, since it may be allowed what its workers are not, and they are its
 * own: each generation has those of its configuration. A worker has them from its fork; once they
 * are opened anew, it gets the new ones by ORDER_LOGS, writes what it has gathered to the old ones,
 * and says REPORT_LOGS. Who waits for the end of that may compress the old ones then.
 */
#ifndef DROVER_MASTER_LOGS_H
#define DROVER_MASTER_LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "worker/access_buffer.h"
#include "worker/access_format.h"
#include "worker/board.h"

struct child;
struct generation;
struct master;
struct settings;
struct worker_job;

/* Of one generation. logs_init() comes first. */
struct logs {
    struct log_output output; /* its fd is owned, unless it is stderr */
    enum log_format form;
    struct access_file access;    /* fd is owned; -1: none */
    struct access_format *format; /* owned; of the access log; NULL: none */
};

/* Of the master: what all its generations share. Zeroed: nothing. */
struct logs_room {
    struct access_shared *shared;  /* owned; NULL: no access log was wanted yet */
    struct access_buffer *buffers; /* the same, BOARD_ROWS of them */
    bool is_reopening;             /* workers are still to confirm it */
    int number;                    /* of the last time that it was asked for */
    int opened;                    /* files, by that */
    int64_t begun;                 /* as clock_ms() */
    int64_t until;                 /* they are waited for; CLOCK_NEVER */
    int64_t look_at;               /* by one that has handed over, the next time */
};

void logs_init(struct logs *logs);

/* Opens what the configuration says. 0, or the status to exit with; nothing is open then, and the
 * reason is in `why`. */
int logs_open(struct master *m, struct generation *g, char *why, size_t size);

/* This process logs where the generation does, from here on. */
void logs_use(const struct generation *g);

void logs_free(struct logs *logs);

/* Gives a worker that is about to be forked its part. -1 with errno set: no memory. */
int logs_reserve(struct master *m, const struct generation *g);
void logs_fill(const struct master *m, const struct generation *g, struct worker_job *job);

/* Gives a worker that is made from an older one's memory the files as they are now. */
void logs_tell(const struct master *m, struct child *child);

/* In a child that was forked: closes what other generations than this one have, which nobody would
 * tell it to do later. They stay as they are, so that it gets no copy of the master's pages. */
void logs_leave(const struct master *m, const struct generation *kept);

/* The same, of this generation's access log alone. */
void logs_leave_access(const struct generation *g);

/* The worker has ended: what it had logged is written. */
void logs_rescue(struct master *m, const struct child *child);

/* Opens the files anew, by their paths; its end is that of OUTCOME_REOPEN. Where one cannot be
 * opened nothing is changed. */
void logs_reopen(struct master *m);

/* The server begins to serve: what was renamed since its files were opened is opened anew. */
void logs_take_over(struct master *m);

/* A worker has the new ones, or has ended; to be called when a child's is_reopening has changed. */
void logs_look(struct master *m);

/* To be called every turn, and when the next is to be at the latest. A master that has handed over
 * sees here that the files were opened anew for the new one, and does the same. */
void logs_tick(struct master *m);
int64_t logs_next(const struct master *m);

/* At the end of the master. */
void logs_close_room(struct logs_room *room);

#endif
