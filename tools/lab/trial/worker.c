#include "lab/trial/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/strategies/strategy.h"
#include "lab/trial/session.h"

/* Bytes read at once: a request is some 60. */
#define READ_SIZE 4096

struct guest {
    bool is_open;
    struct session_stamp stamp;
    struct session session;
};

static void count(_Atomic uint64_t *what)
{
    /* Its own row: no other writer, so that no locked instruction is needed. */
    atomic_store_explicit(what, atomic_load_explicit(what, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static void change_open(struct lab_worker *worker, int by)
{
    uint64_t open = atomic_load_explicit(&worker->tally->open, memory_order_relaxed);
    atomic_store_explicit(&worker->tally->open, open + (uint64_t)by, memory_order_release);
}

void lab_worker_ready(struct tally *row)
{
    atomic_store(&row->ready, TALLY_READY);
}

void lab_worker_returned(struct lab_worker *worker)
{
    count(&worker->tally->returns);
}

void lab_worker_wasted(struct lab_worker *worker)
{
    count(&worker->tally->wasted);
}

/* ------------------------------------------------------------------------------ the guests */

static struct guest *guest_at(const struct lab_worker *worker, int fd)
{
    return fd >= 0 && fd < worker->guest_count ? &worker->guests[fd] : NULL;
}

bool lab_worker_has(const struct lab_worker *worker, int fd)
{
    const struct guest *guest = guest_at(worker, fd);
    return guest && guest->is_open;
}

/* Room for this descriptor. -1 with ENOMEM. */
static int make_room(struct lab_worker *worker, int fd)
{
    if (fd < worker->guest_count)
        return 0;
    int wanted = fd < 64 ? 128 : 2 * fd;
    struct guest *guests = realloc(worker->guests, (size_t)wanted * sizeof *guests);
    if (!guests)
        return -1;
    memset(guests + worker->guest_count, 0,
           (size_t)(wanted - worker->guest_count) * sizeof *guests);
    worker->guests = guests;
    worker->guest_count = wanted;
    return 0;
}

static void end_guest(struct lab_worker *worker, int fd)
{
    struct guest *guest = guest_at(worker, fd);
    session_free(&guest->session);
    *guest = (struct guest){.is_open = false};
    close(fd);
    change_open(worker, -1);
}

/* An answer fits any socket's buffer; a client that is gone is no error here. */
static void send_out(int fd, const struct buf *out)
{
    ssize_t sent;
    do
        sent = send(fd, out->p, out->len, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
}

/* Answers what was read. False: the connection is to be closed. */
static bool answer(struct lab_worker *worker, int fd, const char *bytes, size_t length)
{
    struct guest *guest = guest_at(worker, fd);
    struct buf out = {.p = NULL};
    uint64_t cost = 0;
    enum session_verdict verdict = session_feed(&guest->session, &guest->stamp, bytes, length, &out,
                                                &cost);
    if (cost > 0) {
        session_burn(cost);
        atomic_fetch_add_explicit(&worker->tally->busy_us, cost, memory_order_relaxed);
    }
    if (out.len > 0) {
        send_out(fd, &out);
        atomic_fetch_add_explicit(&worker->tally->answered, out.len / SESSION_ANSWER_SIZE,
                                  memory_order_relaxed);
    }
    bool goes_on = verdict == SESSION_KEEP && !out.failed;
    buf_free(&out);
    return goes_on;
}

/* Reads once. `flags`: of recv(2). Returns 1 while the connection is to be kept, 0 when there is
 * nothing to read now, -1 when it is over. */
static int read_once(struct lab_worker *worker, int fd, int flags)
{
    char bytes[READ_SIZE];
    ssize_t length;
    do
        length = recv(fd, bytes, sizeof bytes, flags);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return errno == EAGAIN ? 0 : -1;
    if (length == 0)
        return -1;
    return answer(worker, fd, bytes, (size_t)length) ? 1 : -1;
}

/* One client at a time: the worker waits for it alone, until it leaves. */
static void serve_to_end(struct lab_worker *worker, int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    for (;;) {
        int got = read_once(worker, fd, MSG_DONTWAIT);
        if (got < 0)
            break;
        if (got == 0 && poll(&one, 1, -1) > 0)
            lab_worker_returned(worker);
    }
    end_guest(worker, fd);
}

static void host(struct lab_worker *worker, int fd)
{
    if (make_room(worker, fd) < 0) {
        close(fd);
        change_open(worker, -1);
        return;
    }
    *guest_at(worker, fd) = (struct guest){
        .is_open = true,
        .stamp = {.worker = worker->slot, .accepted_us = clock_us()},
    };
    const struct strategy *strategy = worker->arena->strategy;
    if (!strategy->watch)
        serve_to_end(worker, fd);
    else if (read_once(worker, fd, MSG_DONTWAIT) < 0 || strategy->watch(worker, fd) < 0)
        end_guest(worker, fd);
}

bool lab_worker_serve(struct lab_worker *worker, int fd)
{
    if (read_once(worker, fd, MSG_DONTWAIT) >= 0)
        return true;
    if (worker->arena->strategy->unwatch)
        worker->arena->strategy->unwatch(worker, fd);
    end_guest(worker, fd);
    return false;
}

/* ----------------------------------------------------------------------------- the accepting */

static void greet(struct lab_worker *worker, int fd)
{
    struct session_stamp stamp = {.worker = worker->slot, .accepted_us = clock_us()};
    struct buf out = {.p = NULL};
    session_greet(&stamp, &out);
    send_out(fd, &out);
    buf_free(&out);
    close(fd);
    count(&worker->tally->answered);
    change_open(worker, -1);
}

void lab_worker_took(struct lab_worker *worker, int fd)
{
    count(&worker->tally->accepted);
    change_open(worker, 1);
    if (worker->arena->asks)
        host(worker, fd);
    else
        greet(worker, fd);
}

/* Of accept(2), "Error handling": what was wrong with the connection is not the listener's. */
static bool is_of_connection(int cause)
{
    return cause == EINTR || cause == ECONNABORTED || cause == EPROTO;
}

int lab_worker_take(struct lab_worker *worker, int door)
{
    int taken = 0;
    do {
        int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            taken++;
            lab_worker_took(worker, fd);
        } else if (errno == EAGAIN) {
            break;
        } else if (!is_of_connection(errno)) {
            return -1;
        }
    } while (worker->arena->drain);
    if (taken == 0)
        lab_worker_wasted(worker);
    return taken;
}
