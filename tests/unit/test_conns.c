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
    cr_assert_eq(conns_open(&conns, loop, &rig.env, 0, on_end, NULL), 0);
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

/* Waits for a request: the first one for the longest time, as the deadlines have it. */
static void rest(int client)
{
    rig.env.now++;
    ask(client, GET("/a"));
    turn();
    heard(client);
}

static bool is_closed(int client)
{
    char byte;
    return recv(clients[client], &byte, 1, 0) == 0;
}

/* One more, of which nothing is kept. */
static void come_in(void)
{
    int before[CLIENTS];
    memcpy(before, clients, sizeof before);
    connect_all(1);
    cr_expect_eq(close(clients[0]), 0);
    memcpy(clients, before, sizeof before);
}

Test(conns, the_longest_idle_one_makes_room)
{
    connect_all(4);
    rest(2);
    rest(1);
    conns.yield_from = 4;
    come_in();
    cr_expect_eq(conns.count, 4);
    cr_expect(is_closed(2));
    ask(1, GET("/b")); /* and it was not seen */
    come_in();
    cr_expect_eq(conns.count, 4);
    cr_expect(strstr(heard(1), "GET/b"), "it is answered");
    come_in();
    cr_expect_not(is_closed(3));
    cr_expect(is_closed(0), "none is idle: the first that came");
    cr_expect_eq(ended, 3);
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

/* ------------------------------------------------------- what comes while the worker is to leave
 */

Test(conns, a_new_client_is_the_heirs_at_once)
{
    give();
    connect_all(1);
    cr_expect_eq(handed(), 1);
    cr_expect_eq(conns.count, 0);
    cr_expect_eq(ended, 1);
    cr_expect_eq(rig.row->accepted, 1);
    cr_expect_eq(rig.row->connections, 0);
}

Test(conns, a_request_that_comes_before_all_were_given_is_the_heirs)
{
    connect_all(2);
    ask(0, GET("/a"));
    turn();
    heard(0);
    give();
    ask(0, GET("/b"));
    ask(1, "GET /c");
    turn();
    cr_expect_eq(handed(), 2, "unread");
    cr_expect_eq(rig.row->requests, 1);
}

Test(conns, a_request_that_its_time_has_overtaken_is_the_heirs)
{
    connect_all(1);
    ask(0, GET("/a"));
    turn();
    heard(0);
    ask(0, GET("/b"));
    give();
    rig.env.now += 2 * timeouts[DEADLINE_IDLE];
    conns_expire(&conns);
    cr_expect_eq(handed(), 1);
    cr_expect_eq(rig.row->requests, 1);
}

Test(conns, no_other_makes_room_for_one_that_is_given)
{
    connect_all(2);
    rest(0);
    conns.yield_from = 2;
    give();
    come_in();
    cr_expect_not(is_closed(0));
    cr_expect_eq(conns.count, 2);
}

static int greet(void *context, struct drover_stream *stream)
{
    (void)context;
    return drover_stream_send(stream, "220 hello", 9);
}

static void pass_over(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context, (void)stream, (void)bytes, (void)length;
}

Test(conns, a_stream_that_was_handed_over_speaks_first)
{
    static const struct drover_protocol protocol = {
        .framing = DROVER_LINES, .open = greet, .frame = pass_over};
    struct handover what;
    rig.app.stream = &protocol;
    give();
    connect_all(1);
    cr_expect_str_eq(heard(0), "");
    int fd = handover_receive(doors.inbox[0][INBOX_OUT], &what);
    cr_assert_geq(fd, 0);
    rig.env.leaving = rig.env.has_heirs = false;
    conns_take(&conns, fd, &what);
    cr_expect(strstr(heard(0), "220 hello"));
    cr_expect_eq(conns.count, 1);
}

/* -------------------------------------------------------- what comes together, or in between */

/* How often the text has come to the client; `size` bytes of answers in all, unless NULL. */
static size_t hear_times(int client, const char *text, size_t *size)
{
    struct buf got = {0};
    size_t times = 0;
    for (ssize_t n = 1; n > 0;) {
        char *to = buf_room(&got, 65536);
        n = recv(clients[client], to, 65536, 0);
        buf_grow(&got, n > 0 ? (size_t)n : 0);
    }
    for (const char *p = got.p; p; p++) {
        p = memmem(p, got.len - (size_t)(p - got.p), text, strlen(text));
        if (!p)
            break;
        times++;
    }
    if (size)
        *size = got.len;
    buf_free(&got);
    return times;
}

static void expect_closed(int client)
{
    char byte;
    cr_expect_eq(recv(clients[client], &byte, 1, 0), 0, "%m");
    cr_expect_eq(conns.count, 0);
}

Test(conns, one_request_after_the_other)
{
    connect_all(1);
    for (int i = 0; i < 10; i++) {
        ask(0, GET("/a"));
        turn();
        cr_expect_eq(hear_times(0, "GET/a", NULL), 1, "%d", i);
    }
}

Test(conns, two_requests_in_one_packet)
{
    connect_all(1);
    for (int i = 0; i < 3; i++) {
        ask(0, GET("/a") GET("/b"));
        turn();
        cr_expect(strstr(heard(0), "GET/b"), "%d", i);
    }
}

Test(conns, a_request_in_pieces)
{
    static const char request[] = GET("/pieces");
    connect_all(1);
    for (int i = 0; i < 3; i++) {
        for (const char *p = request; *p; p++) {
            cr_assert_eq(send(clients[0], p, 1, MSG_NOSIGNAL), 1);
            turn();
        }
        cr_expect_eq(hear_times(0, "GET/pieces", NULL), 1, "%d", i);
    }
}

/* It has come, and been told, while the socket was full. */
Test(conns, a_request_that_comes_while_another_is_answered)
{
    size_t size, all = 0, times = 0;
    connect_all(1);
    ask(0, GET("/bytes/3000000"));
    turn();
    ask(0, GET("/b"));
    turn();
    for (int i = 0; i < 1000 && times == 0; i++) {
        times = hear_times(0, "GET/b", &size);
        all += size;
        turn();
    }
    cr_expect_eq(times, 1);
    cr_expect_gt(all, 3000000);
    ask(0, GET("/c"));
    turn();
    cr_expect_eq(hear_times(0, "GET/c", NULL), 1, "and it listens");
}

Test(conns, a_client_that_ends_its_half_behind_its_request)
{
    connect_all(1);
    ask(0, GET("/a"));
    shutdown(clients[0], SHUT_WR);
    turn();
    cr_expect(strstr(heard(0), "GET/a"));
    expect_closed(0);
}

/* As before, when the connection was there already. */
Test(conns, an_end_together_with_a_request)
{
    connect_all(1);
    ask(0, GET("/a"));
    turn();
    heard(0);
    ask(0, GET("/b") GET("/c"));
    shutdown(clients[0], SHUT_WR);
    turn();
    cr_expect(strstr(heard(0), "GET/c"));
    expect_closed(0);
}

Test(conns, an_end_while_an_answer_is_sent)
{
    size_t size, all = 0;
    connect_all(1);
    ask(0, GET("/bytes/3000000"));
    turn();
    shutdown(clients[0], SHUT_WR);
    for (int i = 0; i < 1000 && conns.count > 0; i++) {
        turn();
        hear_times(0, "G", &size);
        all += size;
    }
    hear_times(0, "G", &size);
    cr_expect_gt(all + size, 3000000, "%zu", all + size);
    expect_closed(0);
}

Test(conns, an_end_in_the_midst_of_a_request)
{
    connect_all(1);
    ask(0, "GET /a HT");
    turn();
    shutdown(clients[0], SHUT_WR);
    turn();
    expect_closed(0);
}

Test(conns, an_end_of_one_that_rests)
{
    connect_all(2);
    ask(0, GET("/a"));
    turn();
    close(clients[0]);
    close(clients[1]);
    turn();
    cr_expect_eq(conns.count, 0);
}

/* As many as a turn answers, one more, and many times that. */
Test(conns, pipelined)
{
    static const int counts[] = {PIPELINE_TURN_MAX, PIPELINE_TURN_MAX + 1,
                                 5 * PIPELINE_TURN_MAX + 1};
    connect_all(1);
    for (size_t i = 0; i < LENGTH(counts); i++) {
        struct buf all = {0};
        for (int k = 0; k < counts[i]; k++)
            buf_lit(&all, GET("/p"));
        buf_add(&all, "", 1);
        ask(0, all.p);
        turn();
        cr_expect_eq(hear_times(0, "GET/p", NULL), (size_t)counts[i]);
        ask(0, GET("/q"));
        turn();
        cr_expect_eq(hear_times(0, "GET/q", NULL), 1);
        buf_free(&all);
    }
}

/* As many bytes as are read at once, and around that. */
Test(conns, a_body_longer_than_the_read_buffer)
{
    static const size_t sizes[] = {READ_BUFFER_SIZE - 1, READ_BUFFER_SIZE, READ_BUFFER_SIZE + 1,
                                   2 * READ_BUFFER_SIZE, 5 * READ_BUFFER_SIZE + 17};
    rig.app.when = DROVER_WITH_BODY;
    connect_all(1);
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        char head[128];
        struct buf all = {0};
        snprintf(head, sizeof head, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
                 sizes[i]);
        buf_str(&all, head);
        memset(buf_room(&all, sizes[i]), 'G', sizes[i]);
        buf_grow(&all, sizes[i]);
        for (size_t at = 0; at < all.len;) {
            ssize_t n = send(clients[0], all.p + at, all.len - at, MSG_NOSIGNAL);
            at += n > 0 ? (size_t)n : 0;
            turn();
        }
        cr_expect_eq(hear_times(0, "POST/p", NULL), 1, "%zu", sizes[i]);
        buf_free(&all);
    }
}

/* What is read at once ends with a request, to the byte. */
Test(conns, as_much_as_is_read_at_once)
{
    static const char start[] = "GET /a HTTP/1.1\r\nHost: x\r\nX: ";
    const size_t count = 16, size = READ_BUFFER_SIZE / count;
    static char all[READ_BUFFER_SIZE + 1];
    connect_all(1);
    memset(all, 'x', READ_BUFFER_SIZE);
    for (size_t i = 0; i < count; i++) {
        memcpy(all + i * size, start, sizeof start - 1);
        memcpy(all + (i + 1) * size - 4, "\r\n\r\n", 4);
    }
    ask(0, all);
    turn();
    cr_expect_eq(hear_times(0, "GET/a", NULL), count);
    ask(0, GET("/b"));
    turn();
    cr_expect_eq(hear_times(0, "GET/b", NULL), 1);
}
