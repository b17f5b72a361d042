/*
 * account - a request is answered: what is counted of it on the board.
 *
 * Every answer comes by here once, those that drover gives by itself too, as it is made.
 *
 * A request's time runs from the beginning of the turn in which its first byte was read to the end
 * of the one in which its answer was made: the clock is read once for all that were answered in a
 * turn, and the others of a turn are what a client has waited for, too.
 */
#ifndef DROVER_WORKER_ACCOUNT_H
#define DROVER_WORKER_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "worker/board.h"

struct conn;
struct conn_env;
struct exchange;

/* Requests of a turn that had begun before it, and whose times are taken at its end. More than
 * these are taken to have ended when it began. */
#define ACCOUNT_LATE_MAX 64

/* Answers of this turn whose time is not counted yet. Zeroed: none. */
struct account_turn {
    uint64_t fresh; /* to requests that have come in this turn */
    int late_count;
    int64_t late[ACCOUNT_LATE_MAX]; /* when the others had begun, as clock_us() */
};

/* What is known of an answer. */
struct account {
    const struct exchange *exchange; /* borrowed; its head may be that of a request that was refused
                                      * before it was whole */
    int status;
    struct span made;    /* its bytes: all, or the head and what of the body is at hand */
    size_t head;         /* so many of them are its head; 0: that is to be found out */
    uint64_t before;     /* bytes of other answers that leave in front of them */
    bool is_open;        /* more follows */
    struct span refused; /* of a request that was not understood: it, as far as it has come */
};

/* The request is the one that env->begun_us tells of. */
void account_answer(struct conn *conn, struct conn_env *env, const struct account *account);

/* Bytes have left for a client. */
static inline void account_bytes(struct board_row *row, uint64_t bytes)
{
    if (bytes > 0)
        board_add(&row->bytes, (int64_t)bytes);
}

/* Is account_turn_end() due, at the end of this turn? Its `now` is clock_us(). */
static inline bool account_is_due(const struct account_turn *turn)
{
    return turn->fresh > 0 || turn->late_count > 0;
}

void account_turn_end(struct conn_env *env, int64_t now);

#endif
