/*
 * ledger - how every request ended, counted once.
 *
 * A request is lost when the client sent it, or tried to, and did not get its whole and right
 * answer. What the client's own machine could not do (OUTCOME_LOCAL) is no loss: the server was
 * never asked.
 */
#ifndef DROVER_LOAD_LEDGER_H
#define DROVER_LOAD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome {
    OUTCOME_ANSWERED,        /* whole, with the status and the body that were expected */
    OUTCOME_REFUSED,         /* no connection came to be: ECONNREFUSED, EHOSTUNREACH, ... */
    OUTCOME_RESET,           /* a new connection was reset before a byte of the answer came */
    OUTCOME_CLOSED,          /* a new connection ended before a byte of the answer came */
    OUTCOME_UNANSWERED,      /* a kept connection, one that had given an answer, was reset or
                                ended before a byte of the next answer came */
    OUTCOME_RESET_IN_ANSWER, /* reset after the first byte of the answer */
    OUTCOME_CUT_SHORT,       /* ended after the first byte of the answer and before its last */
    OUTCOME_SILENT,          /* not whole within the timeout, connecting included */
    OUTCOME_WRONG_STATUS,    /* whole, with another status than expected */
    OUTCOME_WRONG_BODY,      /* another length or checksum than expected, or bytes after its end */
    OUTCOME_MALFORMED,       /* not HTTP/1: bad status line, field line or framing */
    OUTCOME_LOCAL,           /* no descriptor, port or memory on this side: not lost */
    OUTCOME_COUNT
};

/* The times that are kept of each outcome, each when it became known (a silent request's is its
 * timeout): enough to find the moment in a server's log. */
#define LEDGER_FIRST_MAX 5

/* Three digits, as a status line has them. */
#define LEDGER_STATUS_COUNT 1000

/* Zeroed: empty. */
struct ledger {
    uint64_t count[OUTCOME_COUNT];
    uint64_t wrong[LEDGER_STATUS_COUNT];               /* of OUTCOME_WRONG_STATUS, by the status */
    int64_t first_us[OUTCOME_COUNT][LEDGER_FIRST_MAX]; /* since the run began */
};

/* The outcome in one word, as the reports name it; static. */
const char *outcome_name(enum outcome outcome);

/* Neither answered nor local. */
bool outcome_is_loss(enum outcome outcome);

void ledger_add(struct ledger *ledger, enum outcome outcome, int64_t at_us);

/* Which status it was that an OUTCOME_WRONG_STATUS had. */
void ledger_add_wrong(struct ledger *ledger, int status);

/* How many of first_us[outcome] are filled. */
size_t ledger_first_count(const struct ledger *ledger, enum outcome outcome);

/* All but the answered and the local ones. */
uint64_t ledger_lost(const struct ledger *ledger);

/* All, the answered and the local ones too. */
uint64_t ledger_total(const struct ledger *ledger);

#endif
