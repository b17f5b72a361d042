/*
 * shared_epoll - one epoll, made before the forks, in which all workers wait: its descriptor, and
 * the listener at the events that are tried. It is in arena->shared.
 *
 * Who waits stands at the head of the epoll's queue, so the worker that went to sleep last is woken
 * first: the top of a stack. A connection cannot be kept in the epoll: its descriptor is a number
 * of one process, and the others would be told of it. So a worker serves one client to its end.
 */
#ifndef DROVER_LAB_STRATEGIES_SHARED_EPOLL_H
#define DROVER_LAB_STRATEGIES_SHARED_EPOLL_H

#include <stdint.h>

#include "lab/trial/arena.h"
#include "lab/trial/worker.h"

/* Returns 0, or -1 with errno set. */
int shared_epoll_open(struct arena *arena, uint32_t events);
void shared_epoll_close(struct arena *arena);

/* The listener is at these events again: what EPOLLONESHOT has switched off. Returns 0, or -1 with
 * errno set. */
int shared_epoll_renew(const struct arena *arena, uint32_t events);

/* The same by removing and adding it, which also wakes somebody when it is readable and on the
 * ready list already: when the worker that was woken for it is gone. */
int shared_epoll_readd(const struct arena *arena, uint32_t events);

/* Waits for one event. Returns 1, 0 when a signal came first, or -1 with errno set. */
int shared_epoll_wait(struct lab_worker *worker);

/* strategy.run: waits and takes. */
void shared_epoll_run(struct lab_worker *worker);

#endif
