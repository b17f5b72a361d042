/*
 * state - what the files of the master share. Nothing outside src/master includes it.
 */
#ifndef DROVER_MASTER_STATE_H
#define DROVER_MASTER_STATE_H

#include <drover.h>

#include "config/settings.h"
#include "master/children.h"
#include "master/plan.h"
#include "os/loop.h"
#include "worker/board.h"
#include "worker/doors.h"

struct master {
    struct settings *settings;    /* borrowed */
    const struct drover_app *app; /* borrowed */
    pid_t pid;
    struct loop *loop;
    int signals; /* signalfd */
    int pidfile; /* -1: none */
    struct doors doors;
    struct board *board;
    struct plan plan;
    struct children children;
    int64_t now;       /* of this turn, as clock_ms() */
    bool is_announced; /* every worker has accepted once */
    int renewing;      /* the slot that a reload is at; -1: no reload is under way */
    /* A slot's worker accepts, or has ended before it did. */
    void (*on_start)(struct master *m, int slot, bool accepts);
    /* A slot's worker cannot stay, says why, and waits for what the master says. */
    void (*on_leaving)(struct master *m, const struct child *child, const char *why);
    int status; /* to exit with; 0 but for a start that was given up */
    size_t cut; /* connections that were closed at a drain's deadline */
};

#endif
