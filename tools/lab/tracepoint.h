/*
 * tracepoint - the kernel's own count of wakeups and context switches of some processes
 * (perf_event_open(2), by a raw system call): sched:sched_wakeup on every CPU with a filter on who
 * is woken, and the software event context-switches of each process.
 *
 * It costs whoever wakes some 0.2 us an event, and the sleepers nothing.
 */
#ifndef DROVER_LAB_TRACEPOINT_H
#define DROVER_LAB_TRACEPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tracepoint;

struct tracepoint_counts {
    uint64_t wakeups;  /* of these processes' first threads, new tasks not counted */
    uint64_t switches; /* voluntary and involuntary */
};

/*
 * Starts to count. Returns NULL where it may not be opened, with the reason in words in *why,
 * static: no permission (kernel.perf_event_paranoid), no tracefs, no such tracepoint.
 */
struct tracepoint *tracepoint_open(const pid_t *pids, size_t count, const char **why);

/* Since it was opened. Returns 0, or -1 with errno set. */
int tracepoint_read(const struct tracepoint *tracepoint, struct tracepoint_counts *counts);

/* NULL is allowed. */
void tracepoint_close(struct tracepoint *tracepoint);

#endif
