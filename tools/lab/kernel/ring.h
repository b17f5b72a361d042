/*
 * ring - one io_uring by raw system calls (io_uring_setup(2), io_uring_enter(2)): requests are
 * written into memory that is shared with the kernel, handed over together with the wait, and their
 * results read from there.
 *
 * One process uses a ring: it is opened after the fork, by whoever is to wait.
 *
 * A request that waits holds its file: close(2) of a connection that is being polled does not end
 * it until the poll has completed or was cancelled.
 */
#ifndef DROVER_LAB_KERNEL_RING_H
#define DROVER_LAB_KERNEL_RING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>

/* All of it is private. */
struct ring {
    int fd;
    struct io_uring_sqe *requests;
    struct io_uring_cqe *results;
    void *memory; /* both queues' indexes, and the results */
    size_t memory_size, requests_size;
    unsigned *submit_head, *submit_tail; /* the kernel moves the head of this queue */
    unsigned *result_head, *result_tail; /* and the tail of that one */
    unsigned submit_mask, result_mask, submit_count;
    unsigned tail; /* of what was written; the kernel is told at the next system call */
};

/* Why there is no io_uring here, in static words; NULL: there is. The second one asks for accept
 * requests that stay (IORING_ACCEPT_MULTISHOT, Linux 5.19), too. */
const char *ring_lacks(void);
const char *ring_lacks_multishot(void);

/*
 * Room for so many requests between two system calls, and so many results between two looks, both
 * rounded up to powers of two; the kernel keeps results beyond that. Returns 0, or -1 with errno
 * set as io_uring_setup(2) does.
 */
int ring_open(struct ring *ring, unsigned requests, unsigned results);

/* Cancels what waits, in its own time. */
void ring_close(struct ring *ring);

/* The next request, zeroed, to be filled in before the next call. Hands over those before it when
 * there is no room. NULL with errno set when that fails. */
struct io_uring_sqe *ring_request(struct ring *ring);

/* Hands over what was written; what can be done at once is done. -1 with errno set. */
int ring_submit(struct ring *ring);

/* The same, and waits until there is a result. Returns 0, or -1 with errno set: EINTR when a signal
 * came first. */
int ring_wait(struct ring *ring);

/* Takes the next result; false when there is none. */
bool ring_result(struct ring *ring, struct io_uring_cqe *result);

#endif
