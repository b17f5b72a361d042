#include "worker/conns.h"

#include "base/clock.h"
#include "os/pass.h"
#include "rig.h"

#define CLIENTS 200

/* The rig's worker with many connections, and an heir's inbox. */
static struct rig rig;
static struct loop *loop;
static struct conns conns;
static struct doors doors;
static int clients[CLIENTS];
static int ended;

static void on_end(void *context)
{
    (void)context;
    ended++;
}

static void setup(void)
{
    open_env(&rig);
    loop = loop_open();
    cr_assert_eq(conns_open(&conns, loop, &rig.env, on_end, NULL), 0);
    doors_init(&doors);
    doors.slot_count = 1;
    cr_assert_eq(pass_pair(doors.inbox[0]), 0);
}

static void teardown(void)
{
    conns_end_all(&conns);
    cr_expect_eq(conns.count, 0);
    conns_close(&conns);
    doors_close(&doors);
    loop_close(loop);
    close_rig(&rig);
}

TestSuite(conns, .init = setup, .fini = teardown);

static void connect_all(int count)
{
    for (int i = 0; i < count; i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        clients[i] = ends[1];
        conns_start(&conns, ends[0], false);
    }
}

static void ask(int client, const char *bytes)
{
    cr_assert_eq(send(clients[client], bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

static void turn(void)
{
    for (int i = 0; i < 100; i++)
        if (loop_turn(loop, 0, NULL, NULL) == 0)
            return;
    cr_assert_fail("it spins");
}

/* What the client has got so far. */
static const char *heard(int client)
{
    static char text[4096];
    ssize_t n = recv(clients[client], text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void give(void)
{
    struct slot_set heirs = {0};
    slot_set_add(&heirs, 0);
    rig.env.leaving = true;
    conns_give(&conns, &doors, &heirs, 0);
}

static int handed(void)
{
    struct handover what;
    int count = 0, fd;
    while ((fd = handover_receive(doors.inbox[0][INBOX_OUT], &what)) >= 0) {
        close(fd);
        count++;
    }
    return count;
}

Test(conns, those_that_rest_are_handed_over)
{
    connect_all(3);
    ask(0, GET("/a"));
    ask(1, "GET /b");
    turn();
    give();
    cr_expect_eq(conns_next(&conns), rig.env.now, "at once");
    conns_tick(&conns);
    cr_expect_eq(handed(), 2);
    cr_expect_eq(conns.count, 1);
    cr_expect_eq(ended, 2, "there is room for others");
    cr_expect_eq(rig.row->connections, 1);
    cr_expect_eq(conns_next(&conns), CLOCK_NEVER);
    turn();
    cr_expect_eq(handed(), 0);
}

Test(conns, the_others_when_they_come_to_rest)
{
    connect_all(1);
    ask(0, "GET /b");
    turn();
    give();
    conns_tick(&conns);
    cr_expect_eq(conns.count, 1);
    ask(0, " HTTP/1.1\r\nHost: x\r\n\r\n");
    turn();
    const char *answer = heard(0);
    cr_expect(strstr(answer, "200 OK"), "%s", answer);
    cr_expect_null(strstr(answer, "Connection: close"), "%s", answer);
    cr_expect_eq(handed(), 1);
    cr_expect_eq(conns.count, 0);
}

/* It says that it wants no other request: there is nothing to hand over. */
Test(conns, none_whose_answer_was_the_last)
{
    connect_all(1);
    ask(0, "GET /b");
    turn();
    give();
    ask(0, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    turn();
    cr_expect_eq(handed(), 0);
    cr_expect_eq(conns.count, 0);
}

Test(conns, not_all_in_one_turn)
{
    connect_all(HANDOVER_TURN_MAX + 1);
    give();
    conns_tick(&conns);
    cr_expect_eq(conns.count, 1);
    cr_expect_eq(conns_next(&conns), rig.env.now, "the last goes in the next");
    conns_tick(&conns);
    cr_expect_eq(conns.count, 0);
    cr_expect_eq(conns_next(&conns), CLOCK_NEVER);
    cr_expect_eq(handed(), HANDOVER_TURN_MAX + 1);
}

static int fill(void)
{
    int count = 0;
    int fd = make_file(0);
    while (pass_send(doors.inbox[0][INBOX_IN], "x", 1, &fd, 1) == 0)
        count++;
    close(fd);
    return count;
}

static void empty(void)
{
    char byte;
    while (pass_receive(doors.inbox[0][INBOX_OUT], &byte, 1, NULL, NULL) > 0) {
    }
}

Test(conns, while_the_inbox_is_full_they_are_served)
{
    connect_all(2);
    fill();
    give();
    conns_tick(&conns);
    cr_expect_eq(conns.count, 2);
    int64_t again = rig.env.now + HANDOVER_AGAIN_MS;
    cr_expect_eq(conns_next(&conns), again, "it does not spin");
    empty();
    ask(1, GET("/a"));
    turn();
    const char *answer = heard(1);
    cr_expect(strstr(answer, "200 OK"), "%s", answer);
    cr_expect_null(strstr(answer, "Connection: close"), "%s", answer);
    conns_tick(&conns);
    cr_expect_eq(conns.count, 2, "nor tries before its time");
    cr_expect_eq(conns_next(&conns), again);
    rig.env.now = again;
    conns_tick(&conns);
    cr_expect_eq(conns.count, 0);
    cr_expect_eq(handed(), 2);
}

static void expect_the_last_answer(void)
{
    ask(0, GET("/a"));
    turn();
    const char *answer = heard(0);
    cr_expect(strstr(answer, "Connection: close"), "%s", answer);
    cr_expect_eq(conns.count, 0);
    cr_expect_eq(conns_next(&conns), CLOCK_NEVER);
}

Test(conns, without_heirs_each_is_told_to_close)
{
    struct slot_set nobody = {0};
    connect_all(1);
    rig.env.leaving = true;
    conns_give(&conns, &doors, &nobody, 0);
    conns_tick(&conns);
    cr_expect_eq(conns.count, 1);
    expect_the_last_answer();
}

Test(conns, where_the_heirs_are_gone_each_is_told_to_close)
{
    connect_all(1);
    close(doors.inbox[0][INBOX_OUT]);
    doors.inbox[0][INBOX_OUT] = -1;
    give();
    conns_tick(&conns);
    cr_expect_eq(conns.count, 1);
    expect_the_last_answer();
}

Test(conns, a_stop_in_the_midst)
{
    connect_all(1);
    give();
    conns_keep(&conns);
    conns_tick(&conns);
    cr_expect_eq(handed(), 0);
    expect_the_last_answer();
}

/* The worker was stopped, say, until the idle time was over. */
Test(conns, whose_time_is_up_while_their_request_waits_are_served)
{
    connect_all(2);
    ask(0, GET("/a"));
    ask(1, GET("/a"));
    turn();
    heard(0);
    heard(1);
    ask(0, GET("/b"));
    rig.env.now += 2 * timeouts[DEADLINE_IDLE];
    conns_expire(&conns);
    cr_expect_eq(conns.count, 1);
    cr_expect(strstr(heard(0), "GET/b"));
    cr_expect_eq(deadlines_next(&rig.env.deadlines), rig.env.now + timeouts[DEADLINE_IDLE]);
}

Test(conns, one_that_was_handed_over_is_served)
{
    connect_all(1);
    ask(0, GET("/a"));
    turn();
    heard(0);
    give();
    conns_tick(&conns);
    cr_assert_eq(conns.count, 0);
    rig.env.leaving = rig.env.has_heirs = false;
    struct handover what;
    int fd = handover_receive(doors.inbox[0][INBOX_OUT], &what);
    ask(0, GET("/b"));
    conns_take(&conns, fd, &what);
    cr_expect_eq(conns.count, 1);
    turn();
    cr_expect(strstr(heard(0), "GET/b"));
    cr_expect_eq(rig.row->accepted, 1);
}
