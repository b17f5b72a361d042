/*
 * board - what the server does and has done, in memory that all of its processes share.
 *
 * It is the one thing that everybody who looks reads: the master's supervision, the admin process,
 * `drover status` and `drover top`. Nobody is asked for it and nobody can refuse, so it is there
 * while every worker hangs.
 *
 * Each part has one writer. A row is a worker's: a slot may have a worker that leaves beside its
 * present one. Counters outlive the worker: whoever gets the row next goes on counting, so sums
 * over all rows hold for the server's life. All else is the master's. Readers may see a part
 * between two of its changes, never a torn number; an event is read whole by its number
 * (board_event()).
 *
 * Times in *_ms are clock_ms(), whose fixed point all processes share; dates are milliseconds since
 * the Epoch.
 */
#ifndef DROVER_WORKER_BOARD_H
#define DROVER_WORKER_BOARD_H

#include <drover.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

/* Changes with every change below: who maps another server's board must know its layout. */
#define BOARD_LAYOUT 3
#define BOARD_MAGIC  UINT64_C(0x64726f7665724231) /* "droverB1" */

/* -------------------------------------------------------------------------------- the worker's */

/* Times of requests are counted by four buckets an octave of microseconds: from board_bucket_us(i)
 * up to, and without, board_bucket_us(i + 1); the last has all from 117 s on. */
#define BOARD_BUCKETS 104

/* Classes of statuses, 1xx to 5xx. */
#define BOARD_CLASSES 5

/* Its own cache lines, so that two workers never write to the same one. */
struct board_row {
    uint64_t busy_since;  /* when its turn began, as clock_ms(); 0 while it waits for events */
    uint64_t is_paused;   /* 1 while it accepts nothing: it is full, or lacks descriptors */
    uint64_t connections; /* open now */
    uint64_t accepted;    /* connections, ever */
    uint64_t requests;    /* answered, ever, refused ones too */
    uint64_t wakeups;     /* times that epoll_wait(2) had slept, or might have, and returned */
    uint64_t wasted;      /* of these, with nothing to do: no event, or a client that was gone */
    uint64_t bytes;       /* sent to clients, heads included */
    uint64_t taken;       /* connections that siblings have handed over */
    uint64_t log_lost;    /* lines of the access log that could not be written */
    uint64_t answers[BOARD_CLASSES]; /* by status / 100 - 1 */
    uint64_t time_us;                /* of all requests: see account.h */
    uint64_t times[BOARD_BUCKETS];
    uint64_t of_app[DROVER_METRICS_MAX];
} __attribute__((aligned(128)));

/* Workers at most, those that leave included. */
#define BOARD_ROWS (4 * SLOTS_MAX)

/* -------------------------------------------------------------------------------- the master's */

/* Who works in a row. */
struct board_worker {
    uint64_t pid; /* 0: nobody does now */
    uint64_t slot;
    uint64_t generation;
    uint64_t is_ready;   /* accepts */
    uint64_t is_leaving; /* finishes what it has; it looks here whenever something has come */
    uint64_t is_stalled; /* hangs, or was stopped by a signal */
    uint64_t begun_ms;
    uint64_t standby; /* the pid of its standby; 0: it has none */
};

/* Bytes of a request line that has ended a worker, with the NUL. */
#define BOARD_REQUEST_SIZE 120

/* Depths of a queue, as seen at each look: 0, 1, 2 to 3, 4 to 7, ..., the last has all above. */
#define BOARD_DEPTHS 12

struct board_slot {
    uint64_t queued; /* connections that wait to be accepted, all addresses together */
    uint64_t drops;  /* that found no room in the queue, ever; of addresses with defer=no alone,
                      * since with it the kernel counts every client that has said nothing yet */
    uint64_t depths[BOARD_DEPTHS];
    uint64_t depth_sum;
    uint64_t state;   /* enum slot_state of the plan */
    uint64_t adopter; /* the slot whose worker accepts here, plus 1; 0: its own, or nobody */
    uint64_t is_away; /* steered around */
    uint64_t ends;    /* of its workers that nobody had asked to leave, ever */
    uint64_t crashes; /* workers in a row that a signal has ended, each soon after the one before */
    int64_t crashed_ms;                       /* when the last of them did */
    char crashed_request[BOARD_REQUEST_SIZE]; /* that it was at; "": it was at none */
};

/* How a standby's successor came to go on. */
enum board_succession {
    BOARD_SUCCESSION_END,  /* the worker had ended */
    BOARD_SUCCESSION_HANG, /* it hung, or was stopped */
    BOARD_SUCCESSIONS,
};

/* Why workers have ended. */
enum board_end {
    BOARD_END_EXIT,   /* by itself, with a status */
    BOARD_END_SIGNAL, /* it crashed, or was killed by somebody else */
    BOARD_END_HUNG,   /* the master has ended it, since it hung or was stopped */
    BOARD_END_START,  /* it did not start, or not in time */
    BOARD_END_SPENT,  /* --max-requests or --max-rss was reached */
    BOARD_END_ASKED,  /* by a signal to it */
    BOARD_END_RELOAD, /* a reload or an upgrade has replaced it */
    BOARD_END_SCALE,  /* there were to be fewer */
    BOARD_END_LATE,   /* was leaving, and had to be killed */
    BOARD_END_STOP,   /* the server stops */
    BOARD_ENDS,
};

/* A moment in the log, the last of which are kept here. */
#define BOARD_EVENTS     32
#define BOARD_EVENT_SIZE 200
struct board_event {
    uint64_t number; /* from 1 on; 0 while it is written */
    int64_t date;
    uint64_t level; /* enum log_level */
    char text[BOARD_EVENT_SIZE];
};

/* What the sums were, each second or so: rates are made of them. */
#define BOARD_SAMPLES 64
struct board_sample {
    int64_t at_ms; /* 0: none yet */
    uint64_t accepted;
    uint64_t requests;
    uint64_t wakeups;
    uint64_t bytes;
};

enum board_phase {
    BOARD_STARTING, /* not every worker has accepted yet */
    BOARD_SERVING,
    BOARD_LAME,     /* a stop is due, and clients still come in */
    BOARD_STOPPING, /* what runs is finished */
    BOARD_LEFT,     /* a new master serves: this one's workers leave */
};

struct board {
    uint64_t magic; /* written last: the board is whole */
    uint64_t layout;
    uint64_t size;
    char version[32];
    uint64_t pid; /* the master's */
    int64_t date; /* when it began */
    int64_t begun_ms;
    int64_t looked_ms; /* when the master looked at all this last */
    uint64_t phase;
    uint64_t is_reloading;
    uint64_t is_upgrading;
    uint64_t generation; /* 1, and one more with each reload */
    uint64_t reloads;    /* that were done, ever */
    uint64_t reload_failures;
    uint64_t workers; /* wanted */
    uint64_t slot_count;
    uint64_t row_count;         /* rows from here on were never used */
    uint64_t is_quiet;          /* nothing has moved, and the master will not look for a while */
    uint64_t ended[BOARD_ENDS]; /* workers, by cause */
    uint64_t ended_cpu_us;      /* what they had used */
    uint64_t ended_voluntary;   /* context switches */
    uint64_t ended_involuntary;
    uint64_t has_standbys;                   /* each worker is to have one */
    uint64_t successions[BOARD_SUCCESSIONS]; /* by a standby's successor, ever */
    uint64_t kept_connections;               /* that these went on with */
    char app[32];
    char addresses[512];                       /* where clients come in, with a blank between */
    char admin[128];                           /* the admin process's address; "" */
    char root[256];                            /* of the static site; "" */
    char serves[288];                          /* both, and how many sites, as the log has it */
    uint64_t admin_pid;                        /* 0: there is none */
    char metric_names[DROVER_METRICS_MAX][64]; /* the application's; "" */
    char metric_helps[DROVER_METRICS_MAX][128];
    uint64_t metric_is_gauge[DROVER_METRICS_MAX];
    uint64_t event_count; /* ever; the last is events[(event_count - 1) % BOARD_EVENTS] */
    struct board_event events[BOARD_EVENTS];
    uint64_t sample_count; /* in the same way */
    struct board_sample samples[BOARD_SAMPLES];
    struct board_slot slots[SLOTS_MAX];
    struct board_worker workers_of[BOARD_ROWS]; /* who works in the row of that number */
    struct board_row rows[BOARD_ROWS];
};

/* Zeroed and shared with every process that is forked from here on; row_count is all rows until the
 * master says less. NULL with errno set. *fd, unless fd is NULL, is a descriptor to read it by,
 * which the caller closes; -1 with errno set where there cannot be one, and the board is there all
 * the same. */
struct board *board_open(int *fd);
void board_close(struct board *board);

/* For another program: maps the board behind a descriptor, to read. NULL with errno: EPROTO where
 * it is no board, or one of another layout, or one that could be made shorter meanwhile.
 * board_unmap() gives it back. */
const struct board *board_map(int fd);
void board_unmap(const struct board *board);

/* For the row's writer. Relaxed: nothing else is published by a counter. */
static inline void board_add(uint64_t *counter, int64_t n)
{
    __atomic_store_n(counter, *counter + (uint64_t)n, __ATOMIC_RELAXED);
}

static inline void board_set(uint64_t *counter, uint64_t value)
{
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static inline uint64_t board_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* The bucket of so many microseconds; and where it begins. */
static inline unsigned board_bucket(uint64_t us)
{
    if (us < 4)
        return (unsigned)us;
    unsigned octave = 63 - (unsigned)__builtin_clzll(us); /* 2 and more */
    unsigned bucket = (octave - 1) * 4 + (unsigned)(us >> (octave - 2) & 3);
    return bucket < BOARD_BUCKETS ? bucket : BOARD_BUCKETS - 1;
}

static inline uint64_t board_bucket_us(unsigned bucket)
{
    if (bucket < 4)
        return bucket;
    return (UINT64_C(4) + bucket % 4) << (bucket / 4 - 1);
}

/* For whoever has seen the row's writer end: its connections have ended with it, and so have the
 * gauges among the application's metrics, which may be NULL. What it was counting when it ended is
 * made to add up: requests are the sums of their answers, and of their times. */
void board_leave(struct board_row *row, const struct drover_metric *metrics);

/* For the master: another row's worker goes on with so many of this one's connections, and counts
 * them. Nothing is left of those of a writer that has ended. One that comes back meanwhile may
 * write its own number over this; it leaves soon. */
void board_pass(struct board_row *row, uint64_t connections);

/* All rows added up. */
struct board_row board_sum(const struct board *board);

/* For the master: one more event, its text cut where it is too long. */
void board_tell(struct board *board, int64_t date, unsigned level, const char *text);

/* The event of that number, copied; false when it is gone, or being written. */
bool board_event(const struct board *board, uint64_t number, struct board_event *event);

#endif
