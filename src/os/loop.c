#include "os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Events fetched by one epoll_wait(2). */
#define BATCH 64

struct watch {
    loop_fn *fn; /* NULL: this number is not watched */
    void *context;
};

struct loop {
    int epoll_fd;
    int batch_at; /* the event that is being delivered */
    int batch_n;  /* events fetched and not yet all delivered */
    size_t watch_count;
    struct watch *watches; /* by descriptor number */
    struct epoll_event batch[BATCH];
};

struct loop *loop_open(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_close(struct loop *loop)
{
    if (!loop)
        return;
    close(loop->epoll_fd);
    free(loop->watches);
    free(loop);
}

static int reserve(struct loop *loop, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= loop->watch_count)
        return 0;
    size_t count = loop->watch_count ? loop->watch_count : 64;
    while (count < need)
        count *= 2;
    struct watch *watches = reallocarray(loop->watches, count, sizeof *watches);
    if (!watches)
        return -1;
    memset(watches + loop->watch_count, 0, (count - loop->watch_count) * sizeof *watches);
    loop->watches = watches;
    loop->watch_count = count;
    return 0;
}

static int control(struct loop *loop, int op, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(loop->epoll_fd, op, fd, &event);
}

int loop_know(struct loop *loop, int fd, loop_fn *fn, void *context)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    if (reserve(loop, fd) < 0)
        return -1;
    loop->watches[fd] = (struct watch){.fn = fn, .context = context};
    return 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *context)
{
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    /* Room for it first: what epoll has must be known here. */
    if (reserve(loop, fd) < 0 || control(loop, EPOLL_CTL_ADD, fd, events) < 0)
        return -1;
    return loop_know(loop, fd, fn, context);
}

int loop_change(struct loop *loop, int fd, uint32_t events)
{
    return control(loop, EPOLL_CTL_MOD, fd, events);
}

static bool is_known(const struct loop *loop, int fd)
{
    return fd >= 0 && (size_t)fd < loop->watch_count && loop->watches[fd].fn;
}

static void forget(struct loop *loop, int fd)
{
    loop->watches[fd] = (struct watch){0};
    for (int i = loop->batch_at + 1; i < loop->batch_n; i++)
        if (loop->batch[i].data.fd == fd)
            loop->batch[i].data.fd = -1;
}

int loop_delete(struct loop *loop, int fd)
{
    if (!is_known(loop, fd)) {
        errno = ENOENT;
        return -1;
    }
    forget(loop, fd);
    return control(loop, EPOLL_CTL_DEL, fd, 0);
}

int loop_drop(struct loop *loop, int fd)
{
    if (is_known(loop, fd))
        forget(loop, fd);
    return control(loop, EPOLL_CTL_DEL, fd, 0);
}

int loop_renew(struct loop *loop)
{
    int fresh = epoll_create1(EPOLL_CLOEXEC);
    if (fresh < 0)
        return -1;
    int result = dup3(fresh, loop->epoll_fd, O_CLOEXEC);
    close(fresh);
    if (result < 0)
        return -1;
    free(loop->watches);
    loop->watches = NULL;
    loop->watch_count = 0;
    return 0;
}

int loop_fd(const struct loop *loop)
{
    return loop->epoll_fd;
}

int loop_turn(struct loop *loop, int timeout_ms, void (*woken)(void *context), void *context)
{
    int n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, timeout_ms);
    if (n < 0 && errno != EINTR)
        return -1;
    loop->batch_n = n < 0 ? 0 : n;
    loop->batch_at = -1;
    if (woken)
        woken(context);
    for (loop->batch_at = 0; loop->batch_at < loop->batch_n; loop->batch_at++) {
        const struct epoll_event *event = &loop->batch[loop->batch_at];
        if (event->data.fd < 0)
            continue;
        if (!is_known(loop, event->data.fd)) { /* left by whoever had the set before */
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, event->data.fd, NULL);
            continue;
        }
        const struct watch *watch = &loop->watches[event->data.fd];
        watch->fn(loop, event->data.fd, event->events, watch->context);
    }
    n = loop->batch_n;
    loop->batch_n = 0;
    return n;
}
