#include "worker/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/net.h"
#include "worker/self.h"

/* So many numbers in a row that are not open, above all that are known, are taken for the end of
 * the table: the lowest free one is always the next. What is higher still is closed unseen. */
#define GAP_MAX 64

enum fate successor_fate(const struct desk *left, const struct fds *pristine, int fd)
{
    if (fds_has(pristine, fd)) /* no connection's, as is seen to where one begins */
        return FATE_KEPT;
    return desk_taken(left, fd) != CUSTODY_NONE ? FATE_RESUMED : FATE_CLOSED;
}

static const struct desk *desk_of(const struct worker *w, const struct standby_order *order)
{
    return &w->job->desks->of[order->from];
}

/* What was written there is not trusted. */
static int top_of(const struct desk *left)
{
    return left->top < DESK_FDS_MAX ? (int)left->top : DESK_FDS_MAX;
}

/* Not every libc has close_range(2). */
static void close_from(int fd)
{
    if (syscall(SYS_close_range, (unsigned)fd, ~0U, 0U) == 0)
        return;
    struct fds open;
    if (fds_open_now(&open) < 0)
        return;
    for (; fd < open.top; fd++)
        if (fds_has(&open, fd))
            close(fd);
    fds_free(&open);
}

/* A connection of the worker that has ended; one before it, that hangs, may have copies of all that
 * it was given: close(2) alone would not tell the client. Not those that a hung worker is at. */
static bool is_to_be_shut(const struct worker *w, const struct standby_order *order, int fd)
{
    const struct desk *left = desk_of(w, order);
    return w->was_parted && !order->is_hung && fd < DESK_FDS_MAX &&
           left->custody[fd] != CUSTODY_NONE && net_is_connection(fd);
}

static void end_one(const struct worker *w, const struct standby_order *order, int fd)
{
    if (is_to_be_shut(w, order, fd))
        shutdown(fd, SHUT_RDWR);
    close(fd);
}

/* Record locks belong to the table, fcntl(2), and not to whoever has ended. */
static void unlock(int fd)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLK, &all);
}

static void keep_one(const struct worker *w, const struct standby_order *order, int fd)
{
    if (!pristine_is_intact(&w->pristine, fd))
        pristine_block(fd);
    else if (!order->is_hung) /* whose are in its own table, which was parted */
        unlock(fd);
}

/* What is closed may stay open in a child that an application has forked, and its events would come
 * for ever: it is taken out of the epoll set first. Returns whether the number was open. */
static bool sweep_one(struct worker *w, const struct standby_order *order, int fd)
{
    enum fate fate = successor_fate(desk_of(w, order), &w->pristine.open, fd);
    if (fate == FATE_RESUMED && net_is_connection(fd) && fds_add(&w->resumed, fd) == 0)
        return true;
    bool is_open = loop_drop(w->loop, fd) == 0 || errno != EBADF;
    if (fate == FATE_KEPT)
        keep_one(w, order, fd);
    else if (is_open)
        end_one(w, order, fd);
    return is_open;
}

void successor_sweep(struct worker *w, const struct standby_order *order)
{
    int until = top_of(desk_of(w, order));
    if (w->pristine.open.top > until)
        until = w->pristine.open.top;
    until += GAP_MAX;
    for (int fd = 0; fd < until; fd++)
        if (sweep_one(w, order, fd) && until - fd <= GAP_MAX)
            until = fd + 1 + GAP_MAX;
    close_from(until);
}

static void resume_one(struct worker *w, const struct standby_order *order, int fd)
{
    const struct worker_job *job = w->job;
    const struct desk *left = desk_of(w, order);
    struct resumed what = {.state = desk_taken(left, fd), .is_watched = !order->is_hung};
    if (job->desks->clients && job->desks->clients[order->from][fd].family)
        what.client = &job->desks->clients[order->from][fd];
    desk_held_request(left, fd, &what.request.p, &what.request.n);
    w->services.turn++;
    acceptor_charge(&w->acceptor);
    conns_resume(&w->conns, fd, &what);
}

int successor_resume(struct worker *w, const struct standby_order *order)
{
    struct desk *left = &w->job->desks->of[order->from];
    for (int fd = 0; fd < w->resumed.top; fd++) {
        if (!fds_has(&w->resumed, fd))
            continue;
        resume_one(w, order, fd);
        if (!order->is_hung)
            desk_forget(left, fd);
    }
    return w->conns.count;
}
