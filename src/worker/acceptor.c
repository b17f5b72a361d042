#include "worker/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* How often a lack is told, in milliseconds. */
#define WARN_EVERY_MS 1000

static void take_spare(struct acceptor *a)
{
    if (a->spare < 0)
        a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void give_spare(struct acceptor *a)
{
    if (a->spare >= 0)
        close(a->spare);
    a->spare = -1;
}

void acceptor_init(struct acceptor *a, struct loop *loop, struct doors *doors, int room,
                   void (*take)(void *context, int fd, int door), void *context)
{
    *a = (struct acceptor){.loop = loop,
                           .doors = doors,
                           .room = room,
                           .full_room = room,
                           .take = take,
                           .context = context,
                           .is_open = true,
                           .addresses = EVERY_ADDRESS,
                           .spare = -1,
                           .lack_since = CLOCK_NEVER,
                           .warned_at = -WARN_EVERY_MS};
    take_spare(a);
}

void acceptor_free(struct acceptor *a)
{
    if (a->loop)
        give_spare(a);
}

/* ---------------------------------------------------------------------------- the watching */

static void on_door(struct loop *loop, int fd, uint32_t events, void *context);
static void on_shared_door(struct loop *loop, int fd, uint32_t events, void *context);

/* Level-triggered, always: an edge that a dead worker swallowed would strand its queue. */
static void watch(int fd, void *context)
{
    struct acceptor *a = context;
    if (loop_add(a->loop, fd, EPOLLIN, on_door, a) < 0 && errno != EEXIST)
        log_warn("cannot watch a listening socket");
}

static void unwatch(int fd, void *context)
{
    struct acceptor *a = context;
    loop_delete(a->loop, fd); /* ENOENT: it was not watched */
}

/* The kernel wakes one of those that share it. */
static void watch_shared(int fd, void *context)
{
    struct acceptor *a = context;
    if (loop_add(a->loop, fd, EPOLLIN | EPOLLEXCLUSIVE, on_shared_door, a) < 0 && errno != EEXIST)
        log_warn("cannot watch a shared socket");
}

static void each_shared(struct acceptor *a, void (*fn)(int fd, void *context))
{
    for (int i = 0; i < a->doors->address_count; i++)
        if (a->doors->shared[i] >= 0 && (a->addresses >> i & 1))
            fn(a->doors->shared[i], a);
}

static void each_own(struct acceptor *a, void (*fn)(int fd, void *context))
{
    for (int slot = 0; slot < a->doors->slot_count; slot++)
        if (a->serves[slot])
            doors_each(a->doors, slot, a->addresses, fn, a);
}

static bool is_watching(const struct acceptor *a)
{
    return a->is_open && !a->is_paused && !a->is_shutting;
}

void acceptor_add(struct acceptor *a, int slot)
{
    a->serves[slot] = true;
    if (is_watching(a))
        doors_each(a->doors, slot, a->addresses, watch, a);
}

void acceptor_remove(struct acceptor *a, int slot)
{
    a->serves[slot] = false;
    doors_each(a->doors, slot, a->addresses, unwatch, a);
}

void acceptor_rearm(struct acceptor *a)
{
    each_shared(a, unwatch);
    if (is_watching(a))
        each_shared(a, watch_shared);
}

/* ------------------------------------------------------------------------------ the pauses */

static bool has_queue(int door)
{
    struct pollfd one = {.fd = door, .events = POLLIN};
    return poll(&one, 1, 0) > 0 && (one.revents & POLLIN) && !(one.revents & POLLHUP);
}

static void find_strand(int fd, void *context)
{
    struct acceptor *a = context;
    a->is_strand_due |= a->on_strand && has_queue(fd);
}

/* At most once in ACCEPT_PAUSE_MS: a full worker pauses with every connection that it takes. */
static void tell_strand(struct acceptor *a)
{
    if (!a->is_strand_due || a->now < a->strand_at)
        return;
    a->is_strand_due = false;
    a->strand_at = a->now + ACCEPT_PAUSE_MS;
    a->on_strand(a->context);
}

static void set_paused(struct acceptor *a, bool is_paused)
{
    a->is_paused = is_paused;
    if (a->on_pause)
        a->on_pause(a->context, is_paused);
}

static void pause_until(struct acceptor *a, int64_t until)
{
    set_paused(a, true);
    a->paused_until = until;
    each_own(a, unwatch);
    each_shared(a, unwatch);
    each_shared(a, find_strand);
    tell_strand(a);
}

/* Trying again at once would spin. */
static void pause_for_lack(struct acceptor *a)
{
    pause_until(a, a->now + ACCEPT_PAUSE_MS);
}

void acceptor_charge(struct acceptor *a)
{
    a->room--;
    if (a->room <= 0 && a->is_open && !a->is_paused)
        pause_until(a, CLOCK_NEVER);
}

/* Are the handshakes over that were under way? */
static bool is_settled(struct acceptor *a)
{
    if (a->has_taken)
        a->quiet_at = a->now + SHUT_QUIET_MS;
    a->has_taken = false;
    if (a->settle_by == CLOCK_NEVER)
        a->settle_by = a->now + SHUT_QUIET_MAX_MS;
    return a->quiet_at <= a->now || a->settle_by <= a->now;
}

static void shut_all(struct acceptor *a);

static void go_on(struct acceptor *a)
{
    set_paused(a, false);
    if (a->is_shutting) {
        shut_all(a);
        return;
    }
    each_own(a, watch);
    each_shared(a, watch_shared);
}

void acceptor_tick(struct acceptor *a, int64_t now)
{
    a->now = now;
    tell_strand(a);
    if (!a->is_open)
        return;
    bool is_over = a->paused_until == CLOCK_NEVER ? a->room > 0 : a->paused_until <= now;
    if (a->is_paused && is_over)
        go_on(a);
    if (a->is_settling && is_settled(a))
        shut_all(a);
}

int64_t acceptor_next(const struct acceptor *a)
{
    int64_t next = a->is_open && a->is_paused ? a->paused_until : CLOCK_NEVER;
    if (a->is_settling && a->quiet_at < next)
        next = a->quiet_at;
    if (a->is_settling && a->settle_by < next)
        next = a->settle_by;
    return a->is_strand_due && a->strand_at < next ? a->strand_at : next;
}

/* --------------------------------------------------------------------- lack of descriptors */

static bool is_lack_of_descriptors(int cause)
{
    return cause == EMFILE || cause == ENFILE;
}

/* What lacks, how much there is of it, and what an operator can do. */
static void tell_lack(struct acceptor *a, int cause)
{
    struct rlimit limit = {0};
    if (a->now - a->warned_at < WARN_EVERY_MS)
        return;
    a->warned_at = a->now;
    a->is_told = true;
    getrlimit(RLIMIT_NOFILE, &limit);
    errno = cause;
    if (cause == EMFILE)
        log_warn("no descriptor for a new client, of the %llu that a process may have; %d "
                 "connections are open, %llu clients were turned away; a higher ulimit -n or a "
                 "lower --max-connections helps",
                 (unsigned long long)limit.rlim_cur, a->full_room - a->room,
                 (unsigned long long)a->shed);
    else if (cause == ENFILE)
        log_warn("no descriptor for a new client, of those that the whole machine may have; %d "
                 "connections are open here, %llu clients were turned away; a higher sysctl "
                 "fs.file-max or a lower --max-connections helps",
                 a->full_room - a->room, (unsigned long long)a->shed);
    else
        log_warn("cannot accept a connection; tries again in %d ms", ACCEPT_PAUSE_MS);
}

static void end_lack(struct acceptor *a)
{
    if (a->lack_since == CLOCK_NEVER && !a->is_told)
        return;
    a->lack_since = CLOCK_NEVER;
    take_spare(a);
    if (!a->is_told)
        return;
    log_info("accepts connections again; %llu clients were turned away",
             (unsigned long long)a->shed);
    a->is_told = false;
    a->shed = 0;
}

/* What is unread would make the close a reset, which takes back the answer. */
static void read_away(int fd)
{
    char dropped[4096];
    for (size_t left = SHED_READ_MAX; left > 0; left -= sizeof dropped)
        if (recv(fd, dropped, sizeof dropped, 0) <= 0)
            return;
}

static void shed(int door, void *context)
{
    struct acceptor *a = context;
    for (int i = 0; i < SHED_TURN_MAX; i++) {
        int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        read_away(fd);
        if (a->on_shed)
            a->on_shed(a->context, fd);
        close(fd);
        a->shed++;
    }
}

/* At every door: with one alone, a queue that fills as fast as it is shed would hide the others. */
static void shed_all(struct acceptor *a)
{
    give_spare(a);
    each_own(a, shed);
    each_shared(a, shed);
    take_spare(a);
}

/* Tries are made while clients wait: of a time without one nothing is known. */
static bool has_lasted(struct acceptor *a)
{
    if (a->lack_since == CLOCK_NEVER || a->now - a->lack_seen > SHED_AFTER_MS)
        a->lack_since = a->now;
    a->lack_seen = a->now;
    return a->now - a->lack_since >= SHED_AFTER_MS;
}

static void endure_lack(struct acceptor *a, int cause)
{
    if (is_lack_of_descriptors(cause) && has_lasted(a))
        shed_all(a);
    tell_lack(a, cause);
    pause_for_lack(a);
}

/* --------------------------------------------------------------------------- the accepting */

/*
 * Takes one client in. Returns false when there is none, or no room for one. Errors of the
 * connection that was about to be accepted are not the listener's (accept(2), "Error handling").
 */
static bool accept_one(struct acceptor *a, int door)
{
    if (a->room <= 0) {
        pause_until(a, CLOCK_NEVER);
        return false;
    }
    int fd = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        end_lack(a);
        a->has_taken = true;
        a->room--;
        a->take(a->context, fd, door);
        /* Not at the next: its wake-up would be lost. */
        if (a->room <= 0 && a->is_open && !a->is_shutting)
            pause_until(a, CLOCK_NEVER);
        return !a->is_paused && a->is_open;
    }
    switch (errno) {
    case EAGAIN: return false;
    case EINVAL: loop_delete(a->loop, door); return false; /* shut: a stop is under way */
    case EINTR:
    case EPERM: /* a firewall's wish */
    case EPROTO:
    case ENONET:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ECONNABORTED: return true;
    default: endure_lack(a, errno); return false;
    }
}

/* One at a time, each served before the next is taken: a worker that dies at one of them holds one,
 * not many. */
static void on_door(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct acceptor *a = context;
    for (int i = 0; i < ACCEPT_TURN_MAX; i++) {
        if (accept_one(a, fd))
            continue;
        a->in_vain += i == 0 && is_watching(a);
        if (events & EPOLLHUP) /* shut by another, and a unix socket says EAGAIN then */
            loop_delete(loop, fd);
        return;
    }
}

/* The kernel wakes the one that has watched it for the longest time, so whoever has taken some goes
 * to the end of the row: else one takes all, as long as it keeps up. */
static void on_shared_door(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct acceptor *a = context;
    on_door(loop, fd, events, a);
    if (!is_watching(a) || (events & EPOLLHUP) || !(a->addresses & doors_address(a->doors, fd)))
        return;
    unwatch(fd, a);
    watch_shared(fd, a);
}

/* ------------------------------------------------------------------------------ the ending */

static void take_last(int fd, void *context)
{
    struct acceptor *a = context;
    for (int i = 0; i < ACCEPT_TURN_MAX && !a->is_paused && accept_one(a, fd); i++) {
    }
}

/* The kernel may have woken this one alone for who waits at a shared door that it is about to give
 * up, and nobody else would look there: takes them. It may be done before a pause would be over. */
static void relinquish(struct acceptor *a)
{
    if (is_watching(a))
        each_shared(a, take_last);
    each_shared(a, unwatch);
    each_shared(a, find_strand);
    if (a->is_strand_due)
        a->on_strand(a->context);
    a->is_strand_due = false;
}

void acceptor_leave(struct acceptor *a)
{
    if (!a->is_open)
        return;
    each_own(a, unwatch);
    relinquish(a);
    a->is_open = a->is_settling = false;
}

static void shut(int fd, void *context)
{
    struct acceptor *a = context;
    while (!a->is_paused && accept_one(a, fd)) {
    }
    if (a->is_paused && has_queue(fd)) /* it waits for room */
        return;
    /* For every process at once: what comes now is refused, and not left in a queue. */
    if (!(a->kept & doors_address(a->doors, fd)))
        shutdown(fd, SHUT_RDWR);
    unwatch(fd, a);
}

static void shut_all(struct acceptor *a)
{
    a->is_settling = false;
    a->is_shutting = true;
    each_own(a, shut);
    each_shared(a, shut);
    a->is_open = a->is_paused;
}

/* Watches these addresses alone from here on. */
static void narrow(struct acceptor *a, uint32_t addresses)
{
    a->addresses &= ~addresses;
    each_own(a, unwatch);
    relinquish(a);
    a->addresses = addresses;
}

void acceptor_shut(struct acceptor *a, uint32_t addresses, uint32_t kept, bool is_filtered)
{
    if (!a->is_open)
        return;
    narrow(a, addresses);
    a->kept = kept;
    if (!is_filtered) {
        shut_all(a);
        return;
    }
    a->is_settling = a->has_taken = true;
    a->quiet_at = a->settle_by = CLOCK_NEVER; /* from the end of this turn on */
}
