/*
 * account - a request is answered: what is counted of it on the board.
 *
 * Every answer comes by here once, those that drover gives by itself too, as it is made.
 */
#ifndef DROVER_WORKER_ACCOUNT_H
#define DROVER_WORKER_ACCOUNT_H

#include "worker/conn.h"

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
    int64_t begun_us;    /* when its first byte came, as clock_us() */
};

void account_answer(struct conn *conn, struct conn_env *env, const struct account *account);

#endif
