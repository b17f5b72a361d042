#include "lab/strategies/uring_accept.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lab/kernel/ring.h"

/* Requests between two system calls: as many as an epoll's turn has events. Results between two
 * looks: the kernel keeps what is beyond, and 128 workers' memory is to stay within what a user may
 * lock (RLIMIT_MEMLOCK, 8 MiB mostly): these are some 16 KiB a worker. */
#define REQUESTS 64
#define RESULTS  512

struct uring_accept {
    struct ring ring;
    bool is_multishot;
};

/* A request is told by its descriptor: the door's accepts, all others poll. */
static int request_accept(struct lab_worker *worker)
{
    struct uring_accept *own = worker->own;
    struct io_uring_sqe *request = ring_request(&own->ring);
    if (!request)
        return -1;
    request->opcode = IORING_OP_ACCEPT;
    request->fd = worker->door;
    request->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    request->ioprio = own->is_multishot ? IORING_ACCEPT_MULTISHOT : 0;
    request->user_data = (__u64)worker->door;
    return 0;
}

int uring_accept_watch(struct lab_worker *worker, int fd)
{
    struct uring_accept *own = worker->own;
    struct io_uring_sqe *request = ring_request(&own->ring);
    if (!request)
        return -1;
    request->opcode = IORING_OP_POLL_ADD;
    request->fd = fd;
    request->poll32_events = POLLIN;
    request->user_data = (__u64)fd;
    return 0;
}

int uring_accept_open(struct lab_worker *worker, bool is_multishot)
{
    struct uring_accept *own = calloc(1, sizeof *own);
    if (!own)
        return -1;
    worker->own = own;
    own->is_multishot = is_multishot;
    if (ring_open(&own->ring, REQUESTS, RESULTS) < 0 || request_accept(worker) < 0)
        return -1;
    return ring_submit(&own->ring);
}

/* Whoever drains takes what else waits before it asks again. Finding nothing is no waste: it was
 * not woken for that. */
static int take_rest(struct lab_worker *worker)
{
    int fd;
    while ((fd = accept4(worker->door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        lab_worker_took(worker, fd);
    return errno == EAGAIN || errno == ECONNABORTED ? 0 : -1;
}

static int take(struct lab_worker *worker, const struct io_uring_cqe *result)
{
    const struct uring_accept *own = worker->own;
    if (result->res >= 0)
        lab_worker_took(worker, result->res);
    else if (result->res == -EAGAIN)
        lab_worker_wasted(worker);
    else if (result->res != -ECONNABORTED && result->res != -EINTR) {
        errno = -result->res;
        return -1;
    }
    if (result->flags & IORING_CQE_F_MORE)
        return 0; /* the request has stayed */
    if (!own->is_multishot && worker->arena->drain && take_rest(worker) < 0)
        return -1;
    return request_accept(worker);
}

static int serve(struct lab_worker *worker, const struct io_uring_cqe *result)
{
    int fd = (int)result->user_data;
    if (fd == worker->door)
        return take(worker, result);
    if (lab_worker_serve(worker, fd))
        return uring_accept_watch(worker, fd);
    return 0;
}

void uring_accept_run(struct lab_worker *worker)
{
    struct uring_accept *own = worker->own;
    struct io_uring_cqe result;
    lab_worker_ready(worker->tally);
    for (;;) {
        if (ring_wait(&own->ring) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        lab_worker_returned(worker);
        while (ring_result(&own->ring, &result))
            if (serve(worker, &result) < 0)
                return;
    }
}
