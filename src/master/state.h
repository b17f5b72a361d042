/*
 * state - what the files of the master share. Nothing outside src/master includes it.
 */
#ifndef DROVER_MASTER_STATE_H
#define DROVER_MASTER_STATE_H

#include <drover.h>
#include <signal.h>

#include "config/configuration.h"
#include "master/admin.h"
#include "master/children.h"
#include "master/control.h"
#include "master/crashes.h"
#include "master/estate.h"
#include "master/generation.h"
#include "master/logs.h"
#include "master/patience.h"
#include "master/store.h"
#include "os/command.h"
#include "os/loop.h"
#include "os/notify.h"
#include "os/orphan.h"
#include "worker/board.h"
#include "worker/desk.h"

/* A new master that was started, and is not ready yet, or has just taken over. */
struct upgrade {
    struct orphan master;
    int channel;            /* socketpair */
    int64_t begun;          /* when it was started, as clock_ms() */
    int64_t deadline;       /* CLOCK_NEVER */
    int cause;              /* why it could not be run: an errno; 0 */
    uint32_t closing;       /* addresses that it does not serve, a bit each */
    uint32_t admin_closing; /* the same of --admin */
};

/* What was told, and is to be told, to the service manager: see service.h. Times as clock_ms(). */
struct service {
    unsigned owed;      /* what must arrive and was not sent yet, a bit a word */
    int64_t again_at;   /* when that is tried again */
    bool is_deaf;       /* it takes no message, which was logged */
    int64_t reload_us;  /* of CLOCK_MONOTONIC, when the reload began */
    int64_t ping_ms;    /* milliseconds from one WATCHDOG=1 to the next; 0: none is wanted */
    int64_t ping_at;    /* the next */
    bool is_ill;        /* so few workers make progress that there is none */
    bool has_failed;    /* the start, and why is the last that is told */
    int64_t renew_at;   /* the line may be told anew */
    int64_t sampled_at; /* when so many requests were answered */
    uint64_t sampled;
    uint64_t rate;                       /* a second, before that */
    int barrier;                         /* that an upgrade waits for; -1 */
    int64_t barrier_until;               /* CLOCK_NEVER: no upgrade waits for one */
    char line[SERVICE_LINE_SIZE];        /* as it was told last */
    char failure[SERVICE_LINE_SIZE / 2]; /* why a reload or an upgrade was not done; "" */
};

/* What the master has written to the board: see record.h. */
struct record {
    uint64_t generation; /* whose configuration is there; 0: none */
    int64_t sample_at;   /* the next, as clock_ms() */
};

/* What is asked of the server, and comes to an end: see outcome.h. */
enum outcome_kind {
    OUTCOME_RELOAD,
    OUTCOME_UPGRADE,
    OUTCOME_STOP,
    OUTCOME_REOPEN,
    OUTCOME_SCALE,
    OUTCOME_KINDS
};

/* A number of workers that was asked for: see scale.h. */
struct scale {
    int asked;     /* by the request that is heeded now */
    int wanted;    /* by the one that is under way */
    int before;    /* how many there were, to go back to */
    int64_t begun; /* as clock_ms() */
};

/* Of the standbys: see succession.h. */
struct succession {
    struct desks desks;
    bool has_told;         /* that workers have none, and why */
    int64_t barren_until;  /* processes are too few: no further one before */
    int64_t doubted_until; /* they cannot be made, it seems: none before */
    int doubts;            /* workers in a row that have ended while they made theirs, maybe */
    pid_t reaped;          /* that nobody knows of yet; 0 */
    int64_t next_bare;     /* one that goes without is not replaced before */
    int64_t bare_ms;       /* so long that was put off; 0: a standby was made since */
    int64_t relieved[SLOTS_MAX]; /* when a worker was replaced last, since it had lost its own */
    struct patience patience[SLOTS_MAX];
};

struct master {
    const struct configuration_source *source; /* borrowed */
    struct generation *present;                /* owned */
    struct generation *coming;                 /* owned; NULL: no reload is under way */
    struct generation *leaving;                /* owned; a list */
    pid_t pid;
    int status; /* to exit with; 0 but for a start that was given up */
    struct loop *loop;
    int signals;        /* signalfd */
    int pidfile;        /* -1: none */
    char *pidfile_path; /* owned; where it is, whatever a reload says */
    sigset_t mask;      /* the one it was given */
    struct command command;
    struct control control;
    struct upgrade upgrade;
    struct notify notify; /* the service manager */
    struct service service;
    struct store store;
    struct holding lent;   /* for as long as the master lives, whatever configurations want of it */
    struct slot_set heirs; /* of a new master, once it serves */
    int predecessor;       /* to the old master whose sockets these were; -1: none, or it is done */
    int inherited_slots;
    struct board *board;
    int board_fd; /* to read it by, for whoever asks */
    struct record record;
    struct crashes crashes;
    struct scale scale;
    struct children children;
    struct succession succession;
    struct logs_room logs;
    struct admin admin;
    int64_t now;                          /* of this turn, as clock_ms() */
    const struct configuration *applied;  /* whose keys the applications have; NULL: nobody's */
    const struct configuration *prepared; /* with whose keys before_fork was called last; NULL */
    bool is_announced;                    /* every worker has accepted once */
    bool is_stopping;
    bool is_filtered;    /* the kernel drops new clients of a stop */
    bool is_handed_over; /* a new master serves: this one only waits for its workers to leave */
    int64_t stop_at;     /* when a stop that goes on accepting begins; CLOCK_NEVER */
    int64_t stop_begun;  /* when a stop was asked for, as clock_ms(); 0: none was */
    int64_t pulse_at;    /* when the board is looked at next */
    uint64_t pulse_sum;  /* of what the workers had done then */
    /* What new connections are steered to; is_steered: not to all. */
    struct slot_set steered;
    bool is_steered;
    bool cannot_steer; /* the kernel does not let us, which was told */
    /* A worker accepts. */
    void (*on_ready)(struct master *m, struct generation *g);
    /* A worker has ended with this exit status, and is not tried again. */
    void (*on_refused)(struct master *m, const struct child *child, int status);
    /* A worker of a slot cannot stay, says why, and waits for what the master says. */
    void (*on_leaving)(struct master *m, const struct child *child, const char *why);
    /* A coming generation cannot become the present one, because of this slot's worker. */
    void (*on_give_up)(struct master *m, int slot);
    bool is_under_way[OUTCOME_KINDS];
    bool reload_is_upgrade; /* a reload was asked for during the upgrade */
    size_t cut;             /* connections that were closed at a drain's deadline */
};

/* The plan of the present generation. */
static inline struct plan *plan_of(struct master *m)
{
    return &m->present->plan;
}

#endif
