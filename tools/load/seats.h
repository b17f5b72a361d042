/*
 * seats - the clients of a load, and which of them asks next.
 *
 * A seat is a client and what is known of each of its requests. The seat that has been free for
 * longest asks first: in a closed loop as much as it may, in an open loop what is due next. A seat
 * whose connects fail waits a little before it tries again.
 */
#ifndef DROVER_LOAD_SEATS_H
#define DROVER_LOAD_SEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "load/client.h"
#include "load/fifo.h"
#include "load/job.h"
#include "load/pace.h"
#include "load/result.h"
#include "os/loop.h"

struct seat;
struct flight;

struct seats {
    /* Set by the caller before seats_open(), and borrowed. */
    struct job *job;
    struct result *result;
    struct loop *loop;
    unsigned count;
    uint64_t requests;  /* none starts after that many */
    int64_t timeout_us; /* from a request's start, connecting included, to its last byte */

    /* Set by the caller before the first turn, and whenever they change. */
    struct pace pace;
    int64_t now_us;
    int64_t start_us;
    int64_t end_us; /* no request starts from then on */

    /* To be read. */
    uint64_t begun;
    int64_t last_us; /* the last request was over */

    /* private */
    bool ended; /* what was due before the end has begun, if any client was free for it */
    struct seat *list;
    struct flight *flights;
    struct fifo ready;  /* seats that have room for a request, since then */
    struct fifo paused; /* seats that wait before they connect again, since then */
    struct fifo flying; /* requests under way, since then */
};

/* Returns 0, or -1 with ENOMEM; seats_close() is due in either case. */
int seats_open(struct seats *seats);

/* Closes all connections and adds their counts to the result. */
void seats_close(struct seats *seats);

/* Starts what is due, ends what has timed out, wakes who has waited: to be called every turn. */
void seats_turn(struct seats *seats);

/* Something is under way, or may start at a later turn. */
bool seats_are_busy(const struct seats *seats);

/* When seats_turn() has something to do again though no connection does, `until_us` at most. The
 * pace is not looked at. */
int64_t seats_next_us(const struct seats *seats, int64_t until_us);

/* Has any connection come to be? */
bool seats_have_connected(const struct seats *seats);

/* Requests that were due before the end and have not begun; 0 in a closed loop. */
uint64_t seats_unsent(const struct seats *seats);

/* Microseconds of CLOCK_MONOTONIC, for all times here. */
int64_t seats_clock_us(void);

#endif
