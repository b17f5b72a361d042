#include "base/clock.h"
#include "os/pass.h"
#include "rig.h"
#include "worker/client.h"
#include "worker/conns.h"
#include "worker/desk.h"
#include "worker/pristine.h"

/* What lies on a worker's desk, and how another one goes on with it. Both are in this process, with
 * one descriptor table between them, as a worker and its successor have it. */

#define CLIENTS (UNSENT_MAX + 10)

static struct worker_rig {
    struct rig rig;
    struct loop *loop;
    struct conns conns;
    struct desk *desk;
    int ended;
} one, other;

static struct desks desks;
static int clients[CLIENTS];
static int sockets[CLIENTS];         /* the server's ends of theirs */
static struct drover_prepared *page; /* of "/page" */
static char noted[512];              /* the request on the desk when the application was called */

static void on_end(void *context)
{
    struct worker_rig *w = context;
    w->ended++;
}

static void note(void)
{
    desk_request(one.desk, noted, sizeof noted);
}

static struct drover_prepared *ready(void *context, const struct drover_request *request,
                                     struct drover_worker *worker)
{
    (void)context;
    (void)worker;
    note();
    return strcmp(drover_request_path(request).p, "/page") == 0 ? page : NULL;
}

static int receive(void *state, struct drover_response *response, const char *bytes, size_t length)
{
    (void)state;
    (void)response;
    (void)bytes;
    (void)length;
    note();
    return 0;
}

static long pull(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    note();
    return DROVER_END;
}

static long pull_later(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    return DROVER_LATER;
}

static const struct drover_protocol protocol;
static struct drover_response *deferred;

static void handle_and_note(void *context, const struct drover_request *request,
                            struct drover_response *response)
{
    const char *path = drover_request_path(request).p;
    note();
    if (strcmp(path, "/receive") == 0)
        drover_response_receive(response, receive, NULL);
    else if (strcmp(path, "/pull") == 0)
        drover_response_pull(response, -1, pull, NULL);
    else if (strcmp(path, "/events") == 0)
        drover_response_pull(response, -1, pull_later, NULL);
    else if (strcmp(path, "/upgrade") == 0)
        drover_response_upgrade(response, "lines", &protocol, NULL);
    else if (strcmp(path, "/defer") == 0 && drover_response_defer(response) == 0)
        deferred = response;
    else
        handle(context, request, response);
}

static void open_worker(struct worker_rig *w, struct loop *loop, struct desk *desk,
                        struct http_address *named)
{
    memset(w, 0, sizeof *w);
    open_env(&w->rig);
    w->rig.app.ready = ready;
    w->rig.app.handle = handle_and_note;
    w->rig.env.exchanges.asks_ready = true;
    w->loop = loop;
    w->desk = desk;
    cr_assert_eq(conn_env_put_desk(&w->rig.env, desk, named), 0);
    cr_assert_eq(conns_open(&w->conns, loop, &w->rig.env, 0, on_end, w), 0);
}

static void setup(void)
{
    cr_assert_eq(desks_open(&desks, true), 0);
    open_worker(&one, loop_open(), &desks.of[0], desks.clients[0]);
    open_worker(&other, loop_open(), &desks.of[1], desks.clients[1]);
    page = prepare(&one.rig, 100);
}

static void close_worker(struct worker_rig *w)
{
    conns_end_all(&w->conns);
    cr_expect_eq(w->conns.count, 0);
    conns_close(&w->conns);
    loop_close(w->loop);
    close_rig(&w->rig);
}

static void teardown(void)
{
    close_worker(&one);
    close_worker(&other);
    desks_close(&desks);
    cr_expect_eq(page->holders, 1);
    drover_prepared_free(page);
}

TestSuite(conns_desk, .init = setup, .fini = teardown);

static void connect_as(int count, bool is_proxied)
{
    for (int i = 0; i < count; i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        sockets[i] = ends[0];
        clients[i] = ends[1];
        conns_start(&one.conns, ends[0], is_proxied);
    }
}

static void connect_all(int count)
{
    connect_as(count, false);
}

static void ask(int client, const char *bytes)
{
    cr_assert_eq(send(clients[client], bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
}

/* Its events, and what stands ready stays. */
static void deal(struct worker_rig *w)
{
    cr_assert_geq(loop_turn(w->loop, 0, NULL, NULL), 0);
}

/* As the worker does it. */
static void turn(struct worker_rig *w)
{
    for (int i = 0; i < 100; i++) {
        int events = loop_turn(w->loop, 0, NULL, NULL);
        conns_flush(&w->conns);
        conns_wake(&w->conns);
        if (events == 0)
            return;
    }
    cr_assert_fail("it spins");
}

static const char *heard(int client)
{
    static char text[4096];
    ssize_t n = recv(clients[client], text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static bool is_ended(int client)
{
    char byte;
    return recv(clients[client], &byte, 1, 0) == 0;
}

/* Answers that came; the client is told nothing else. */
static int answers_of(int client)
{
    const char *text = heard(client);
    int count = 0;
    for (const char *p = text; (p = strstr(p, "HTTP/1.1 200")); p++)
        count++;
    return count;
}

static enum custody custody_of(int client)
{
    return (enum custody)one.desk->custody[sockets[client]];
}

/* ------------------------------------------------------------------------------- what lies there
 */

Test(conns_desk, one_that_waits_for_a_request_rests)
{
    connect_all(1);
    cr_expect_eq(custody_of(0), CUSTODY_FRESH);
    ask(0, GET("/a"));
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
    cr_expect_eq(answers_of(0), 1);
    ask(0, GET("/a") GET("/b"));
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
    close(clients[0]);
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_NONE);
}

Test(conns_desk, one_whose_request_was_there_already)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    clients[0] = ends[1];
    sockets[0] = ends[0];
    ask(0, GET("/a"));
    conns_start(&one.conns, ends[0], false);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
}

/* Part of a head, of a body, of an answer. */
Test(conns_desk, one_in_the_midst_is_busy)
{
    connect_all(3);
    ask(0, "GET /a HT");
    ask(1, POST_PART);
    ask(2, GET("/bytes/3000000"));
    turn(&one);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(custody_of(i), CUSTODY_BUSY, "%d", i);
    ask(0, "TP/1.1\r\nHost: x\r\n\r\n");
    ask(1, "cde");
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
    cr_expect_eq(custody_of(1), CUSTODY_KEPT);
    cr_expect_eq(custody_of(2), CUSTODY_BUSY);
}

/* Its application takes its time, gives an answer by pieces, or has a stream. */
Test(conns_desk, one_that_is_the_applications_lasts)
{
    connect_all(3);
    ask(0, GET("/defer"));
    ask(1, GET("/events"));
    ask(2, "GET /upgrade HTTP/1.1\r\nHost: x\r\nUpgrade: lines\r\nConnection: upgrade\r\n\r\n");
    turn(&one);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(custody_of(i), CUSTODY_LASTING, "%d", i);
    drover_response_finish(deferred);
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
    close(clients[2]);
    turn(&one);
    cr_expect_eq(custody_of(1), CUSTODY_LASTING);
    cr_expect_neq(custody_of(2), CUSTODY_LASTING, "it is over");
}

Test(conns_desk, one_that_lingers_is_busy)
{
    connect_all(1);
    ask(0, "nonsense\r\n\r\n");
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
}

static void expect_held(int client, const char *request)
{
    const char *bytes = "";
    size_t length = 0;
    cr_expect_eq(custody_of(client), CUSTODY_HELD, "%d", client);
    cr_assert(desk_held_request(one.desk, sockets[client], &bytes, &length), "%d", client);
    cr_expect(span_eq((struct span){.p = bytes, .n = length}, span_of(request)), "%.*s",
              (int)length, bytes);
}

Test(conns_desk, one_whose_answer_stands_ready_is_held_with_its_request)
{
    connect_all(3);
    turn(&one);
    for (int i = 0; i < 3; i++)
        ask(i, GET("/page"));
    deal(&one);
    for (int i = 0; i < 3; i++)
        expect_held(i, GET("/page"));
    conns_flush(&one.conns);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(custody_of(i), CUSTODY_KEPT);
        cr_expect_eq(answers_of(i), 1);
    }
    cr_expect_eq(one.rig.env.read_buffer, one.desk->read, "from the start again");
}

/* What leaves in front of a call of the application leaves in the midst of a turn. */
Test(conns_desk, those_that_leave_early_rest)
{
    connect_all(2);
    turn(&one);
    ask(0, GET("/page"));
    ask(1, GET("/a"));
    deal(&one);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
    cr_expect_eq(custody_of(1), CUSTODY_KEPT);
}

/* Its client takes nothing. */
Test(conns_desk, one_whose_answer_has_left_in_part_is_busy)
{
    struct drover_prepared *small = page;
    page = prepare(&one.rig, 4 * 1024 * 1024);
    connect_all(1);
    turn(&one);
    ask(0, GET("/page"));
    deal(&one);
    expect_held(0, GET("/page"));
    conn_before_call(&one.rig.env);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
    conns_flush(&one.conns);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
    conns_end_all(&one.conns);
    drover_prepared_free(page);
    page = small;
}

/* More than there is room for: the others are answered at once. */
Test(conns_desk, long_requests)
{
    enum { LONG = 7000, FIT = DESK_HELD_MAX / LONG };
    static char request[LONG + 1];
    const char start[] = "GET /page HTTP/1.1\r\nHost: x\r\nX: ";
    memset(request, 'x', LONG);
    memcpy(request, start, sizeof start - 1);
    memcpy(request + LONG - 4, "\r\n\r\n", 4);
    connect_all(FIT + 3);
    turn(&one);
    for (int i = 0; i < FIT + 3; i++)
        ask(i, request);
    deal(&one);
    for (int i = 0; i < FIT; i++)
        expect_held(i, request);
    for (int i = FIT; i < FIT + 3; i++) {
        cr_expect_eq(custody_of(i), CUSTODY_KEPT);
        cr_expect_eq(answers_of(i), 1);
    }
    conns_flush(&one.conns);
    for (int i = 0; i < FIT; i++)
        cr_expect_eq(answers_of(i), 1);
}

Test(conns_desk, more_than_leave_together)
{
    connect_all(CLIENTS);
    turn(&one);
    for (int i = 0; i < CLIENTS; i++)
        ask(i, GET("/page"));
    turn(&one);
    for (int i = 0; i < CLIENTS; i++) {
        cr_expect_eq(answers_of(i), 1, "%d", i);
        cr_expect_eq(custody_of(i), CUSTODY_KEPT, "%d", i);
    }
}

/* It was closed before its answer left, and its number is another's. */
Test(conns_desk, a_number_that_is_used_again_in_one_turn)
{
    connect_all(1);
    turn(&one);
    ask(0, GET("/page"));
    deal(&one);
    int before = sockets[0];
    conns_end_all(&one.conns);
    connect_all(1);
    cr_assert_eq(sockets[0], before);
    ask(0, GET("/page?again"));
    deal(&one);
    expect_held(0, GET("/page?again"));
}

/* --------------------------------------------------------------------------- who the client is */

Test(conns_desk, a_client_that_is_named)
{
    connect_as(1, true);
    cr_expect_eq(custody_of(0), CUSTODY_GREETING);
    cr_expect_eq(desks.clients[0][sockets[0]].family, 0);
    ask(0, "PROXY TCP4 192.0.2.7 ");
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY, "a part of it was read");
    ask(0, "192.0.2.1 1234 80\r\n");
    turn(&one);
    cr_expect_eq(custody_of(0), CUSTODY_FRESH);
    const struct http_address *client = &desks.clients[0][sockets[0]];
    cr_expect_eq(client->family, 4);
    cr_expect_eq(client->port, 1234);
    ask(0, GET("/page"));
    deal(&one);
    expect_held(0, GET("/page"));
}

Test(conns_desk, a_request_behind_a_greeting)
{
    connect_as(1, true);
    ask(0, "PROXY UNKNOWN\r\n" GET("/page"));
    deal(&one);
    expect_held(0, GET("/page"));
    cr_expect_eq(desks.clients[0][sockets[0]].family, 0);
    ask(0, "");
    turn(&one);
    cr_expect_eq(answers_of(0), 1);
}

Test(conns_desk, a_client_without_an_address)
{
    static struct conn conn = {.fd = 5};
    struct http_address named = {0}, read;
    conn.client = &named;
    client_note(&conn, &one.rig.env);
    cr_expect(client_noted(&desks.clients[0][5], &read), "it is none of the peer's");
    cr_expect_eq(read.family, 0);
    conn.client = NULL;
    client_note(&conn, &one.rig.env);
    cr_expect_not(client_noted(&desks.clients[0][5], &read));
    named.family = 77;
    cr_expect_not(client_noted(&named, &read), "forged");
}

/* A server whose addresses have no such headers was handed it by one that has: a successor would
 * take the peer for the client. */
Test(conns_desk, a_client_that_is_named_rests_where_it_can_be_noted)
{
    struct handover what = {.has_client = true, .client = {.family = 4, .port = 1234}};
    one.rig.env.clients = NULL;
    for (int i = 0; i < 2; i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        sockets[i] = ends[0];
        clients[i] = ends[1];
        conns_take(&one.conns, ends[0], &what);
        what.has_client = false;
    }
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
    cr_expect_eq(custody_of(1), CUSTODY_FRESH);
    client_remember(&one.conns.list[sockets[1]], &what.client); /* as for the access log */
    for (int i = 0; i < 2; i++)
        ask(i, GET("/page"));
    deal(&one);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
    expect_held(1, GET("/page"));
    turn(&one);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(answers_of(i), 1);
    cr_expect_eq(custody_of(0), CUSTODY_BUSY);
    cr_expect_eq(custody_of(1), CUSTODY_KEPT);
}

/* ------------------------------------------------------------------ the request that it is at */

Test(conns_desk, the_request_that_the_application_is_at)
{
    static const struct {
        const char *bytes, *line;
    } cases[] = {
        {GET("/a"), "GET /a HTTP/1.1"},
        {GET("/page"), "GET /page HTTP/1.1"},
        {GET("/a") GET("/page") GET("/b"), "GET /b HTTP/1.1"},
        {"POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
         "POST /receive HTTP/1.1"},
        {GET("/pull"), "GET /pull HTTP/1.1"},
    };
    connect_all(1);
    for (size_t i = 0; i < LENGTH(cases); i++) {
        memset(noted, 0, sizeof noted);
        ask(0, cases[i].bytes);
        turn(&one);
        cr_expect_str_eq(noted, cases[i].line, "%zu: %s", i, noted);
        note();
        cr_expect_str_empty(noted, "%zu: none any more", i);
    }
}

Test(conns_desk, one_that_came_in_pieces)
{
    connect_all(2);
    ask(0, "GET /pie");
    turn(&one);
    ask(1, GET("/a"));
    turn(&one);
    ask(0, "ces HTTP/1.1\r\nHost: x\r\n\r\n");
    turn(&one);
    cr_expect_str_eq(noted, "GET /pieces HTTP/1.1");
}

Test(conns_desk, one_whose_body_comes_later)
{
    connect_all(2);
    ask(0, "POST /receive HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    turn(&one);
    note();
    cr_expect_str_empty(noted);
    ask(1, GET("/a"));
    turn(&one);
    ask(0, "def");
    turn(&one);
    cr_expect_str_eq(noted, "POST /receive HTTP/1.1");
}

/* -------------------------------------------------------------------------- what was taken */

/* Its standby takes, and says how that ends. */
static void take(enum tenure outcome)
{
    cr_assert(desk_step(one.desk, TENURE_OWN, TENURE_PASSING));
    desk_take(one.desk);
    cr_assert(desk_step(one.desk, TENURE_PASSING, outcome));
}

Test(conns_desk, a_superseded_worker_touches_none_of_them)
{
    struct doors doors;
    struct slot_set heirs = {0};
    connect_all(3);
    ask(0, GET("/page"));
    ask(1, "GET /part");
    ask(2, GET("/a"));
    turn(&one);
    heard(0);
    heard(2);
    ask(0, GET("/page"));
    deal(&one);
    take(TENURE_PASSED);
    ask(2, GET("/b"));
    ask(1, " HTTP/1.1\r\nHost: x\r\n\r\n");
    deal(&one);
    conns_flush(&one.conns);
    cr_expect_eq(answers_of(0), 0, "what was held is not sent");
    cr_expect_eq(answers_of(1), 1, "its own is answered");
    cr_expect_eq(answers_of(2), 0);
    one.rig.env.now += 2 * timeouts[DEADLINE_IDLE];
    conns_expire(&one.conns);
    cr_expect_eq(one.ended, 1, "its own idle one alone");
    doors_init(&doors);
    doors.slot_count = 1;
    cr_assert_eq(pass_pair(doors.inbox[0]), 0);
    slot_set_add(&heirs, 0);
    conns_give(&one.conns, &doors, &heirs, 0);
    conns_tick(&one.conns);
    cr_expect_eq(one.ended, 1, "none is handed over");
    conns_keep(&one.conns);
    doors_close(&doors);
    cr_expect_eq(conns_forget_taken(&one.conns), 2);
    cr_expect_eq(one.conns.count, 0);
    cr_expect_eq(one.ended, 3);
    cr_expect_eq(conn_env_put_desk(&one.rig.env, NULL, NULL), 0);
    cr_expect_eq(one.rig.row->connections, 2, "until the master knows whose they are");
    board_pass(one.rig.row, 2);
}

Test(conns_desk, a_superseded_worker_that_ends_closes_copies_alone)
{
    connect_all(2);
    ask(1, "GET /part");
    turn(&one);
    int copies[2] = {dup(sockets[0]), dup(sockets[1])};
    take(TENURE_PASSED);
    conns_end_all(&one.conns);
    cr_expect_eq(one.ended, 2);
    cr_expect_not(is_ended(0), "it goes on");
    cr_expect_eq(desk_taken(one.desk, sockets[0]), CUSTODY_FRESH, "and is the successor's still");
    board_leave(one.rig.row, NULL);
    close(copies[0]);
    close(copies[1]);
}

Test(conns_desk, what_was_given_back_is_served)
{
    connect_all(2);
    ask(0, GET("/page"));
    turn(&one);
    heard(0);
    ask(0, GET("/page"));
    deal(&one);
    take(TENURE_RETURNED);
    ask(1, GET("/b"));
    turn(&one);
    cr_expect_eq(answers_of(0), 1, "once");
    cr_expect_eq(answers_of(1), 1);
    cr_expect_eq(desk_tenure(one.desk), TENURE_OWN);
    cr_expect_eq(custody_of(0), CUSTODY_KEPT);
}

/* A number that its standby knows as something else. */
Test(conns_desk, one_that_comes_with_a_number_from_before_the_standby, .timeout = 10)
{
    struct pristine pristine = {0};
    int ends[2];
    cr_assert_eq(pristine_note(&pristine), 0);
    int known = next_fd();
    cr_assert_eq(fds_add(&pristine.open, known), 0);
    one.rig.env.pristine = &pristine;
    connect_all(1);
    cr_assert_eq(sockets[0], known);
    cr_assert_eq(custody_of(0), CUSTODY_NONE);
    for (sockets[0]++; custody_of(0) == CUSTODY_NONE; sockets[0]++) {
    }
    cr_expect_eq(custody_of(0), CUSTODY_FRESH);
    cr_expect_neq(next_fd(), known, "it is nobody else's either");
    ask(0, GET("/a"));
    turn(&one);
    cr_expect_eq(answers_of(0), 1);
    close(known);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(ends[0], known);
    struct handover handed = {.served = 1};
    conns_take(&one.conns, known, &handed);
    cr_expect_eq(one.desk->custody[known], CUSTODY_NONE, "nor that of one that is handed over");
    cr_expect_eq(one.conns.count, 2);
    one.rig.env.pristine = NULL;
    close(known);
    close(ends[1]);
    pristine_free(&pristine);
}

/* ------------------------------------------------------------------------------ the successor */

static void resume(int client, bool is_watched)
{
    const char *bytes = NULL;
    size_t length = 0;
    struct resumed what = {.state = desk_taken(one.desk, sockets[client]),
                           .client = &desks.clients[0][sockets[client]],
                           .is_watched = is_watched};
    if (desk_held_request(one.desk, sockets[client], &bytes, &length))
        what.request = (struct span){.p = bytes, .n = length};
    conns_resume(&other.conns, sockets[client], &what);
}

/* What a dead worker's memory had. Its sockets are not touched. */
static void bury(struct worker_rig *w)
{
    for (size_t fd = 0; fd < w->conns.top; fd++)
        if (w->conns.list[fd].state != CONN_CLOSED) {
            w->conns.list[fd].fd = dup(clients[0]);
            conn_forget(&w->conns.list[fd], &w->rig.env);
        }
    w->conns.count = 0;
    board_leave(w->rig.row, NULL);
}

/* The worker is dead: nothing of it runs any more, and its epoll set is the successor's. */
static void die(void)
{
    bury(&one);
    struct loop *loop = one.loop;
    one.loop = other.loop;
    other.loop = other.conns.loop = loop;
}

Test(conns_desk, a_successor_goes_on_with_what_rested)
{
    connect_all(4);
    ask(1, GET("/a"));
    ask(2, GET("/page"));
    turn(&one);
    heard(1);
    heard(2);
    ask(2, GET("/page"));
    deal(&one);
    take(TENURE_PASSED);
    die();
    close(sockets[3]);
    int64_t now = other.rig.env.now;
    resume(0, true);
    cr_expect_eq(deadlines_next(&other.rig.env.deadlines), now + timeouts[DEADLINE_HEADER]);
    resume(1, true);
    resume(2, true);
    conns_flush(&other.conns);
    cr_expect_eq(other.conns.count, 3);
    cr_expect_eq(other.rig.row->connections, 3);
    cr_expect_eq(other.rig.row->taken, 0, "none was handed over");
    cr_expect_eq(answers_of(2), 1, "to what was held");
    cr_expect_eq(one.rig.row->requests, 3, "it was counted when it was made");
    cr_expect_eq(other.rig.row->requests, 0);
    for (int i = 0; i < 3; i++)
        ask(i, GET("/b"));
    turn(&other);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(answers_of(i), 1, "%d", i);
        cr_expect_eq(other.desk->custody[sockets[i]], CUSTODY_KEPT);
    }
    cr_expect_eq(deadlines_next(&other.rig.env.deadlines), now + timeouts[DEADLINE_IDLE]);
}

/* It hung: the set is its own still. */
Test(conns_desk, a_successor_with_a_set_of_its_own)
{
    connect_all(2);
    ask(1, GET("/page"));
    deal(&one);
    take(TENURE_PASSED);
    other.rig.env.is_twinned = true;
    for (int i = 0; i < 2; i++)
        resume(i, false);
    cr_expect_eq(answers_of(1), 1);
    ask(0, GET("/b"));
    turn(&other);
    cr_expect_eq(answers_of(0), 1);
    die();
}

/* The worker's table has copies. */
Test(conns_desk, to_close_a_shared_one_ends_it)
{
    connect_all(2);
    int copies[2] = {dup(sockets[0]), dup(sockets[1])};
    take(TENURE_PASSED);
    die();
    other.rig.env.is_twinned = true;
    for (int i = 0; i < 2; i++)
        resume(i, true);
    ask(0, GET_LAST("/a"));
    turn(&other);
    cr_expect_eq(answers_of(0), 1);
    cr_expect(is_ended(0));
    cr_expect_not(is_ended(1));
    conns_end_all(&other.conns);
    cr_expect(is_ended(1));
    close(copies[0]);
    close(copies[1]);
}

Test(conns_desk, to_hand_a_shared_one_over_does_not)
{
    struct doors doors;
    struct slot_set heirs = {0};
    struct handover what;
    doors_init(&doors);
    doors.slot_count = 1;
    cr_assert_eq(pass_pair(doors.inbox[0]), 0);
    slot_set_add(&heirs, 0);
    connect_all(1);
    take(TENURE_PASSED);
    die();
    other.rig.env.is_twinned = true;
    resume(0, true);
    conns_give(&other.conns, &doors, &heirs, 0);
    conns_tick(&other.conns);
    cr_expect_eq(other.conns.count, 0);
    int fd = handover_receive(doors.inbox[0][INBOX_OUT], &what);
    cr_assert_geq(fd, 0);
    cr_expect(what.is_shared, "and the heir knows of it");
    cr_expect_not(is_ended(0));
    close(fd);
    doors_close(&doors);
    conns_keep(&other.conns);
}

Test(conns_desk, a_greeting_is_waited_for)
{
    connect_as(2, true);
    ask(1, "PROXY TCP4 192.0.2.7 192.0.2.1 1234 80\r\n");
    turn(&one);
    take(TENURE_PASSED);
    die();
    resume(0, true);
    resume(1, true);
    const struct conn *named = &other.conns.list[sockets[1]];
    cr_assert_not_null(named->client);
    cr_expect_eq(named->client->port, 1234);
    cr_expect_eq(desks.clients[1][sockets[1]].port, 1234, "for the next one");
    ask(0, "PROXY TCP4 192.0.2.8 192.0.2.1 4321 80\r\n" GET("/a"));
    turn(&other);
    cr_expect_eq(answers_of(0), 1);
    cr_expect_eq(desks.clients[1][sockets[0]].port, 4321);
}

/* The worker may have written anything. */
Test(conns_desk, what_cannot_be_gone_on_with_is_closed)
{
    struct resumed kept = {.state = CUSTODY_KEPT};
    struct resumed held = {.state = CUSTODY_HELD};
    connect_all(1);
    take(TENURE_PASSED);
    die();
    conns_resume(&other.conns, sockets[0], &held);
    cr_expect(is_ended(0), "there is nothing to be answered");
    conns_resume(&other.conns, (int)other.conns.room, &kept);
    cr_expect_eq(other.ended, 2);
    cr_expect_eq(other.conns.count, 0);
}

/* A successor ends as well, in the midst of its first turn. */
Test(conns_desk, from_successor_to_successor)
{
    connect_all(1);
    take(TENURE_PASSED);
    die();
    resume(0, true);
    cr_expect_eq(other.desk->custody[sockets[0]], CUSTODY_FRESH);
    cr_expect_eq(desk_take(other.desk), 1);
    cr_expect_eq(desk_taken(other.desk, sockets[0]), CUSTODY_FRESH);
    cr_assert(desk_step(other.desk, TENURE_OWN, TENURE_RETURNED));
}

/* -------------------------------------------------------------------- many deaths, at random */

#define STORM_CLIENTS 12
#define STORM_STEPS   3000

static struct storm {
    struct worker_rig *worker, *next;
    int asked[STORM_CLIENTS];
    int answered[STORM_CLIENTS];
    bool is_partial[STORM_CLIENTS]; /* the first half of a request was sent */
    int deaths, replays;
    unsigned seed;
} storm;

static unsigned pick(unsigned count)
{
    return next_random(&storm.seed) % count;
}

static void storm_connect(int client)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    clients[client] = ends[0];
    sockets[client] = ends[1];
    storm.asked[client] = storm.answered[client] = 0;
    storm.is_partial[client] = false;
    conns_start(&storm.worker->conns, ends[1], false);
}

/* No client has more than one request under way that was not answered. */
static void storm_ask(int client)
{
    static const char *const whole[] = {GET("/page"), GET("/page?another"), GET("/a")};
    storm.answered[client] += answers_of(client);
    if (storm.is_partial[client]) {
        ask(client, "e HTTP/1.1\r\nHost: x\r\n\r\n");
        storm.is_partial[client] = false;
    } else if (storm.asked[client] > storm.answered[client]) {
        return;
    } else if (pick(8) == 0) {
        ask(client, "GET /pag");
        storm.is_partial[client] = true;
        return;
    } else {
        ask(client, whole[pick(LENGTH(whole))]);
    }
    storm.asked[client]++;
}

/* As a successor's start has it: what is BUSY is closed, with what else there was. */
static void storm_resume(int client, const struct desk *desk)
{
    struct worker_rig *w = storm.worker;
    const char *bytes = NULL;
    size_t length = 0;
    struct resumed what = {.state = desk_taken(desk, sockets[client]), .is_watched = true};
    if (what.state == CUSTODY_NONE) {
        cr_assert(storm.is_partial[client], "none is cut but one in the midst");
        loop_drop(w->loop, sockets[client]);
        close(sockets[client]);
        cr_assert(is_ended(client));
        close(clients[client]);
        storm_connect(client);
        return;
    }
    if (what.state == CUSTODY_HELD) {
        cr_assert(desk_held_request(desk, sockets[client], &bytes, &length));
        what.request = (struct span){.p = bytes, .n = length};
        storm.replays++;
    }
    conns_resume(&w->conns, sockets[client], &what);
}

static void storm_die(void)
{
    struct worker_rig *dead = storm.worker;
    struct desk *desk = dead->desk;
    storm.deaths++;
    cr_assert(desk_step(desk, TENURE_OWN, TENURE_PASSING));
    desk_take(desk);
    cr_assert(desk_step(desk, TENURE_PASSING, TENURE_PASSED));
    desk_clear(storm.next->desk);
    open_worker(storm.next, dead->loop, storm.next->desk, NULL);
    storm.worker = storm.next;
    storm.next = dead;
    for (int i = 0; i < STORM_CLIENTS; i++)
        storm_resume(i, desk);
    bury(dead);
    conns_close(&dead->conns);
    close_rig(&dead->rig);
}

/* Taken and given back, in the midst of a turn. */
static void storm_return(void)
{
    struct desk *desk = storm.worker->desk;
    cr_assert(desk_step(desk, TENURE_OWN, TENURE_PASSING));
    desk_take(desk);
    cr_assert(desk_step(desk, TENURE_PASSING, TENURE_RETURNED));
}

static void storm_turn(void)
{
    deal(storm.worker);
    switch (pick(6)) {
    case 0: storm_die(); break;
    case 1: storm_return(); break;
    default: break;
    }
    conns_flush(&storm.worker->conns);
    cr_assert(desk_settle(storm.worker->desk));
}

Test(conns_desk, each_request_is_answered_once_whoever_dies, .timeout = 60)
{
    struct loop *loop = one.loop;
    storm = (struct storm){.worker = &one, .next = &other, .seed = 9};
    conns_close(&other.conns);
    loop_close(other.loop);
    close_rig(&other.rig);
    for (int i = 0; i < STORM_CLIENTS; i++)
        storm_connect(i);
    for (int i = 0; i < STORM_STEPS; i++)
        if (pick(3) > 0)
            storm_ask((int)pick(STORM_CLIENTS));
        else
            storm_turn();
    turn(storm.worker);
    for (int i = 0; i < STORM_CLIENTS; i++) {
        storm.answered[i] += answers_of(i);
        cr_expect_eq(storm.answered[i], storm.asked[i], "%d: %d of %d", i, storm.answered[i],
                     storm.asked[i]);
    }
    cr_expect_gt(storm.deaths, 50);
    cr_expect_gt(storm.replays, 50);
    open_worker(storm.next, loop_open(), storm.next->desk, NULL);
    cr_expect_eq(storm.worker->loop, loop);
}
