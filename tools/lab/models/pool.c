/*
 * pool - half-sync/half-async (Schmidt and Cranor, 1995): one thread accepts and reads whatever
 * comes, the asynchronous half; it puts connections that have sent something into a queue; and a
 * pool of threads takes them, the synchronous half: parses, computes, and sends.
 *
 * A connection is in the queue once at most, and with one thread at a time, or its answers could
 * leave in another order than they were asked for. All of this is under one lock.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"
#include "lab/models/threads.h"

#define BATCH 64

/* Bytes that wait for a thread, of one connection: some hundred requests. */
#define INBOX_MAX 65536

/* What has been read of a connection and not been taken yet. */
struct inbox {
    struct buf bytes;
    int next;     /* in the queue; -1: the last one */
    bool is_busy; /* it is in the queue, or a thread has it */
    bool is_done; /* the threads want no more of it */
    bool is_over; /* nothing more is read, and it is not in epoll any more */
};

struct pool {
    struct peers peers;
    int epoll_fd;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t filled;
    struct inbox *inboxes; /* by descriptor */
    int first, last;       /* of the queue; -1: empty */
};

static void append(struct pool *pool, int fd)
{
    struct inbox *inbox = &pool->inboxes[fd];
    inbox->is_busy = true;
    inbox->next = -1;
    if (pool->first < 0)
        pool->first = fd;
    else
        pool->inboxes[pool->last].next = fd;
    pool->last = fd;
    pthread_cond_signal(&pool->filled);
}

/* Under the lock, and before the close: from then on the number may be another's. */
static void end(struct pool *pool, int fd)
{
    buf_free(&pool->inboxes[fd].bytes);
    pool->inboxes[fd] = (struct inbox){0};
    peers_end(&pool->peers, fd);
}

/* ------------------------------------------------------------------ the asynchronous half */

/* Its end, by the client or since a thread has shut it down. Who has it closes it. */
static void take_end(struct pool *pool, int fd)
{
    struct inbox *inbox = &pool->inboxes[fd];
    epoll_ctl(pool->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    inbox->is_over = true;
    if (!inbox->is_busy)
        end(pool, fd);
}

static void take_bytes(struct pool *pool, int fd, const char *bytes, size_t n)
{
    struct inbox *inbox = &pool->inboxes[fd];
    if (inbox->is_done)
        return;
    buf_add(&inbox->bytes, bytes, n);
    if (inbox->bytes.failed || inbox->bytes.len > INBOX_MAX) {
        pool->peers.server->counts->cut++;
        take_end(pool, fd);
    } else if (!inbox->is_busy) {
        append(pool, fd);
    }
}

static void take_in(struct pool *pool, int fd)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        pool->peers.server->counts->vain++;
        return;
    }
    pthread_mutex_lock(&pool->lock);
    if (n > 0)
        take_bytes(pool, fd, bytes, (size_t)n);
    else
        take_end(pool, fd);
    pthread_mutex_unlock(&pool->lock);
}

static void accept_all(struct pool *pool)
{
    int fd;
    while ((fd = peers_accept(&pool->peers)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            peers_end(&pool->peers, fd);
    }
}

/* ------------------------------------------------------------------- the synchronous half */

/* What the scratch has room for; the rest goes through the queue again. */
static size_t take_out(struct inbox *inbox, struct scratch *scratch)
{
    size_t n = inbox->bytes.len;
    if (n == 0)
        return 0;
    if (n > sizeof scratch->bytes)
        n = sizeof scratch->bytes;
    memcpy(scratch->bytes, inbox->bytes.p, n);
    buf_drop(&inbox->bytes, n);
    return n;
}

/* Waits for the first of the queue, and takes it. */
static int wait_for_one(struct pool *pool, struct scratch *scratch, size_t *n)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first < 0)
        pthread_cond_wait(&pool->filled, &pool->lock);
    int fd = pool->first;
    pool->first = pool->inboxes[fd].next;
    *n = take_out(&pool->inboxes[fd], scratch);
    pthread_mutex_unlock(&pool->lock);
    return fd;
}

/* Who reads may be about to look at the descriptor, so it is not closed here but shut down, unless
 * that one has finished with it. */
static void give_back(struct pool *pool, int fd, bool is_kept)
{
    pthread_mutex_lock(&pool->lock);
    struct inbox *inbox = &pool->inboxes[fd];
    inbox->is_busy = false;
    inbox->is_done = !is_kept;
    if (is_kept && inbox->bytes.len > 0)
        append(pool, fd);
    else if (inbox->is_over)
        end(pool, fd);
    else if (!is_kept)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&pool->lock);
}

static void *serve(void *context)
{
    struct pool *pool = context;
    struct scratch scratch = {0};
    for (;;) {
        size_t n;
        int fd = wait_for_one(pool, &scratch, &n);
        struct peer *peer = &pool->peers.list[fd];
        enum session_verdict verdict = server_answer(pool->peers.server, &peer->session,
                                                     &peer->stamp, scratch.bytes, n, &scratch.out);
        bool is_sent = server_send(pool->peers.server, &scratch.out, fd, 0);
        give_back(pool, fd, is_sent && verdict == SESSION_KEEP);
    }
    return NULL;
}

/* ----------------------------------------------------------------------------- both halves */

static int open_pool(struct pool *pool, struct server *server)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server->door};
    *pool = (struct pool){.first = -1, .last = -1};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    if (peers_open(&pool->peers, server, PEERS_NONBLOCKING) < 0)
        return -1;
    pool->inboxes = calloc((size_t)pool->peers.room, sizeof *pool->inboxes);
    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!pool->inboxes || pool->epoll_fd < 0 ||
        epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, server->door, &event) < 0)
        return -1;
    return threads_start(POOL_THREADS, serve, pool);
}

static void run(struct server *server)
{
    static struct pool pool;
    struct epoll_event events[BATCH];
    if (open_pool(&pool, server) < 0)
        return;
    server_ready(server);
    for (;;) {
        int n = epoll_wait(pool.epoll_fd, events, BATCH, -1);
        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++)
            if (events[i].data.fd == server->door)
                accept_all(&pool);
            else
                take_in(&pool, events[i].data.fd);
    }
}

const struct model model_pool = {
    .name = "pool",
    .teaches = "half-sync/half-async: one thread reads, a queue, threads that answer; its price is "
               "the way through the queue",
    .ends = "at the descriptors of a process; and at the lock of its queue",
    .is_steady = true,
    .run = run,
};
