/*
 * model - one way for a server process to wait for its connections: blocking, with a process or a
 * thread each, by select, epoll, signals, completions.
 *
 * A model is one file in models/ and one line in models.c. All of them speak HTTP by session.h and
 * accept, read and send by models/server.h and models/peers.h; what differs is how they wait.
 */
#ifndef DROVER_LAB_MODELS_MODEL_H
#define DROVER_LAB_MODELS_MODEL_H

#include <stdbool.h>

#include "lab/kernel/resources.h"

struct server;

struct model {
    const char *name;
    const char *teaches; /* one line, for `drover-lab list` */
    const char *ends;    /* where it ends, and at what: one line */

    /* The number of its tasks does not change once it runs: they can be watched by their ids. */
    bool is_steady;

    /* It waits for nothing: it uses up a CPU whether anybody asks or not. */
    bool is_busy;

    /* Why this machine or this user cannot have it; NULL: it can. Static words. */
    const char *(*lacks)(void);

    /* Lowers the bound of a process that holds every connection itself (bound_of_process()), which
     * is what a model has that leaves this NULL. */
    void (*limit)(struct bound *bound, const struct resources *resources);

    /* Serves until the process is killed; returns only when it fails, with errno set. The listener
     * blocks; server_ready() is due before the first wait. Called in a process group of its own. */
    void (*run)(struct server *server);
};

/* All of them, in the order of the lists; the last one is NULL. */
extern const struct model *const models[];

/* NULL if there is none of that name. */
const struct model *model_find(const char *name);

/* How many connections it can hold at one time, and why no more. */
void model_limit(const struct model *model, const struct resources *resources, struct bound *bound);

#endif
