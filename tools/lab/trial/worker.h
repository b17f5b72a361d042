/*
 * worker - a process that takes connections by a strategy and serves them: what all strategies
 * have in common of it. How it waits, and for what, is the strategy's alone.
 *
 * A connection either gets a greeting and is closed at once (the arena does not ask), or its
 * requests are answered (session.h) as they come.
 */
#ifndef DROVER_LAB_TRIAL_WORKER_H
#define DROVER_LAB_TRIAL_WORKER_H

#include <stdbool.h>

#include "lab/trial/arena.h"
#include "lab/trial/tally.h"

struct guest;

struct lab_worker {
    struct arena *arena; /* as it was at the fork; its shared memory is everybody's */
    unsigned slot;
    int door;            /* the listener to take from; borrowed */
    int channel;         /* its end of the pair with supervisor and dispatcher; borrowed */
    struct tally *tally; /* its row */
    void *own;           /* the strategy's */

    /* private */
    struct guest *guests; /* by descriptor */
    int guest_count;
};

/* The worker, or dispatcher, is registered and about to wait. */
void lab_worker_ready(struct tally *row);

/* A wait has come back with something: once for each return. */
void lab_worker_returned(struct lab_worker *worker);

/*
 * The listener is ready, or so it was said: accepts one connection, or all that wait if the arena
 * drains, and serves each as lab_worker_took() does. Finding none at all counts as wasted. Returns
 * how many there were, -1 with errno set when accept failed for another reason.
 */
int lab_worker_take(struct lab_worker *worker, int door);

/* The strategy has accepted a connection by itself: counts it, greets it or reads its first
 * request if that is there, and has the strategy watch it if it stays open. */
void lab_worker_took(struct lab_worker *worker, int fd);

/* There is nothing to take after all. */
void lab_worker_wasted(struct lab_worker *worker);

/* A watched connection is readable: answers what has come. False: it was closed. */
bool lab_worker_serve(struct lab_worker *worker, int fd);

/* Is it one of the connections that are being watched? */
bool lab_worker_has(const struct lab_worker *worker, int fd);

#endif
