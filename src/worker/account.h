/*
 * account - a request is answered: what is counted of it on the board.
 *
 * Every answer comes by here once, those that drover gives by itself too, as it is made. One that
 * was held when its worker ended or hung is made again by the successor, and was counted.
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
#include "worker/conn.h"

/* What is known of an answer, for the access log. */
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

/* A part of account_answer(): all but its time. */
static inline void account_status(struct board_row *row, int status)
{
    unsigned class = (unsigned)status / 100 - 1;
    board_add(&row->answers[class < BOARD_CLASSES ? class : BOARD_CLASSES - 1], 1);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a worker that is killed here: see board_leave() */
    board_add(&row->requests, 1);
}

/* The same for a request that had begun before this turn, or elsewhere. */
void account_late(struct conn_env *env, int status);

/* The request is the one that env->begun_us tells of. */
static inline void account_answer(struct conn_env *env, int status)
{
    if (env->begun_us != 0) {
        account_late(env, status);
        return;
    }
    account_status(env->row, status);
    env->turn.fresh++;
}

/* Bytes have left for a client. */
static inline void account_bytes(struct board_row *row, uint64_t bytes)
{
    if (bytes > 0)
        board_add(&row->bytes, (int64_t)bytes);
}

/* A turn begins that waiting for events has led to. */
static inline void account_wakeup(struct board_row *row, bool is_in_vain)
{
    board_add(&row->wakeups, 1);
    if (is_in_vain)
        board_add(&row->wasted, 1);
}

/* Is account_turn_end() due, at the end of this turn? Its `now` is clock_us(). */
static inline bool account_is_due(const struct conn_turn *turn)
{
    return turn->fresh > 0 || turn->late_count > 0;
}

void account_turn_end(struct conn_env *env, int64_t now);

#endif
