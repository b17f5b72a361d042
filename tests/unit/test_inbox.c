#include "worker/inbox.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "os/pass.h"
#include "rig.h"

#define SLOTS 3

struct reader {
    struct loop *loop;
    struct inbox inbox;
    int room;
    int taken;
};

static struct doors doors;
static struct rig rig; /* the connection that is handed over */
static struct reader reader;

static bool has_room(void *context)
{
    const struct reader *r = context;
    return r->room > 0;
}

static void take(void *context, int fd, const struct handover *what)
{
    struct reader *r = context;
    cr_expect_eq(what->served, 1);
    close(fd);
    r->room--;
    r->taken++;
}

static void open_reader(struct reader *r, int room)
{
    *r = (struct reader){.loop = loop_open(), .room = room};
    cr_assert_not_null(r->loop);
    inbox_init(&r->inbox, r->loop, &doors, has_room, take, r);
    inbox_tick(&r->inbox, 1000);
}

static void setup(void)
{
    doors_init(&doors);
    doors.slot_count = SLOTS + 1; /* the last has no inbox */
    for (int slot = 0; slot < SLOTS; slot++)
        cr_assert_eq(pass_pair(doors.inbox[slot]), 0);
    open_rig(&rig);
    say(&rig, GET("/a"));
    open_reader(&reader, 1000);
}

static void teardown(void)
{
    loop_close(reader.loop);
    doors_close(&doors);
    close_rig(&rig);
}

TestSuite(inbox, .init = setup, .fini = teardown);

static void put(int slot, int count)
{
    for (; count > 0; count--)
        cr_assert_eq(handover_send(doors.inbox[slot][INBOX_IN], &rig.conn), 0);
}

/* Until nothing is ready. Returns how many have been taken since the start. */
static int turn(struct reader *r)
{
    for (int i = 0; i < 100; i++)
        if (loop_turn(r->loop, 0, NULL, NULL) == 0)
            return r->taken;
    cr_assert_fail("it spins");
    return -1;
}

Test(inbox, of_the_slots_it_serves)
{
    put(0, 2);
    put(1, 3);
    put(2, 4);
    cr_expect_eq(turn(&reader), 0);
    inbox_add(&reader.inbox, 0);
    cr_expect_eq(turn(&reader), 2);
    inbox_add(&reader.inbox, 2);
    inbox_add(&reader.inbox, 2);
    inbox_add(&reader.inbox, SLOTS);
    cr_expect_eq(turn(&reader), 6);
    inbox_remove(&reader.inbox, 2);
    inbox_remove(&reader.inbox, SLOTS);
    put(0, 1);
    put(2, 1);
    cr_expect_eq(turn(&reader), 7);
    cr_expect_eq(inbox_next(&reader.inbox), CLOCK_NEVER);
}

Test(inbox, not_all_of_one_in_a_turn)
{
    put(0, HANDOVER_TURN_MAX + 1);
    put(1, 1);
    inbox_add(&reader.inbox, 0);
    inbox_add(&reader.inbox, 1);
    loop_turn(reader.loop, 0, NULL, NULL);
    cr_expect_eq(reader.taken, HANDOVER_TURN_MAX + 1);
    cr_expect_eq(turn(&reader), HANDOVER_TURN_MAX + 2);
}

Test(inbox, two_may_read_the_same)
{
    struct reader other;
    open_reader(&other, 1);
    put(0, 3);
    inbox_add(&reader.inbox, 0);
    inbox_add(&other.inbox, 0);
    cr_expect_eq(turn(&other), 1, "and has no room for more");
    cr_expect_eq(turn(&reader), 2);
    other.room = 1;
    inbox_tick(&other.inbox, 1001);
    cr_expect_eq(turn(&other), 1);
    loop_close(other.loop);
}

Test(inbox, without_room_they_wait)
{
    reader.room = 2;
    put(0, 3);
    inbox_add(&reader.inbox, 0);
    cr_expect_eq(turn(&reader), 2);
    cr_expect_eq(inbox_next(&reader.inbox), CLOCK_NEVER, "until one ends");
    put(1, 1);
    inbox_add(&reader.inbox, 1);
    inbox_tick(&reader.inbox, 1000000);
    cr_expect_eq(turn(&reader), 2);
    reader.room = 5;
    inbox_tick(&reader.inbox, 1000001);
    cr_expect_eq(turn(&reader), 4);
}

Test(inbox, without_descriptors_they_wait_for_a_while)
{
    struct rlimit limit, none;
    put(0, 1);
    inbox_add(&reader.inbox, 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)next_fd(), .rlim_max = limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(turn(&reader), 0, "and it does not spin");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(inbox_next(&reader.inbox), 1000 + ACCEPT_PAUSE_MS);
    inbox_tick(&reader.inbox, 1000 + ACCEPT_PAUSE_MS - 1);
    cr_expect_eq(turn(&reader), 0);
    inbox_tick(&reader.inbox, 1000 + ACCEPT_PAUSE_MS);
    cr_expect_eq(turn(&reader), 1);
}

Test(inbox, one_of_another_version_is_passed_over)
{
    int fd = make_file(0);
    inbox_add(&reader.inbox, 0);
    cr_assert_eq(pass_send(doors.inbox[0][INBOX_IN], "from 2031", 9, &fd, 1), 0);
    put(0, 1);
    cr_expect_eq(turn(&reader), 1);
    close(fd);
}

Test(inbox, who_leaves_lets_them_wait_for_others)
{
    inbox_add(&reader.inbox, 0);
    inbox_leave(&reader.inbox);
    inbox_add(&reader.inbox, 1);
    put(0, 1);
    put(1, 1);
    cr_expect_eq(turn(&reader), 0);
    inbox_tick(&reader.inbox, 2000);
    cr_expect_eq(turn(&reader), 0);
}

Test(inbox, one_that_leaves_while_it_has_no_room)
{
    reader.room = 0;
    put(0, 1);
    inbox_add(&reader.inbox, 0);
    cr_expect_eq(turn(&reader), 0);
    inbox_leave(&reader.inbox);
    reader.room = 1;
    inbox_tick(&reader.inbox, 2000);
    cr_expect_eq(turn(&reader), 0);
    cr_expect_eq(inbox_next(&reader.inbox), CLOCK_NEVER);
}

/* A stop: there is no time to wait for the loop. */
Test(inbox, read_at_once)
{
    reader.room = 5;
    put(0, 2);
    put(1, 1);
    put(2, 4);
    inbox_add(&reader.inbox, 0);
    inbox_add(&reader.inbox, 2);
    inbox_add(&reader.inbox, SLOTS);
    inbox_read(&reader.inbox);
    cr_expect_eq(reader.taken, 5);
    reader.room = 1;
    inbox_tick(&reader.inbox, 1001);
    cr_expect_eq(turn(&reader), 6, "and the rest when there is room");
}

Test(inbox, nobody_can_hand_over_any_more)
{
    inbox_add(&reader.inbox, 0);
    close(doors.inbox[0][INBOX_IN]);
    doors.inbox[0][INBOX_IN] = -1;
    cr_expect_eq(turn(&reader), 0, "it does not spin");
}
