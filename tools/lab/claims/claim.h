/*
 * claim - a sentence that is told about listeners, epoll and I/O models, and what this kernel says
 * to it. A claim is tried by a small experiment of its own, or by a trial.
 */
#ifndef DROVER_LAB_CLAIMS_CLAIM_H
#define DROVER_LAB_CLAIMS_CLAIM_H

#include <stdbool.h>

enum verdict {
    CLAIM_HOLDS,
    CLAIM_FAILS,
    CLAIM_DEPENDS, /* the evidence says on what */
    CLAIM_UNKNOWN, /* it could not be tried; the evidence says why */
    VERDICT_COUNT
};

struct finding {
    enum verdict verdict;
    char evidence[512]; /* what was measured, with its figures, in a sentence */
};

struct claim {
    const char *text;   /* as it is told */
    const char *source; /* where: "folklore", the name of a paper; NULL */
    void (*try)(struct finding *finding, bool is_quick);
};

/* All of them; the last one has no text. */
extern const struct claim claims[];

/*
 * Tries it in a process of its own, which ends, with all that it has forked, within a bounded time.
 * What went wrong there is the finding's: CLAIM_UNKNOWN. Returns 0, or -1 with errno set when there
 * was no process to be had.
 */
int claim_try(const struct claim *claim, struct finding *finding, bool is_quick);

/* "holds", "fails", "depends", "unknown". */
const char *verdict_name(enum verdict verdict);

/* Sets both; printf(3)'s format. */
void finding_set(struct finding *finding, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
