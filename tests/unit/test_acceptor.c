#include "worker/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/limits.h"
#include "support.h"

#define SLOTS   3
#define CLIENTS 64

/* Abstract unix sockets stand for all doors: to an acceptor they are numbers. The address 0 has
 * one a slot, the address 1 is shared. */
struct rig {
    struct loop *loop;
    struct doors doors;
    struct acceptor acceptor;
    int taken;
    int fds[CLIENTS]; /* what it has taken */
    int called;
    int clients[CLIENTS];
    int shed;
    int strands;
};

/* `door` < 0: the shared one. */
static struct sockaddr_un name_of(int door, socklen_t *length)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int n = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "drover-acceptor-%d-%d",
                     (int)getpid(), door);
    *length = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 + (socklen_t)n;
    return un;
}

static int listener(int door)
{
    socklen_t length;
    struct sockaddr_un un = name_of(door, &length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&un, length) == 0 && listen(fd, 100) == 0,
              "%m");
    return fd;
}

/* Clients connect and wait in the door's queue. Returns how many it let in. */
static int call(struct rig *rig, int door, int count)
{
    socklen_t length;
    struct sockaddr_un un = name_of(door, &length);
    int queued = 0;
    for (; queued < count; queued++) {
        cr_assert_lt(rig->called, CLIENTS);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&un, length) < 0) {
            close(fd);
            break;
        }
        rig->clients[rig->called++] = fd;
    }
    return queued;
}

static void take(void *context, int fd, int door)
{
    (void)door;
    struct rig *rig = context;
    cr_assert_lt(rig->taken, CLIENTS);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    rig->fds[rig->taken++] = fd;
}

static void on_shed(void *context, int fd)
{
    struct rig *rig = context;
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(send(fd, "no", 2, MSG_DONTWAIT | MSG_NOSIGNAL), 2);
    rig->shed++;
}

static void open_rig(struct rig *rig, int room)
{
    memset(rig, 0, sizeof *rig);
    rig->loop = loop_open();
    cr_assert_not_null(rig->loop);
    doors_init(&rig->doors);
    rig->doors.slot_count = SLOTS;
    rig->doors.address_count = 2;
    for (int slot = 0; slot < SLOTS; slot++)
        rig->doors.own[slot][0] = listener(slot);
    rig->doors.shared[1] = listener(-1);
    acceptor_init(&rig->acceptor, rig->loop, &rig->doors, room, take, rig);
    acceptor_tick(&rig->acceptor, 1000);
}

static void close_rig(struct rig *rig)
{
    for (int i = 0; i < rig->taken; i++)
        close(rig->fds[i]);
    for (int i = 0; i < rig->called; i++)
        close(rig->clients[i]);
    acceptor_free(&rig->acceptor);
    doors_close(&rig->doors);
    loop_close(rig->loop);
}

/* Until nothing is ready. Returns how many have been taken since the start. */
static int turn(struct rig *rig)
{
    for (int i = 0; i < 100; i++)
        if (loop_turn(rig->loop, 0, NULL, NULL) == 0)
            return rig->taken;
    cr_assert_fail("it spins");
    return -1;
}

/* ------------------------------------------------------------------------------ the doors */

Test(acceptor, takes_from_the_slots_it_serves)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    for (int slot = 0; slot < SLOTS; slot++)
        call(&rig, slot, 1 << slot);
    cr_expect_eq(turn(&rig), 0, "none at first");
    acceptor_add(&rig.acceptor, 0);
    cr_expect_eq(turn(&rig), 1, "its own");
    acceptor_add(&rig.acceptor, 2);
    cr_expect_eq(turn(&rig), 1 + 4, "and an adopted one");
    acceptor_add(&rig.acceptor, 2);
    acceptor_remove(&rig.acceptor, 2);
    call(&rig, 2, 5);
    call(&rig, 0, 1);
    cr_expect_eq(turn(&rig), 1 + 4 + 1, "which is given back");
    acceptor_remove(&rig.acceptor, 1);
    cr_expect_eq(turn(&rig), 6, "what it never had");
    close_rig(&rig);
}

/* Between the wake-up and the look. */
static void snatch(void *context)
{
    const struct rig *rig = context;
    int fd = accept(rig->doors.own[0][0], NULL, NULL);
    cr_assert_geq(fd, 0);
    close(fd);
}

Test(acceptor, tells_of_a_door_where_nobody_was_any_more)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 1);
    cr_expect_eq(turn(&rig), 1);
    cr_expect_eq(rig.acceptor.in_vain, 0);
    call(&rig, 0, 1);
    cr_expect_eq(loop_turn(rig.loop, 0, snatch, &rig), 1);
    cr_expect_eq(rig.acceptor.in_vain, 1);
    cr_expect_eq(rig.taken, 1);
    close_rig(&rig);
}

Test(acceptor, shared_doors)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, -1, 2);
    cr_expect_eq(turn(&rig), 0, "not before it is armed");
    for (int i = 1; i <= 3; i++) {
        acceptor_rearm(&rig.acceptor);
        cr_expect_eq(turn(&rig), 2 * i);
        call(&rig, -1, 2);
    }
    cr_expect_eq(turn(&rig), 8);
    close_rig(&rig);
}

Test(acceptor, not_too_many_from_one_door_at_once)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_add(&rig.acceptor, 1);
    call(&rig, 0, 3 * ACCEPT_TURN_MAX);
    call(&rig, 1, 3);
    loop_turn(rig.loop, 0, NULL, NULL);
    cr_expect_eq(rig.taken, ACCEPT_TURN_MAX + 3);
    cr_expect_eq(turn(&rig), 3 * ACCEPT_TURN_MAX + 3);
    close_rig(&rig);
}

/* ------------------------------------------------------------------------------- the pauses */

Test(acceptor, a_full_one_lets_clients_wait)
{
    struct rig rig;
    open_rig(&rig, 3);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    call(&rig, 0, 5);
    cr_expect_eq(turn(&rig), 3);
    cr_expect_eq(rig.acceptor.room, 0);
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER, "time does not help");
    acceptor_tick(&rig.acceptor, 1000000);
    cr_expect_eq(turn(&rig), 3);
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 1000001);
    cr_expect_eq(turn(&rig), 4, "one has left");
    call(&rig, -1, 1);
    call(&rig, 1, 1);
    acceptor_add(&rig.acceptor, 1); /* an order that comes meanwhile */
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(turn(&rig), 4);
    rig.acceptor.room = 10;
    acceptor_tick(&rig.acceptor, 1000002);
    cr_expect_eq(turn(&rig), 7, "all of them, and all doors are watched again");
    close_rig(&rig);
}

Test(acceptor, out_of_descriptors_it_waits_and_tries_again)
{
    struct rig rig;
    struct rlimit before, limit;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 2);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)next_fd();
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(turn(&rig), 0);
    cr_expect_eq(acceptor_next(&rig.acceptor), 1000 + ACCEPT_PAUSE_MS);
    acceptor_tick(&rig.acceptor, 1000 + ACCEPT_PAUSE_MS - 1);
    cr_expect_eq(loop_turn(rig.loop, 0, NULL, NULL), 0, "too early");
    acceptor_tick(&rig.acceptor, 1000 + ACCEPT_PAUSE_MS);
    cr_expect_eq(turn(&rig), 0, "in vain");
    cr_expect_eq(acceptor_next(&rig.acceptor), 1000 + 2 * ACCEPT_PAUSE_MS);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    acceptor_tick(&rig.acceptor, 1000 + 2 * ACCEPT_PAUSE_MS);
    cr_expect_eq(turn(&rig), 2);
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    close_rig(&rig);
}

/* ---------------------------------------------------------------------- lack of descriptors */

/* From here on this process can open `count` more descriptors. */
static struct rlimit lack_after(int count)
{
    struct rlimit before, limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)(next_fd() + count);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* Lets the acceptor try as often as it wants, up to this time. */
static void pass(struct rig *rig, int64_t from, int64_t to)
{
    for (int64_t now = from; now < to; now = acceptor_next(&rig->acceptor)) {
        acceptor_tick(&rig->acceptor, now);
        turn(rig);
        if (acceptor_next(&rig->acceptor) == CLOCK_NEVER)
            return;
    }
}

/* "no" and the end, without a reset, although the client has sent more than was taken at once. */
static void expect_no(int client, int number)
{
    char text[8];
    cr_expect_eq(recv(client, text, sizeof text, MSG_DONTWAIT), 2, "client %d: %m", number);
    cr_expect_arr_eq(text, "no", 2);
    cr_expect_eq(recv(client, text, sizeof text, MSG_DONTWAIT), 0, "client %d: %m", number);
}

Test(acceptor, a_lack_that_lasts_turns_clients_away)
{
    struct rig rig;
    static const char request[20000];
    open_rig(&rig, CLIENTS);
    rig.acceptor.on_shed = on_shed;
    acceptor_add(&rig.acceptor, 0);
    acceptor_add(&rig.acceptor, 1);
    call(&rig, 0, SHED_TURN_MAX + 3);
    call(&rig, 1, 2);
    call(&rig, 2, 1);
    for (int i = 0; i < rig.called; i++)
        cr_assert_gt(send(rig.clients[i], request, sizeof request, 0), 0);
    struct rlimit before = lack_after(0);
    pass(&rig, 1000, 1000 + SHED_AFTER_MS);
    cr_expect_eq(rig.shed, 0, "not at once");
    pass(&rig, 1000 + SHED_AFTER_MS, 1001 + SHED_AFTER_MS);
    cr_expect_eq(rig.shed, SHED_TURN_MAX + 2, "%d: some of each door", rig.shed);
    pass(&rig, acceptor_next(&rig.acceptor), acceptor_next(&rig.acceptor) + 1);
    cr_expect_eq(rig.shed, SHED_TURN_MAX + 3 + 2, "%d: and the others", rig.shed);
    for (int i = 0; i < rig.called - 1; i++)
        expect_no(rig.clients[i], i);
    cr_expect_eq(rig.taken, 0);
    cr_expect_eq(rig.acceptor.room, CLIENTS, "room is for those who came in");
    cr_expect_geq(rig.acceptor.spare, 0, "the spare one is back");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    call(&rig, 0, 2);
    pass(&rig, 10000, 20000);
    cr_expect_eq(rig.taken, 2, "as if nothing had been");
    close_rig(&rig);
}

Test(acceptor, a_lack_that_ends_in_time_turns_nobody_away)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.on_shed = on_shed;
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 3);
    struct rlimit before = lack_after(1);
    pass(&rig, 1000, 1000 + SHED_AFTER_MS - 1);
    cr_expect_eq(rig.taken, 1);
    close(rig.fds[--rig.taken]);
    pass(&rig, 1000 + SHED_AFTER_MS - 1, 1000 + 2 * SHED_AFTER_MS - 2);
    cr_expect_eq(rig.taken, 1, "the next has its place");
    cr_expect_eq(rig.shed, 0, "and with it the time begins anew");
    pass(&rig, acceptor_next(&rig.acceptor), 1000 + 3 * SHED_AFTER_MS);
    cr_expect_eq(rig.shed, 1, "%d", rig.shed);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    close_rig(&rig);
}

/* Another may have had it in the meantime. */
Test(acceptor, a_spare_descriptor_that_was_lost_comes_back)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 2);
    close(rig.acceptor.spare);
    rig.acceptor.spare = -1;
    struct rlimit before = lack_after(0);
    pass(&rig, 1000, 1001 + SHED_AFTER_MS);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    pass(&rig, 1001 + SHED_AFTER_MS, 10000);
    cr_expect_eq(rig.taken, 2, "nobody could be turned away");
    cr_expect_geq(rig.acceptor.spare, 0);
    close_rig(&rig);
}

/* What was so when the last client came is not known to be so now. */
Test(acceptor, a_lack_long_ago_says_nothing_of_one_now)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.on_shed = on_shed;
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 2);
    struct rlimit before = lack_after(0);
    pass(&rig, 1000, 1001 + SHED_AFTER_MS);
    cr_expect_eq(rig.shed, 2);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    call(&rig, 0, 1);
    lack_after(0);
    pass(&rig, 1000000, 1000000 + SHED_AFTER_MS);
    cr_expect_eq(rig.shed, 2, "it has its second");
    pass(&rig, 1000000 + SHED_AFTER_MS, 1000001 + SHED_AFTER_MS);
    cr_expect_eq(rig.shed, 3);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    close_rig(&rig);
}

Test(acceptor, without_a_word_it_closes)
{
    struct rig rig;
    char byte;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 1);
    struct rlimit before = lack_after(0);
    pass(&rig, 1000, 1001 + SHED_AFTER_MS);
    cr_expect_eq(recv(rig.clients[0], &byte, 1, MSG_DONTWAIT), 0, "%m");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    close_rig(&rig);
}

/* ------------------------------------------------------------------------------- the ending */

Test(acceptor, who_leaves_takes_none_and_lets_them_wait_for_others)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect(rig.acceptor.is_open);
    acceptor_leave(&rig.acceptor);
    cr_expect_not(rig.acceptor.is_open);
    cr_expect_eq(call(&rig, 0, 2) + call(&rig, -1, 2), 4, "the doors stay open");
    acceptor_add(&rig.acceptor, 1);
    acceptor_rearm(&rig.acceptor);
    acceptor_tick(&rig.acceptor, 1000000);
    cr_expect_eq(call(&rig, 1, 1), 1);
    cr_expect_eq(turn(&rig), 0, "orders that come late change nothing");
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    struct pollfd p = {.fd = rig.doors.own[0][0], .events = POLLIN};
    cr_expect_eq(poll(&p, 1, 0), 1, "another finds them");
    close_rig(&rig);
}

Test(acceptor, a_stop_serves_the_queues_and_shuts_the_doors)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_add(&rig.acceptor, 1);
    acceptor_rearm(&rig.acceptor);
    call(&rig, 0, 2 * ACCEPT_TURN_MAX);
    call(&rig, 1, 3);
    call(&rig, -1, 2);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 0, false);
    cr_expect_eq(rig.taken, 2 * ACCEPT_TURN_MAX + 3 + 2, "%d", rig.taken);
    cr_expect_not(rig.acceptor.is_open, "that is done");
    cr_expect_eq(call(&rig, 0, 1) + call(&rig, 1, 1) + call(&rig, -1, 1), 0, "refused");
    cr_expect_eq(call(&rig, 2, 1), 1, "a slot that it does not serve is another's");
    cr_expect_eq(loop_turn(rig.loop, 0, NULL, NULL), 0, "it does not spin");
    close_rig(&rig);
}

/* Others listen there before and after: who comes now waits for them. */
Test(acceptor, what_is_kept_is_served_and_not_shut)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_add(&rig.acceptor, 1);
    acceptor_rearm(&rig.acceptor);
    call(&rig, 0, 2 * ACCEPT_TURN_MAX);
    call(&rig, 1, 3);
    call(&rig, -1, 2);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 1u << 0, false);
    cr_expect_eq(rig.taken, 2 * ACCEPT_TURN_MAX + 3 + 2, "%d", rig.taken);
    cr_expect_not(rig.acceptor.is_open, "that is done");
    cr_expect_eq(call(&rig, -1, 1), 0, "refused");
    cr_expect_eq(call(&rig, 0, 1) + call(&rig, 1, 1), 2, "they are let in");
    cr_expect_eq(loop_turn(rig.loop, 0, NULL, NULL), 0, "and not watched");
    struct pollfd p = {.fd = rig.doors.own[1][0], .events = POLLIN};
    cr_expect_eq(poll(&p, 1, 0), 1, "they wait");
    close_rig(&rig);
}

Test(acceptor, what_all_share_is_kept_or_shut_by_itself)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 1u << 1, false);
    cr_expect_eq(call(&rig, 0, 1), 0, "refused");
    cr_expect_eq(call(&rig, -1, 1), 1);
    close_rig(&rig);
}

/* A full one serves the queue of what is kept, too, as room comes. */
Test(acceptor, what_is_kept_of_a_full_one)
{
    struct rig rig;
    open_rig(&rig, 2);
    acceptor_add(&rig.acceptor, 0);
    call(&rig, 0, 3);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, EVERY_ADDRESS, false);
    cr_expect_eq(rig.taken, 2);
    cr_expect(rig.acceptor.is_open);
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 2000);
    cr_expect_eq(rig.taken, 3);
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 2001);
    cr_expect_not(rig.acceptor.is_open);
    cr_expect_eq(call(&rig, 0, 1), 1, "and is not shut then, either");
    close_rig(&rig);
}

/* TCP: what is in the queue of a socket that is shut is reset. */
static void open_tcp_door(struct rig *rig, int slot, int queued)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(listen(door, 100), 0, "%m"); /* at a port of the kernel's choice */
    cr_assert_eq(getsockname(door, (struct sockaddr *)&name, &length), 0);
    close(rig->doors.own[slot][0]);
    rig->doors.own[slot][0] = door;
    for (int i = 0; i < queued; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        cr_assert_eq(connect(fd, (struct sockaddr *)&name, length), 0, "%m");
        rig->clients[rig->called++] = fd;
    }
}

/* What waits in a queue when a stop begins is served, as room comes. */
Test(acceptor, a_stop_of_a_full_one_serves_the_queues_as_others_leave)
{
    struct rig rig;
    open_rig(&rig, 2);
    open_tcp_door(&rig, 0, 3);
    open_tcp_door(&rig, 1, 2);
    acceptor_add(&rig.acceptor, 0);
    acceptor_add(&rig.acceptor, 1);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 0, false);
    cr_expect_eq(rig.taken, 2);
    for (int i = 1; i <= 3; i++) {
        cr_expect(rig.acceptor.is_open, "%d of 5", rig.taken);
        cr_expect_eq(loop_turn(rig.loop, 0, NULL, NULL), 0, "it does not spin");
        rig.acceptor.room++;
        acceptor_tick(&rig.acceptor, 1000 + i);
        cr_expect_eq(rig.taken, 2 + i);
    }
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 2000);
    cr_expect_not(rig.acceptor.is_open, "all are served");
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    close_rig(&rig);
}

/* An address that a reload has removed; others go on at the rest. */
Test(acceptor, one_address_is_shut_and_the_others_are_left)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    call(&rig, 0, 3);
    call(&rig, -1, 2);
    acceptor_shut(&rig.acceptor, 1u << 1, 0, false);
    cr_expect_eq(rig.taken, 2, "%d", rig.taken);
    cr_expect_not(rig.acceptor.is_open);
    cr_expect_eq(call(&rig, -1, 1), 0, "refused");
    cr_expect_eq(call(&rig, 0, 1), 1, "the doors stay open");
    cr_expect_eq(turn(&rig), 2, "and are not watched");
    struct pollfd p = {.fd = rig.doors.own[0][0], .events = POLLIN};
    cr_expect_eq(poll(&p, 1, 0), 1, "another finds them");
    close_rig(&rig);
}

/* No new handshake begins, but some are under way, which show when they have ended. */
Test(acceptor, a_stop_waits_for_handshakes)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    call(&rig, 0, 3);
    acceptor_tick(&rig.acceptor, 2000);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 0, true);
    acceptor_tick(&rig.acceptor, 5000); /* the turn in which it was told to */
    cr_expect(rig.acceptor.is_open);
    cr_expect_eq(turn(&rig), 3);
    int64_t now = 5000 + SHUT_QUIET_MS - 1;
    acceptor_tick(&rig.acceptor, now);
    cr_expect(rig.acceptor.is_open);
    cr_expect_eq(acceptor_next(&rig.acceptor), now + SHUT_QUIET_MS);
    cr_expect_eq(call(&rig, -1, 1), 1);
    cr_expect_eq(turn(&rig), 4);
    acceptor_tick(&rig.acceptor, now + 5);
    acceptor_tick(&rig.acceptor, now + 5 + SHUT_QUIET_MS - 1);
    cr_expect(rig.acceptor.is_open);
    call(&rig, 0, 1); /* at the last moment */
    acceptor_tick(&rig.acceptor, now + 5 + SHUT_QUIET_MS);
    cr_expect_not(rig.acceptor.is_open);
    cr_expect_eq(rig.taken, 5);
    cr_expect_eq(call(&rig, 0, 1) + call(&rig, -1, 1), 0, "refused");
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    close_rig(&rig);
}

Test(acceptor, a_stop_does_not_wait_for_handshakes_without_end)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 0, true);
    int64_t now = 5000;
    for (acceptor_tick(&rig.acceptor, now); rig.acceptor.is_open; now += SHUT_QUIET_MS / 2) {
        cr_assert_leq(now, 5000 + SHUT_QUIET_MAX_MS);
        cr_assert_leq(acceptor_next(&rig.acceptor), 5000 + SHUT_QUIET_MAX_MS);
        call(&rig, 0, 1);
        turn(&rig);
        acceptor_tick(&rig.acceptor, now);
    }
    cr_expect_gt(now, 5000 + SHUT_QUIET_MAX_MS, "nor ends before its time");
    close_rig(&rig);
}

Test(acceptor, the_deadline_ends_a_stop_that_waits)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_shut(&rig.acceptor, EVERY_ADDRESS, 0, true);
    acceptor_tick(&rig.acceptor, 2000);
    acceptor_leave(&rig.acceptor);
    cr_expect_not(rig.acceptor.is_open);
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    close_rig(&rig);
}

static int pauses, resumes;

static void on_pause(void *context, bool is_paused)
{
    (void)context;
    pauses += is_paused;
    resumes += !is_paused;
}

/* What other workers hand over takes room, too. */
Test(acceptor, one_is_full_of_what_came_in_by_no_door)
{
    struct rig rig;
    open_rig(&rig, 2);
    rig.acceptor.on_pause = on_pause;
    acceptor_add(&rig.acceptor, 0);
    acceptor_charge(&rig.acceptor);
    cr_expect_eq(pauses, 0);
    acceptor_charge(&rig.acceptor);
    cr_expect_eq(pauses, 1);
    acceptor_charge(&rig.acceptor);
    cr_expect_eq(pauses, 1);
    cr_expect_eq(rig.acceptor.room, -1);
    call(&rig, 0, 1);
    cr_expect_eq(turn(&rig), 0);
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 2000);
    cr_expect_eq(resumes, 0);
    rig.acceptor.room++;
    acceptor_tick(&rig.acceptor, 2001);
    cr_expect_eq(resumes, 1);
    cr_expect_eq(turn(&rig), 1);
    close_rig(&rig);
}

/* In another worker: this one hears of it from the socket, and must not spin until its own order
 * comes. accept(2) says EINVAL of a TCP socket that was shut, but EAGAIN of a unix one. */
Test(acceptor, a_tcp_door_that_another_has_shut)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    open_tcp_door(&rig, 0, 0);
    acceptor_add(&rig.acceptor, 0);
    shutdown(rig.doors.own[0][0], SHUT_RDWR);
    cr_expect_eq(turn(&rig), 0);
    close_rig(&rig);
}

Test(acceptor, a_shared_door_that_another_has_shut)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_rearm(&rig.acceptor);
    shutdown(rig.doors.shared[1], SHUT_RDWR);
    cr_expect_eq(turn(&rig), 0);
    close_rig(&rig);
}

static void note_strand(void *context)
{
    struct rig *rig = context;
    rig->strands++;
}

Test(acceptor, a_full_one_leaves_a_shared_door_to_the_others)
{
    struct rig rig;
    open_rig(&rig, 2);
    rig.acceptor.on_strand = note_strand;
    acceptor_rearm(&rig.acceptor);
    call(&rig, -1, 2);
    cr_expect_eq(turn(&rig), 2);
    cr_expect_eq(rig.strands, 0, "nobody waits");
    cr_expect(rig.acceptor.is_paused);
    rig.acceptor.room = 1;
    acceptor_tick(&rig.acceptor, 2000);
    call(&rig, -1, 2);
    cr_expect_eq(turn(&rig), 3);
    cr_expect_eq(rig.strands, 1, "one waits, and only this acceptor was woken");
    close_rig(&rig);
}

/* ------------------------------------------------------------- told so while clients come */

static void take_and_leave(void *context, int fd, int door)
{
    struct rig *rig = context;
    take(context, fd, door);
    if (rig->taken == 1)
        acceptor_leave(&rig->acceptor);
}

static void expect_queue(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_expect_eq(poll(&p, 1, 0), 1, "another finds them");
}

Test(acceptor, who_leaves_at_a_client_leaves_the_rest_of_its_queue_to_others)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.take = take_and_leave;
    rig.acceptor.on_strand = note_strand;
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, 0, 4), 4);
    cr_expect_eq(turn(&rig), 1);
    cr_expect_eq(rig.acceptor.in_vain, 0, "somebody was there");
    cr_expect_eq(rig.strands, 0);
    expect_queue(rig.doors.own[0][0]);
    close_rig(&rig);
}

/* A shared door's wake-up was its alone. */
Test(acceptor, who_leaves_at_a_client_of_a_shared_door_takes_those_that_wait_there)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.take = take_and_leave;
    rig.acceptor.on_strand = note_strand;
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, -1, 4), 4);
    cr_expect_eq(turn(&rig), 4);
    cr_expect_eq(call(&rig, -1, 1), 1);
    cr_expect_eq(turn(&rig), 4, "who comes later is another's");
    cr_expect_eq(rig.strands, 0);
    expect_queue(rig.doors.shared[1]);
    close_rig(&rig);
}

/* It was told to before it came to its events. */
Test(acceptor, who_leaves_takes_who_waits_at_a_shared_door_first)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.on_strand = note_strand;
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, -1, 2) + call(&rig, 0, 1), 3);
    acceptor_leave(&rig.acceptor);
    cr_expect_eq(rig.taken, 2);
    cr_expect_eq(rig.strands, 0);
    expect_queue(rig.doors.own[0][0]);
    acceptor_leave(&rig.acceptor);
    cr_expect_eq(rig.taken, 2, "once");
    close_rig(&rig);
}

Test(acceptor, who_leaves_and_has_no_room_tells_of_clients_at_a_shared_door_at_once)
{
    struct rig rig;
    open_rig(&rig, 1);
    rig.acceptor.on_strand = note_strand;
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, -1, 3), 3);
    acceptor_leave(&rig.acceptor);
    cr_expect_eq(rig.taken, 1);
    cr_expect_gt(rig.strands, 0);
    cr_expect_eq(acceptor_next(&rig.acceptor), CLOCK_NEVER);
    expect_queue(rig.doors.shared[1]);
    close_rig(&rig);
}

Test(acceptor, who_shuts_one_address_takes_who_waits_at_the_shared_door_of_another)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, -1, 1), 1);
    acceptor_shut(&rig.acceptor, 1U << 0, 0, false);
    cr_expect_eq(rig.taken, 1);
    cr_expect_eq(call(&rig, -1, 1), 1);
    cr_expect_eq(turn(&rig), 1, "who comes later is another's");
    expect_queue(rig.doors.shared[1]);
    close_rig(&rig);
}

static void take_and_shut(void *context, int fd, int door)
{
    struct rig *rig = context;
    take(context, fd, door);
    if (rig->taken == 1)
        acceptor_shut(&rig->acceptor, 1U << 0, 0, true);
}

Test(acceptor, who_gives_up_a_shared_door_at_a_client_does_not_watch_it_again)
{
    struct rig rig;
    open_rig(&rig, CLIENTS);
    rig.acceptor.take = take_and_shut;
    acceptor_add(&rig.acceptor, 0);
    acceptor_rearm(&rig.acceptor);
    cr_expect_eq(call(&rig, -1, 1), 1);
    cr_expect_eq(turn(&rig), 1);
    cr_expect_eq(call(&rig, -1, 1), 1);
    cr_expect_eq(turn(&rig), 1, "it is another's");
    cr_expect_eq(call(&rig, 0, 1), 1);
    cr_expect_eq(turn(&rig), 2, "what is to be shut is served");
    close_rig(&rig);
}
