/*
 * upgrade - the server goes on as the binary that is now on disk: a new master, which this one
 * starts, takes over its sockets and its inboxes, starts workers on the same slots, and says so
 * once they accept. Only then do the old workers leave, and the old master behind them. Whatever
 * goes wrong before that, nothing has changed.
 *
 * What the new one inherits is told by its names: see estate.h. The two talk over a socketpair, a
 * message each, whose format outlives a version.
 */
#ifndef DROVER_MASTER_UPGRADE_H
#define DROVER_MASTER_UPGRADE_H

#include <sys/socket.h>

#include "master/state.h"

/* In the environment of the new one: "CONFIGURED:PRESENT" workers, which holds until the
 * configuration has another number. */
#define UPGRADE_VARIABLE "DROVER_UPGRADE"

enum upgrade_word_kind {
    UPGRADE_FAILED,  /* the binary cannot be run: `cause`, an errno */
    UPGRADE_CLOSING, /* to the old one: nobody accepts at `address` any more */
    UPGRADE_READY,   /* to the old one: these slots serve */
    UPGRADE_YOURS,   /* to the new one: the old one steers no more */
    UPGRADE_SIGNAL,  /* to the new one, before that: this signal, `cause`, is meant for it */
};

struct upgrade_word {
    uint32_t version; /* UPGRADE_VERSION */
    uint32_t kind;    /* enum upgrade_word_kind */
    int32_t cause;    /* an errno, or a signal's number */
    uint32_t length;  /* of the address */
    struct sockaddr_storage address;
    struct slot_set slots;
};

#define UPGRADE_VERSION 1

/* Starts the new master, unless the outcome is at once that it cannot be. */
void upgrade_begin(struct master *m);

/* A process that is no worker was reaped: is it the new master? */
void upgrade_reaped(struct master *m, pid_t pid, int status);

/* The new one is the main process to the service manager: it may steer, and say that it serves. */
void upgrade_release(struct master *m);

/* What the service manager, or whoever asks it, has sent to this process, which it still takes for
 * the main one: the new one does it. */
void upgrade_pass_on(const struct master *m, int signal);

/* To be called every turn: ends one that is not ready in time. */
void upgrade_tick(struct master *m);

/* Ends it, for this reason. Nothing when none is under way. */
void upgrade_give_up(struct master *m, const char *why);

/* The same, to begin anew. Was one under way? */
bool upgrade_break_off(struct master *m, const char *why);

/* Is one under way? */
static inline bool upgrade_is_under_way(const struct master *m)
{
    return m->upgrade.master.pid > 0 && !m->is_handed_over;
}

#endif
