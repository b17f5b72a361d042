/*
 * tracepoint - the kernel's own count of wakeups and context switches of some processes
 * (perf_event_open(2), by a raw system call): sched:sched_waking and sched:sched_wakeup on every
 * CPU with a filter on who is woken, and the software event context-switches of each process.
 *
 * What /proc is checked against is sched_waking. It is told by whoever wakes, once for each wakeup:
 * seen to be the number of voluntary switches of /proc, to the last one with workers that
 * come to rest between two connections, to 1 of 10,000 under any load. sched_wakeup is told where
 * the sleeper gets its CPU, and is left out for some that an idle CPU finds in its queue of remote
 * wakeups: on Linux 6.18 with 2 CPUs none to 1 of 1,000 of those woken one at a time or as a herd,
 * but up to 7 of 100 where one process wakes 128 as fast as it can; ftrace and
 * `perf stat -e sched:sched_wakeup` miss the same ones.
 *
 * It costs whoever wakes some 0.2 us a wakeup, and who is woken some 0.3 us, so a figure of CPU
 * time that was taken beside it is so much too high. The first one that is opened takes some 10 ms,
 * since the kernel patches its code, each later one some 10 us a process.
 */
#ifndef DROVER_LAB_KERNEL_TRACEPOINT_H
#define DROVER_LAB_KERNEL_TRACEPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracepoint;

struct tracepoint_counts {
    uint64_t wakeups;      /* by sched_waking */
    uint64_t wakeups_told; /* by sched_wakeup; both of these threads; a new thread's or process's
                              first one is none */
    uint64_t switches;     /* voluntary and involuntary, those of threads and processes that they
                              make after it was opened too */
};

/*
 * Starts to count; pids of 0 or below are passed over. A PID is its first thread; account_threads()
 * gives the others'. Returns NULL where it may not be opened, with the reason in words in *why,
 * static: no permission (kernel.perf_event_paranoid), no tracefs, no such tracepoint, a PID
 * namespace.
 */
struct tracepoint *tracepoint_open(const pid_t *pids, size_t count, const char **why);

/* Since it was opened. Returns 0, or -1 with errno set. */
int tracepoint_read(const struct tracepoint *tracepoint, struct tracepoint_counts *counts);

/* NULL is allowed. */
void tracepoint_close(struct tracepoint *tracepoint);

#endif
