/*
 * arena - one address, and the workers that share its clients by a strategy: what the supervisor
 * has of a trial. It opens the listeners, forks the workers one after the other, and ends them; a
 * worker that outlives its supervisor does not exist (PR_SET_PDEATHSIG).
 */
#ifndef DROVER_LAB_TRIAL_ARENA_H
#define DROVER_LAB_TRIAL_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lab/kernel/wire.h"
#include "lab/trial/settings.h"
#include "lab/trial/tally.h"
#include "os/net.h"

struct strategy;

struct arena {
    const struct strategy *strategy; /* borrowed, as the settings are */
    const struct settings *settings;
    unsigned workers;
    bool asks;  /* clients send requests; else workers greet, and close at once */
    bool drain; /* what the settings come to for this strategy */

    struct wire_link link; /* owned: what is between client and workers */
    struct net_address address;
    int doors[LAB_WORKERS_MAX];      /* owned; shared: the same one in all; -1: none */
    int channels[LAB_WORKERS_MAX];   /* owned: the supervisor's and the dispatcher's end of a
                                        SOCK_SEQPACKET pair with each worker, non-blocking */
    int ends[LAB_WORKERS_MAX];       /* owned: the workers' ends */
    pid_t pids[LAB_WORKERS_MAX + 1]; /* 0: none; the last one is the dispatcher's */
    struct tally *tallies;           /* LAB_WORKERS_MAX + 1 rows, the last one the dispatcher's */
    void *shared;                    /* the strategy's */
    const char *lacks; /* static: what this machine or user lacks for it, NULL: nothing */
    char words[256];   /* why something failed */
};

/*
 * Starts all workers, which are asleep then. The arena may be uninitialised; arena_close() is due
 * in either case. -1 with errno set, and the reason in arena->words.
 */
int arena_open(struct arena *arena, const struct strategy *strategy, unsigned workers,
               const struct settings *settings, bool asks);
void arena_close(struct arena *arena);

/* Waits until all workers sleep, those that are stopped included. */
bool arena_settle(const struct arena *arena, int timeout_ms);

/* SIGSTOP and SIGCONT, and the strategy is told, as a supervisor that watches its workers would
 * (unless `tell` is false). The worker is stopped, or goes on, when it returns. -1 with errno. */
int arena_stop(struct arena *arena, unsigned slot, bool tell);
int arena_continue(struct arena *arena, unsigned slot);

/* The worker begins to spin, or ends it. */
int arena_spin(struct arena *arena, unsigned slot, bool tell);
int arena_rest(struct arena *arena, unsigned slot);

/* SIGKILL, reaped; and a new one in the same slot, which is ready when it returns. */
int arena_kill(struct arena *arena, unsigned slot);
int arena_respawn(struct arena *arena, unsigned slot);

#endif
