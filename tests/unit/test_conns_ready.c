#include "base/clock.h"
#include "rig.h"
#include "worker/conns.h"

/* Answers that stand ready leave together, at the end of a turn; what is not ready does not wait
 * for them, nor they for it. */

#define CLIENTS (UNSENT_MAX + 10)

static struct rig rig;
static struct loop *loop;
static struct conns conns;
static int clients[CLIENTS];
static struct drover_prepared *page;  /* of "/page" */
static struct drover_prepared *large; /* of "/large", which no socket takes at once */
static int handled;
static bool was_sent; /* the first client had its answer when the application was called */

static void on_end(void *context)
{
    (void)context;
}

static struct drover_prepared *ready(void *context, const struct drover_request *request,
                                     struct drover_worker *worker)
{
    const char *path = drover_request_path(request).p;
    (void)context;
    (void)worker;
    if (strcmp(path, "/page") == 0)
        return page;
    return strcmp(path, "/large") == 0 ? large : NULL;
}

static void look(void)
{
    char byte;
    handled++;
    was_sent = recv(clients[0], &byte, 1, MSG_PEEK) == 1;
}

static long pull(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    look();
    return DROVER_END;
}

static int receive(void *state, struct drover_response *response, const char *bytes, size_t length)
{
    (void)state;
    (void)response;
    (void)bytes;
    (void)length;
    look();
    return 0;
}

static void on_frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context;
    (void)stream;
    (void)bytes;
    (void)length;
    look();
}

static void handle_and_look(void *context, const struct drover_request *request,
                            struct drover_response *response)
{
    const char *path = drover_request_path(request).p;
    look();
    if (strcmp(path, "/pull") == 0)
        drover_response_pull(response, -1, pull, NULL);
    else if (strcmp(path, "/receive") == 0)
        drover_response_receive(response, receive, NULL);
    else
        handle(context, request, response);
}

static void setup(void)
{
    open_env(&rig);
    rig.app.ready = ready;
    rig.env.exchanges.asks_ready = true;
    rig.app.handle = handle_and_look;
    page = prepare(&rig, 100);
    large = prepare(&rig, 4 * 1024 * 1024);
    loop = loop_open();
    cr_assert_eq(conns_open(&conns, loop, &rig.env, 0, on_end, NULL), 0);
}

static void teardown(void)
{
    conns_end_all(&conns);
    conns_close(&conns);
    loop_close(loop);
    cr_expect_eq(page->holders, 1);
    cr_expect_eq(large->holders, 1);
    drover_prepared_free(page);
    drover_prepared_free(large);
    close_rig(&rig);
}

TestSuite(conns_ready, .init = setup, .fini = teardown);

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

/* What has come at once is dealt with, in the order in which it came. */
static void deal(void)
{
    cr_assert_gt(loop_turn(loop, 0, NULL, NULL), 0);
}

/* As the worker does it. */
static void turn(void)
{
    for (int i = 0; i < 100; i++) {
        int events = loop_turn(loop, 0, NULL, NULL);
        conns_flush(&conns);
        if (events == 0)
            return;
    }
    cr_assert_fail("it spins");
}

static size_t heard(int client)
{
    static char bytes[8 * 1024 * 1024];
    size_t all = 0;
    for (ssize_t n; (n = recv(clients[client], bytes, sizeof bytes, 0)) > 0;)
        all += (size_t)n;
    return all;
}

static size_t whole(struct drover_prepared *answer)
{
    return prepared_whole(answer, &rig.env.exchanges).n;
}

Test(conns_ready, they_leave_together)
{
    connect_all(CLIENTS);
    turn();
    for (int i = 0; i < CLIENTS; i++)
        ask(i, GET("/page"));
    deal();
    cr_expect_eq(heard(0), 0);
    conns_flush(&conns);
    cr_expect_eq(heard(0), whole(page));
    turn();
    for (int i = 1; i < CLIENTS; i++)
        cr_expect_eq(heard(i), whole(page), "%d", i);
    cr_expect_eq(handled, 0);
    cr_expect_eq(rig.row->requests, CLIENTS);
}

Test(conns_ready, one_after_the_other)
{
    connect_all(1);
    for (int i = 0; i < 5; i++) {
        ask(0, GET("/page"));
        turn();
        cr_expect_eq(heard(0), whole(page), "%d", i);
    }
}

/* Those in front and behind it are not held back: the order stays. */
Test(conns_ready, among_others_of_the_same_client)
{
    static char got[4096];
    connect_all(1);
    ask(0, GET("/page") GET("/x") GET("/page") GET("/page"));
    turn();
    ssize_t n = recv(clients[0], got, sizeof got, 0);
    struct span all = {.p = got, .n = n > 0 ? (size_t)n : 0};
    cr_expect_eq(take_answer(&all, false).body.n, 100);
    expect_answer(&all, 200, "GET/x");
    cr_expect_eq(take_answer(&all, false).body.n, 100);
    cr_expect_eq(take_answer(&all, false).body.n, 100);
    cr_expect_eq(all.n, 0);
}

Test(conns_ready, one_that_is_taken_in_part)
{
    size_t got = 0;
    connect_all(3);
    ask(0, GET("/page"));
    ask(1, GET("/large"));
    ask(2, GET("/page"));
    turn();
    cr_expect_eq(heard(0), whole(page));
    cr_expect_eq(heard(2), whole(page));
    ask(1, GET("/page"));
    for (int i = 0; i < 1000 && got < whole(large) + whole(page); i++) {
        got += heard(1);
        turn();
    }
    cr_expect_eq(got, whole(large) + whole(page));
    ask(1, GET("/page"));
    turn();
    cr_expect_eq(heard(1), whole(page), "and it listens");
}

Test(conns_ready, one_whose_client_is_gone)
{
    connect_all(2);
    turn();
    ask(0, GET("/page"));
    ask(1, GET("/page"));
    close(clients[0]);
    turn();
    cr_expect_eq(conns.count, 1);
    cr_expect_eq(heard(1), whole(page));
}

Test(conns_ready, one_whose_client_ends_its_half)
{
    connect_all(1);
    turn();
    ask(0, GET("/page"));
    shutdown(clients[0], SHUT_WR);
    turn();
    cr_expect_eq(heard(0), whole(page));
    cr_expect_eq(conns.count, 0);
}

/* Those that say something of their connection, or want another answer. */
Test(conns_ready, others_are_not)
{
    static const char *const requests[] = {
        "HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /page HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
        "GET /page HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0\r\n\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n\r\n",
        "GET /page HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"};
    connect_all(1);
    for (size_t i = 0; i < LENGTH(requests); i++) {
        ask(0, requests[i]);
        turn();
        cr_expect_eq(handled, (int)i + 1, "%s", requests[i]);
        cr_expect_gt(heard(0), 0);
    }
}

Test(conns_ready, the_last_of_a_connection_is_not)
{
    rig.env.served_max = 2;
    connect_all(1);
    ask(0, GET("/page"));
    turn();
    cr_expect_eq(handled, 0);
    ask(0, GET("/page"));
    turn();
    cr_expect_eq(handled, 1);
    cr_expect_eq(conns.count, 0);
}

/* ---------------------------------------------------- an application that may take its time */

static void expect_sent_before(int calls, const char *name)
{
    deal();
    cr_expect_eq(handled, calls, "%s: %d", name, handled);
    cr_expect(was_sent, "%s", name);
    conns_flush(&conns);
    cr_expect_eq(heard(0), whole(page), "%s: once", name);
}

Test(conns_ready, they_leave_before_a_handler_is_called)
{
    connect_all(2);
    turn();
    ask(0, GET("/page"));
    ask(1, GET("/x"));
    expect_sent_before(1, "a handler");
}

Test(conns_ready, they_leave_before_one_is_called_whose_body_has_come_late)
{
    rig.app.when = DROVER_WITH_BODY;
    connect_all(2);
    ask(1, POST_PART);
    turn();
    cr_expect_eq(handled, 0);
    ask(0, GET("/page"));
    ask(1, "cde");
    expect_sent_before(1, "a body");
}

Test(conns_ready, they_leave_before_a_body_is_given)
{
    connect_all(2);
    ask(1, "POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    turn();
    cr_expect_eq(handled, 1);
    ask(0, GET("/page"));
    ask(1, "ab");
    expect_sent_before(2, "a piece of a body");
}

static long pull_much(void *state, char *to, size_t room)
{
    (void)state;
    look();
    memset(to, 'x', room);
    return (long)room;
}

static void handle_much(void *context, const struct drover_request *request,
                        struct drover_response *response)
{
    (void)context;
    (void)request;
    drover_response_pull(response, -1, pull_much, NULL);
}

Test(conns_ready, they_leave_before_more_is_pulled)
{
    rig.app.handle = handle_much;
    connect_all(2);
    ask(1, GET("/x"));
    for (int i = 0; i < 50; i++) /* until its client has to be waited for */
        loop_turn(loop, 0, NULL, NULL);
    ask(0, GET("/page"));
    handled = 0;
    deal();
    conns_flush(&conns);
    cr_expect_eq(heard(0), whole(page));
    ask(0, GET("/page")); /* first */
    heard(1);
    handled = 0;
    deal();
    cr_expect_gt(handled, 0);
    cr_expect(was_sent);
    conns_flush(&conns);
}

Test(conns_ready, they_leave_before_a_stream_has_its_frame)
{
    static const struct drover_protocol protocol = {.framing = DROVER_RAW, .frame = on_frame};
    connect_all(1);
    rig.app.stream = &protocol;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    clients[1] = ends[1];
    conns_start(&conns, ends[0], false);
    rig.app.stream = NULL;
    turn();
    ask(0, GET("/page"));
    ask(1, "frame");
    expect_sent_before(1, "a frame");
}

/* Its time is up in the very turn in which its request came; nothing else tells the worker to send
 * the answer. */
Test(conns_ready, one_whose_idle_time_was_up)
{
    connect_all(1);
    ask(0, GET("/page"));
    turn();
    heard(0);
    ask(0, GET("/page"));
    rig.env.now += 2 * timeouts[DEADLINE_IDLE];
    conns_expire(&conns);
    cr_expect_eq(conns.count, 1);
    cr_expect_eq(heard(0), whole(page));
}
