/*
 * own_epoll - a worker with an epoll of its own, where its source of connections is (the listener,
 * mostly) and the connections that it keeps: what the strategies with an epoll a worker have in
 * common. It is in worker->own.
 *
 * The kept connections are level-triggered always: how the listener is registered is what is tried.
 */
#ifndef DROVER_LAB_STRATEGIES_OWN_EPOLL_H
#define DROVER_LAB_STRATEGIES_OWN_EPOLL_H

#include <stdint.h>

#include "lab/trial/worker.h"

/* Takes connections from the source, which is ready. Returns how many, or -1 with errno set. */
typedef int own_epoll_take_fn(struct lab_worker *worker);

/* An empty one, which lives as long as the process. `source`: whose events call `take`. Returns 0,
 * or -1 with errno set. */
int own_epoll_open(struct lab_worker *worker, int source, own_epoll_take_fn *take);

/* The same for the worker's door and lab_worker_take(), which is added with these events. */
int own_epoll_open_door(struct lab_worker *worker, uint32_t events);

/* Adds the source with these events; deletes it. 0, or -1 with errno set (epoll_ctl(2)). */
int own_epoll_add(struct lab_worker *worker, uint32_t events);
int own_epoll_delete(struct lab_worker *worker);

/* Waits; timeout_ms as in epoll_wait(2). Returns how many events there are: 0 when the time is up
 * or a signal came, -1 with errno set. */
int own_epoll_wait(struct lab_worker *worker, int timeout_ms);

/* Works on them, the source first, so that new connections are told early. Returns how many were
 * taken, or -1 with errno set. */
int own_epoll_serve(struct lab_worker *worker, int count);

/* strategy.run, and strategy.watch. */
void own_epoll_run(struct lab_worker *worker);
int own_epoll_watch(struct lab_worker *worker, int fd);

/* strategy.unwatch, where another process may have the connection open still: closing it here does
 * not take it out of the epoll then, and its events would be those of a descriptor that is gone
 * (epoll(7), "Questions and answers", 6). */
void own_epoll_unwatch(struct lab_worker *worker, int fd);

#endif
