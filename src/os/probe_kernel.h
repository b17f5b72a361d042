/*
 * probe_kernel - what the kernel, and whatever confines this process, permits beside sockets. All
 * are for probe_try().
 */
#ifndef DROVER_OS_PROBE_KERNEL_H
#define DROVER_OS_PROBE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "os/probe.h"

/* A process can be made: PROBE_UNKNOWN where it cannot. */
probe_fn probe_fork;

/* epoll(7) tells that there is something to read. */
probe_fn probe_epoll;

/* EPOLLEXCLUSIVE, epoll_ctl(2). */
probe_fn probe_exclusive;

/* A signal is read from a descriptor, signalfd(2). */
probe_fn probe_signalfd;

/* A SOCK_SEQPACKET pair passes a descriptor on, unix(7). */
probe_fn probe_seqpacket;

/* `value` is the version of the kernel's Landlock ABI, landlock_create_ruleset(2). */
probe_fn probe_landlock;

/* This process's own account in /proc/PID/schedstat. */
probe_fn probe_schedstat;

/* Has this process the capability of this number, capabilities(7)? `value` is 1 or 0. */
probe_fn probe_capability;

/* `value` is the first port that needs no privilege, ip(7); PROBE_UNKNOWN where /proc/sys is not to
 * be seen. */
probe_fn probe_unprivileged_port;

/* A twin of a process outlives it, and one that does not is parted from it: os/twin.h. `value` is 1
 * where a twin can be made; PROBE_NO with that: it cannot be parted. */
probe_fn probe_twin;

/* Is a twin for libc the process that it is? */
probe_fn probe_twin_itself;

/* `value`: so many processes there may be, of this user or in this control group, whichever is
 * less; PROBE_UNKNOWN: no limit is known. */
probe_fn probe_tasks;

/* The system calls of a server. The argument counts from 0 to probe_call_count() - 1: is this one
 * permitted? It is made with arguments that it has to refuse, which changes nothing. */
size_t probe_call_count(void);
const char *probe_call_name(size_t i);
bool probe_call_is_needed(size_t i); /* no: without it drover does less, and says so */
probe_fn probe_call;

#endif
