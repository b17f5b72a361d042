/*
 * preempt - does a process that is woken take the CPU from whoever runs there?
 *
 * With the usual policy it does, so a client on the same CPU is interrupted once it has sent its
 * first request, and the process wakes for each. With SCHED_BATCH (sched(7)) the client goes on
 * until it waits itself, and the process finds many requests at once: fewer wake-ups and switches.
 * The price is paid where others compete for the CPU: it waits until their time is up. AUTO looks
 * at that: how long it had to wait each time that it became ready to run, from its schedstat, as
 * proc(5) has it. Where that is long it preempts, and tries again later, and later each time.
 */
#ifndef DROVER_OS_PREEMPT_H
#define DROVER_OS_PREEMPT_H

#include <stdbool.h>
#include <stdint.h>

enum preemption {
    PREEMPT_AUTO,
    PREEMPT_YES,
    PREEMPT_NO,
};

/* What the process has waited for a CPU, so far. */
struct preempt_waits {
    uint64_t nanoseconds;
    uint64_t times;
};

/* Milliseconds. */
struct preempt {
    int schedstat; /* owned; -1: it does not look */
    bool is_auto;
    bool is_batch;
    int64_t look_at; /* the next look, not before */
    int64_t pause;   /* the next time that it preempts, for so long */
    struct preempt_waits before;
};

/* For this process, and for the children that it starts from here on. A policy that somebody else
 * has chosen stays as it is, and so does all where this one is not allowed. */
void preempt_open(struct preempt *preempt, enum preemption wanted, int64_t now);
void preempt_close(struct preempt *preempt);

/* To be called when look_at has come. */
void preempt_look(struct preempt *preempt, int64_t now);

/* The part of it that decides: should it preempt from here on? */
bool preempt_has_waited_long(struct preempt *preempt, const struct preempt_waits *waits);

static inline bool preempt_is_due(const struct preempt *preempt, int64_t now)
{
    return preempt->is_auto && now >= preempt->look_at;
}

#endif
