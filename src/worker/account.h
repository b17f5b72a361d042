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
};

void account_answer(struct conn *conn, struct conn_env *env, const struct account *account);

#endif
