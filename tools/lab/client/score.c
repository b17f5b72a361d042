#include "lab/client/score.h"

#include <errno.h>

void score_loss(const struct score *score, enum outcome outcome)
{
    score->result->lost[outcome]++;
}

void score_answer(const struct score *score, struct score_call *call, int64_t now_us)
{
    struct client_result *result = score->result;
    struct session_stamp stamp;
    bool is_first = !call->is_kept;
    call->is_kept = true;
    call->got = 0;
    if (!session_read_stamp(call->answer, &stamp)) {
        score_loss(score, OUTCOME_MALFORMED);
        return;
    }
    int64_t latency = now_us - call->due_us;
    if (score->late_us > 0 && latency > score->late_us)
        result->late++;
    else
        result->served++;
    histogram_add(&result->answer, latency);
    if (is_first)
        histogram_add(&result->accept, stamp.accepted_us - call->begun_us);
    result->elapsed_us = now_us - score->began_us;
}

/* What this machine lacked; the server is not to blame (connect(2), socket(2)). */
static bool is_local(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: /* no port is left */
    case EADDRINUSE:
    case EACCES:
    case EPERM:
    case EAGAIN: return true;
    default: return false;
    }
}

enum outcome score_cause(const struct score_call *call, int error)
{
    if (error != 0 && is_local(error))
        return OUTCOME_LOCAL;
    if (call->got > 0)
        return error != 0 ? OUTCOME_RESET_IN_ANSWER : OUTCOME_CUT_SHORT;
    if (call->is_kept)
        return OUTCOME_UNANSWERED;
    if (error == ECONNRESET || error == EPIPE)
        return OUTCOME_RESET;
    if (error == 0)
        return OUTCOME_CLOSED;
    return call->is_connected ? OUTCOME_RESET : OUTCOME_REFUSED;
}
