/*
 * snapshot - what a server is and does at one moment, worked out of its board: what `drover status`
 * prints, `drover top` shows and the admin process serves.
 *
 * All is copied, so what is made of it fits together. Nothing is asked of the server: its workers
 * may hang, and its master may be stopped. Of the processes themselves /proc is asked (proc(5)):
 * processor time, context switches, resident memory.
 */
#ifndef DROVER_STATUS_SNAPSHOT_H
#define DROVER_STATUS_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/board.h"

/* What was counted, of one worker or of all. */
struct snapshot_counts {
    struct board_row row;
    uint64_t cpu_us;      /* of one: of the process that works there now */
    uint64_t voluntary;   /* context switches, the same */
    uint64_t involuntary; /* the same */
    uint64_t rss;         /* bytes that are resident, now */
};

/* A process that works now. */
struct snapshot_worker {
    int64_t pid;
    int64_t standby; /* its pid; 0: there is none */
    int slot;
    int row;
    uint64_t generation;
    bool is_ready, is_leaving;
    bool is_stalled; /* hangs, or was stopped by a signal, as the master saw it */
    bool is_stopped; /* by a signal, now */
    int64_t age_ms;
    int64_t busy_ms;               /* that its turn lasts by now; 0 while it waits for events */
    struct snapshot_counts counts; /* the row's, which predecessors have counted in, too */
};

struct snapshot_slot {
    struct board_slot board;
    int worker; /* in snapshot.workers: the one that is not leaving; -1: there is none */
    int64_t crashed_ms_ago; /* since a signal has ended a worker of its; meaningless without one */
};

/* Of requests, connections, wakeups and bytes. */
struct snapshot_rate {
    bool is_known;                             /* the server is that old */
    double requests, accepted, wakeups, bytes; /* a second */
};

enum { SNAPSHOT_1S, SNAPSHOT_10S, SNAPSHOT_60S, SNAPSHOT_RATES };

/* Latencies in microseconds, by interpolation in the bucket; 0 where nothing was counted. */
struct snapshot_latency {
    double p50, p90, p99, p999;
};

struct snapshot {
    /* First what is aligned as rows are. */
    struct snapshot_counts sum;                 /* ever, of those that have ended, too; rss: now */
    struct snapshot_worker workers[BOARD_ROWS]; /* by slot, those that leave behind the others */
    int64_t date;          /* when it was taken, milliseconds since the Epoch */
    int64_t started;       /* when the server began, the same */
    int64_t age_ms;        /* of the server */
    bool is_stopped;       /* the master, by a signal, now */
    int64_t looked_ms_ago; /* since the master looked, which it does once a second */
    char version[32];
    int64_t pid;
    enum board_phase phase;
    bool is_reloading, is_upgrading;
    uint64_t generation, reloads, reload_failures;
    uint64_t workers_wanted;
    int worker_count;  /* processes, those that leave among them */
    int ready_count;   /* that accept: neither leaving, nor stalled */
    int stalled_count; /* or stopped */
    int slot_count;
    char app[32], addresses[512], admin[128], root[256], serves[288];
    uint64_t ended[BOARD_ENDS];
    bool has_standbys; /* each worker is to have one */
    int standby_count; /* of the workers that do not leave */
    uint64_t successions[BOARD_SUCCESSIONS], kept_connections;
    uint64_t queued, drops;
    uint64_t depths[BOARD_DEPTHS], depth_sum;
    struct snapshot_rate rates[SNAPSHOT_RATES];
    struct snapshot_latency latency; /* ever */
    double wakeups_per_connection;   /* ever; 0 without a connection */
    double jain; /* Jain's index of the requests of the present workers' rows: 1 is even; 0: none */
    int metric_count; /* the application's */
    int event_count;
    struct board_event events[BOARD_EVENTS]; /* the oldest first */
    struct snapshot_slot slots[SLOTS_MAX];
    char metric_names[DROVER_METRICS_MAX][64];
    char metric_helps[DROVER_METRICS_MAX][128];
    bool metric_is_gauge[DROVER_METRICS_MAX];
};

/* More than a stack is for: the caller has it static, or by aligned_alloc(3), since rows are
 * aligned. Never fails: what /proc does not tell is 0. */
void snapshot_take(struct snapshot *snapshot, const struct board *board);

/* Of so many requests a bucket, as struct board_row has them. */
struct snapshot_latency snapshot_latency(const uint64_t times[BOARD_BUCKETS]);

/* The same at a moment of the caller's: clock_ms() and milliseconds since the Epoch. */
void snapshot_take_at(struct snapshot *snapshot, const struct board *board, int64_t now,
                      int64_t date);

/* One word each, without a blank: for a phase, as in "serving"; for the cause of a worker's end, as
 * in "crashed"; and for a slot's state, as in "live". Static; of one that is none "unknown". */
const char *snapshot_phase(const struct snapshot *snapshot);
const char *snapshot_end(enum board_end end);
const char *snapshot_state(const struct snapshot_slot *slot);

/* The same for how a standby's successor came to go on, as in "hang". */
const char *snapshot_succession(enum board_succession how);

/* Of both together. */
uint64_t snapshot_successions(const struct snapshot *snapshot);

/* Workers of it that signals have ended in a row, the last a moment ago; 0: there is no row. */
uint64_t snapshot_crashes(const struct snapshot_slot *slot);

/* Is it served, by its own worker or by another slot's? As the master saw it. */
bool snapshot_is_served(const struct snapshot_slot *slot);

/* May new requests be sent to it: every slot is served, and no stop is due. */
bool snapshot_is_ready(const struct snapshot *snapshot);

#endif
