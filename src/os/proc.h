/*
 * proc - what proc(5) tells of a process: what it has used by now.
 *
 * Files whose content is the process's own, not what somebody has written there: they are read in
 * one piece, and whole.
 */
#ifndef DROVER_OS_PROC_H
#define DROVER_OS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of all its threads; context switches without those of threads that have ended. */
struct proc {
    pid_t parent;
    bool is_stopped; /* by a signal, or a debugger */
    uint64_t cpu_us;
    uint64_t voluntary; /* context switches */
    uint64_t involuntary;
    uint64_t rss; /* bytes that are resident */
};

/* Takes about 20 us. -1 with errno set: ENOENT or ESRCH when there is no such process, EACCES or
 * ENOENT when this one may not see it. */
int proc_read(pid_t pid, struct proc *proc);

/* The file /proc/PID/NAME as text, cut at size. -1 with errno set, as above. */
int proc_file(pid_t pid, const char *name, char *text, size_t size);

/* Opens to read what a process has open as this, "/memfd:NAME (deleted)" or a path. -1 with errno
 * set: ENOENT when it has none such, EACCES when its descriptors are not for this one to see. */
int proc_open(pid_t pid, const char *target);

#endif
