/*
 * loop - waits for descriptors, and calls back. The only user of epoll(7).
 *
 * Every descriptor is in epoll by its number, and what to call is looked up from the number, so
 * an event never carries a pointer to something that may be gone.
 *
 * Level-triggered unless a watch asks for more. One thread uses a loop. Callbacks may add, change
 * and delete any watch, their own too: deleting a watch also drops its events that epoll_wait(2)
 * had returned already, so a closed and reused number never gets its predecessor's event.
 */
#ifndef DROVER_OS_LOOP_H
#define DROVER_OS_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* events: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDHUP as epoll_ctl(2) names them. */
typedef void loop_fn(struct loop *loop, int fd, uint32_t events, void *context);

/* Returns NULL and sets errno on failure. Belongs to the caller until loop_close(). */
struct loop *loop_open(void);

/* Closes the epoll descriptor, not the watched ones. NULL is allowed. */
void loop_close(struct loop *loop);

/*
 * The context is borrowed and must live until loop_delete(). Each of the three returns 0, or -1
 * with errno set as epoll_ctl(2) does, and ENOMEM. `events` may hold EPOLLEXCLUSIVE in loop_add().
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *context);
int loop_change(struct loop *loop, int fd, uint32_t events);
int loop_delete(struct loop *loop, int fd);

/*
 * For a process that goes on with the epoll set of one before it (worker/standby.h).
 *
 * loop_know() takes a watch over that the set has already, and makes no system call: -1 with errno
 * EBADF or ENOMEM. loop_drop() takes a descriptor out of the set whether it is known here or not:
 * -1 with errno ENOENT where it was not in it, EBADF where it is not open. loop_renew() puts an
 * empty set in place of the one before, at the same number, and knows no watch any more: -1 with
 * errno set, and all as it was. Not to be called by a callback.
 */
int loop_know(struct loop *loop, int fd, loop_fn *fn, void *context);
int loop_drop(struct loop *loop, int fd);
int loop_renew(struct loop *loop);

/* The number of the epoll descriptor. */
int loop_fd(const struct loop *loop);

/*
 * Waits at most timeout_ms (-1: without end, 0: not at all) and calls back for what is ready.
 * `woken`, unless NULL, is called once after the wait and before the callbacks: the place to
 * read the clock. Returns the number of events, 0 when the time was up or a signal came,
 * -1 with errno on failure.
 */
int loop_turn(struct loop *loop, int timeout_ms, void (*woken)(void *context), void *context);

#endif
