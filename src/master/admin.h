/*
 * admin - the process that answers --admin: a worker with one slot and an application of its own,
 * which reads the board and asks nobody. It answers while every worker hangs, and from before they
 * accept until the last of them has left.
 *
 * It is none of the server's workers: it counts in no sum, and the plan does not know it. One that
 * ends is started again after the plan's delays; one that hangs, or was stopped, is killed after
 * --hang-timeout. With a reload, and with an upgrade, a new one comes first, on the same sockets,
 * and gets the idle connections of the old one.
 */
#ifndef DROVER_MASTER_ADMIN_H
#define DROVER_MASTER_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "worker/order.h"

struct master;
struct generation;
struct admin_memory;

struct admin_child {
    pid_t pid;        /* 0: this place is free */
    int channel;      /* socketpair */
    bool is_ready;    /* has said that it accepts */
    bool is_leaving;  /* was told to */
    bool is_stopped;  /* by a signal */
    uint64_t turn;    /* of its loop, by busy_since, as it was seen last */
    int64_t begun;    /* when it was forked, as clock_ms() */
    int64_t since;    /* when that turn, or the stop, was first seen; CLOCK_NEVER */
    int64_t deadline; /* of one that leaves, or is starting; CLOCK_NEVER */
    char why[sizeof((struct report *)0)->why]; /* why it could not start; "" */
};

/* A part of struct master; admin_init() comes first. */
struct admin {
    struct admin_memory *memory; /* shared with them; NULL: there was none yet */
    struct admin_child children[ADMIN_CHILDREN_MAX];
    int ends;         /* in a row, without a healthy period between */
    int64_t again_at; /* when the next one is started; CLOCK_NEVER */
    bool is_news;     /* that it answers, and where */
    bool is_ending;   /* the server is over, and they were told */
};

void admin_init(struct admin *admin);

/* Gives the memory back; there are no children any more. */
void admin_free(struct admin *admin);

/* The present generation's is started, if it is to have one. What fails is tried again. */
void admin_start(struct master *m);

/* The present generation has taken the old one's place, whose sockets are closed. */
void admin_renew(struct master *m, struct generation *old);

/* One that was held, since the server has not taken over yet, accepts from now on. */
void admin_begin(struct master *m);

/* A new master serves, but for these addresses of --admin, a bit each. */
void admin_hand_over(struct master *m, uint32_t closing);

/* SIGKILL. */
void admin_kill(struct master *m);

/* A process was reaped, stopped or continued: was it one of these? */
bool admin_reaped(struct master *m, pid_t pid, int status);

/* To be called every turn; and when the next one must be at the latest, CLOCK_NEVER. */
void admin_tick(struct master *m);
int64_t admin_next(const struct master *m);

/* Is there none, nor another to come? */
bool admin_is_gone(const struct admin *admin);

/* Gives it a log file that was opened anew, which nobody waits for. */
void admin_tell_logs(const struct master *m, const struct order *order, int log);

/* In a child that is to have nothing of it; or no more than the present generation's doors. */
void admin_forsake(const struct master *m);
void admin_forsake_others(const struct master *m);

#endif
