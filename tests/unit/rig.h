/*
 * rig - a connection, its worker's share, an application, and a client at the other end.
 */
#ifndef DROVER_TESTS_RIG_H
#define DROVER_TESTS_RIG_H

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "answers.h"
#include "base/limits.h"
#include "worker/conn.h"

#define NOW 784111777 /* seconds, of the Date line */

/* Milliseconds, all different. */
static const int64_t timeouts[DEADLINE_KINDS] = {
    [DEADLINE_HEADER] = 1000, [DEADLINE_BODY] = 2000, [DEADLINE_ANSWER] = 2500,
    [DEADLINE_SEND] = 3000,   [DEADLINE_IDLE] = 4000, [DEADLINE_LINGER] = 5000};

/* --------------------------------------------------------------------------- an application */

/* "/file/N" is a file of N bytes, "/bytes/N" a body of so many, "/none" is not there; anything else
 * is answered with its method and path. */
static inline void handle(void *context, const struct drover_request *request,
                          struct drover_response *response)
{
    struct drover_span method = drover_request_method(request);
    struct drover_span path = drover_request_path(request);
    (void)context;
    if (strncmp(path.p, "/file/", 6) == 0) {
        size_t size = strtoul(path.p + 6, NULL, 10);
        drover_response_file(response, make_file(size), size);
    } else if (strncmp(path.p, "/bytes/", 7) == 0) {
        for (size_t i = 0; i < strtoul(path.p + 7, NULL, 10); i++) {
            char byte = byte_at(i);
            drover_response_body(response, &byte, 1);
        }
    } else if (strcmp(path.p, "/none") == 0) {
        drover_response_status(response, 404);
    } else {
        drover_response_body(response, method.p, method.n);
        drover_response_body(response, path.p, path.n);
    }
}

/* ------------------------------------------------------------ a connection and its client */

struct rig {
    struct drover_app app;
    struct board *board;
    struct board_row *row;
    struct conn_env env;
    struct conn conn;
    bool is_open;
    enum conn_want want;
    int client;     /* -1: gone */
    bool is_ended;  /* the client has seen the end of file */
    struct buf got; /* all that the client has received */
};

/* A worker without connections. */
static inline void open_env(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->app = (struct drover_app){.name = "test", .handle = handle, .when = DROVER_AT_HEAD};
    rig->board = board_open(NULL);
    cr_assert_not_null(rig->board);
    rig->row = &rig->board->rows[0];
    cr_assert_eq(conn_env_open(&rig->env, &rig->app, NULL, rig->row), 0);
    memcpy(rig->env.deadlines.length, timeouts, sizeof timeouts);
    exchange_tick(&rig->env.exchanges, NOW);
    rig->env.now = 100000;
    rig->client = -1;
}

/* An answer with so many bytes, that stands ready. */
static inline struct drover_prepared *prepare(struct rig *rig, size_t size)
{
    struct drover_response *r = &rig->env.exchange->response;
    for (size_t i = 0; i < size; i++) {
        char byte = byte_at(i);
        drover_response_body(r, &byte, 1);
    }
    struct drover_prepared *prepared = drover_response_prepare(r);
    cr_assert_not_null(prepared);
    exchange_reset(rig->env.exchange);
    return prepared;
}

static inline void open_conn(struct rig *rig)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    conn_open(&rig->conn, &rig->env, ends[0], false);
    rig->client = ends[1];
    rig->is_open = true;
    rig->is_ended = false;
    rig->want = CONN_WANT_READ;
    buf_clear(&rig->got);
}

static inline void open_rig(struct rig *rig)
{
    open_env(rig);
    open_conn(rig);
}

static inline void end_conn(struct rig *rig)
{
    if (rig->is_open)
        conn_close(&rig->conn, &rig->env);
    rig->is_open = false;
}

static inline void end_client(struct rig *rig)
{
    if (rig->client >= 0)
        close(rig->client);
    rig->client = -1;
}

static inline void close_rig(struct rig *rig)
{
    end_conn(rig);
    end_client(rig);
    cr_expect_eq(deadlines_next(&rig->env.deadlines), INT64_MAX, "nothing stays armed");
    cr_expect_eq(rig->row->connections, 0);
    conn_env_free(&rig->env);
    board_close(rig->board);
    buf_free(&rig->got);
}

/* What the worker does with what a connection wants. */
static inline void obey(struct rig *rig, enum conn_want want)
{
    rig->want = want;
    if (want == CONN_WANT_CLOSE)
        end_conn(rig);
}

static inline void step(struct rig *rig)
{
    cr_assert(rig->is_open);
    obey(rig, conn_step(&rig->conn, &rig->env));
}

/* Would epoll_wait(2) say that what it waits for is there? */
static inline bool is_due(const struct rig *rig)
{
    static const short events[] = {[CONN_WANT_READ] = POLLIN,
                                   [CONN_WANT_WRITE] = POLLOUT,
                                   [CONN_WANT_WAKE] = 0,
                                   [CONN_WANT_CLOSE] = 0};
    struct pollfd p = {.fd = rig->conn.fd, .events = events[rig->want]};
    return rig->is_open && poll(&p, 1, 0) > 0;
}

/* The client takes up to `most` bytes of what has come. */
static inline void client_receive(struct rig *rig, size_t most)
{
    while (most > 0 && !rig->is_ended && rig->client >= 0) {
        size_t ask = most < 65536 ? most : 65536;
        char *to = buf_room(&rig->got, ask);
        cr_assert_not_null(to);
        ssize_t n = recv(rig->client, to, ask, 0);
        if (n < 0)
            break;
        rig->is_ended = n == 0;
        buf_grow(&rig->got, (size_t)n);
        most -= (size_t)n;
    }
}

/* What the worker does for those that the application has woken. True if it was this one. */
static inline bool wake(struct rig *rig)
{
    bool is_woken = false;
    for (int i = rig->env.woken_count; i > 0; i--) {
        cr_assert_eq(conn_next_woken(&rig->env), &rig->conn);
        obey(rig, conn_wake(&rig->conn, &rig->env));
        is_woken = true;
    }
    return is_woken;
}

/* Until the connection waits for the client, who reads all that comes, or for the application. */
static inline void pump(struct rig *rig)
{
    bool moves = true;
    while (moves) {
        client_receive(rig, SIZE_MAX);
        moves = wake(rig);
        if (is_due(rig)) {
            step(rig);
            moves = true;
        }
    }
    client_receive(rig, SIZE_MAX);
}

/* The client sends as much as the socket takes. Returns how much that was. */
static inline size_t client_send(const struct rig *rig, const char *bytes, size_t length)
{
    ssize_t n = length ? send(rig->client, bytes, length, MSG_NOSIGNAL) : 0;
    if (n < 0)
        cr_assert(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET, "%m");
    return n < 0 ? 0 : (size_t)n;
}

/* Sends all of it, and lets the connection work whenever it can. */
static inline void say_bytes(struct rig *rig, const char *bytes, size_t length)
{
    while (length > 0 && rig->is_open) {
        size_t n = client_send(rig, bytes, length);
        bytes += n;
        length -= n;
        pump(rig);
    }
}

static inline void say(struct rig *rig, const char *text)
{
    say_bytes(rig, text, strlen(text));
}

/* As much of a body. */
static inline void say_body(struct rig *rig, size_t length)
{
    static char piece[50000];
    memset(piece, 'G', sizeof piece);
    while (length > 0 && rig->is_open) {
        size_t n = length < sizeof piece ? length : sizeof piece;
        say_bytes(rig, piece, n);
        length -= n;
    }
}

/* The client has seen the end and goes; the connection may have waited for that. */
static inline void say_goodbye(struct rig *rig)
{
    cr_assert(rig->is_ended, "the client sees the end");
    cr_expect(!rig->is_open || rig->conn.state == CONN_LINGERING);
    end_client(rig);
    pump(rig);
    cr_assert_not(rig->is_open, "it is closed");
}

static inline struct span got(const struct rig *rig)
{
    return (struct span){.p = rig->got.p, .n = rig->got.len};
}

/* The next answer is this one. */
static inline void expect_answer(struct span *all, int status, const char *body)
{
    struct reply answer = take_answer(all, false);
    cr_expect_eq(answer.status, status, "%d instead of %d", answer.status, status);
    if (body) {
        struct buf got_body = {0};
        read_body(&answer, &got_body);
        cr_expect(span_eq((struct span){.p = got_body.p, .n = got_body.len}, span_of(body)),
                  "%.*s instead of %s", (int)got_body.len, got_body.p, body);
        buf_free(&got_body);
    }
}

static inline void expect_pattern(struct span body, size_t length)
{
    cr_assert_eq(body.n, length, "%zu of %zu bytes", body.n, length);
    for (size_t i = 0; i < length; i++)
        cr_assert_eq(body.p[i], byte_at(i), "byte %zu of %zu", i, length);
}

#define GET(path)      "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_LAST(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* The body wants three bytes more. */
#define POST_PART "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"

#endif
