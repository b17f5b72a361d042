/*
 * score - how each answer that was due has ended, counted once, in a client's result.
 */
#ifndef DROVER_LAB_CLIENT_SCORE_H
#define DROVER_LAB_CLIENT_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/client/client.h"
#include "lab/trial/session.h"

struct score {
    struct client_result *result; /* borrowed */
    int64_t late_us;              /* 0: none is late */
    int64_t began_us;             /* of the load; clock_us(), as the next ones */
};

/* What is known of a connection when something ends on it. */
struct score_call {
    int64_t begun_us;  /* the connection was due */
    int64_t due_us;    /* the answer was */
    bool is_connected; /* it came to be */
    bool is_kept;      /* it has given an answer */
    size_t got;        /* bytes of the present one */
    char answer[SESSION_ANSWER_SIZE];
};

/* The whole answer has come: it counts by its time, or as malformed without its stamp. */
void score_answer(const struct score *score, struct score_call *call, int64_t now_us);

void score_loss(const struct score *score, enum outcome outcome);

/* What a failed system call on a connection means; 0: the peer has ended it. */
enum outcome score_cause(const struct score_call *call, int error);

#endif
