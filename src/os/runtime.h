/*
 * runtime - what became of a process's time: how much it ran, and how much it waited for a CPU.
 *
 * The kernel adds a wait to its account when it is over, and not before: while a process waits,
 * nothing of /proc/PID/schedstat moves. Seen with 16 processes that spin on one CPU: 92 ms.
 */
#ifndef DROVER_OS_RUNTIME_H
#define DROVER_OS_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of the process's first thread, since it began. */
struct runtime {
    int64_t ran_ms;
    int64_t waited_ms; /* runnable, but without a CPU; without the wait that still lasts */
    bool is_runnable;  /* it runs, or waits for a CPU */
};

/* Takes about 7 us, and no memory. -1 with errno set: ENOENT or ESRCH when there is no such
 * process, ENOTSUP when the kernel keeps no such account, or has not run the process yet. */
int runtime_read(pid_t pid, struct runtime *runtime);

/*
 * How much of `elapsed_ms` between the two readings was the process's own doing, in milliseconds:
 * that it ran, slept or was blocked. The rest it waited for a CPU. While it is runnable, only what
 * it ran counts, since it may have been waiting all along; what it slept before that is not told
 * apart, and comes to light when it is run.
 */
int64_t runtime_own_ms(const struct runtime *then, const struct runtime *now, int64_t elapsed_ms);

#endif
