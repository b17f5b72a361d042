/*
 * probe - finds out what this machine permits by doing it, in a process of its own: where a seccomp
 * filter answers a call by SIGSYS, or a call never returns, that process ends, and its end is the
 * answer.
 *
 * A probe is a function that opens what it needs and leaves it to the end of its process. Nothing
 * of the machine is changed.
 */
#ifndef DROVER_OS_PROBE_H
#define DROVER_OS_PROBE_H

#include <stddef.h>
#include <stdint.h>

enum probe_verdict {
    PROBE_UNKNOWN, /* it could not be tried */
    PROBE_NO,
    PROBE_YES,
};

struct probe {
    enum probe_verdict verdict;
    int cause;     /* errno of the call that failed; 0: none failed, but it has no effect */
    int signal;    /* what ended the process: SIGSYS by a filter, SIGALRM in time; 0: none */
    int64_t value; /* what was measured, where that is said */
};

typedef struct probe probe_fn(int argument);

/* For probes: the verdict, with the present errno unless it is PROBE_YES. */
struct probe probe_is(enum probe_verdict verdict);

/*
 * Runs it in a child, for PROBE_SECONDS at most, and waits for its end. PROBE_UNKNOWN: no child can
 * be made, or it was too slow; PROBE_NO also when another signal ended it. SIGCHLD must not be
 * ignored.
 */
struct probe probe_try(probe_fn *fn, int argument);

/* "refused: Operation not permitted", "refused by a seccomp filter (SIGSYS)", "taken, but without
 * effect": why it is not PROBE_YES. Cut at size. */
void probe_describe(const struct probe *probe, char *text, size_t size);

#endif
