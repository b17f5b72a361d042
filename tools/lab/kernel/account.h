/*
 * account - what the kernel has written down of processes: how often they slept and were switched
 * away, the CPU time they had, and how long they waited for a CPU. All threads of a process are
 * summed (/proc/PID/task, proc(5)); what a thread had that has ended is in the CPU time alone.
 *
 * A voluntary switch is a sleep, and a sleep ends with a wakeup: that is how wakeups are counted
 * where tracepoints may not be opened (tracepoint.h checks it where they may).
 */
#ifndef DROVER_LAB_KERNEL_ACCOUNT_H
#define DROVER_LAB_KERNEL_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct account {
    uint64_t voluntary;   /* context switches: slept */
    uint64_t involuntary; /* was put aside while it could run */
    uint64_t cpu_ns;      /* on a CPU, exact (clock_getcpuclockid(3)) */
    uint64_t user_ticks;  /* of sysconf(_SC_CLK_TCK): how cpu_ns is split, not how long it is */
    uint64_t system_ticks;
    uint64_t delay_ns; /* could run, and waited for a CPU */
    uint64_t resident; /* bytes, of the process; sockets are the kernel's and not among them */
};

/* Reads it of one process. Returns 0, or -1 with errno set: ESRCH when it is gone. One that has
 * ended can be read until it is waited for. */
int account_read(pid_t pid, struct account *account);

/* sum += one; sum -= one, where resident stays. */
void account_add(struct account *sum, const struct account *one);
void account_subtract(struct account *sum, const struct account *one);

/* The threads of a process, to be given to tracepoint_open(). Fills at most `size` of them in and
 * returns how many there are; 0 when it is gone. */
size_t account_threads(pid_t pid, pid_t *tids, size_t size);

/* Every thread of the process sleeps, or is stopped, or has ended. */
bool account_is_asleep(pid_t pid);

/*
 * Waits until all of these processes sleep and none has been woken since it was looked at before;
 * pids of 0 or below are passed over. Returns false when that has not come within timeout_ms. It
 * sleeps 100 to 500 us between two looks, and looks twice at least.
 */
bool account_settle(const pid_t *pids, size_t count, int timeout_ms);

#endif
