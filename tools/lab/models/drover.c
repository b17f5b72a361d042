/*
 * drover - the server's own loop (os/loop.h, level-triggered epoll) and connections
 * (worker/conns.h) as the yardstick: what a whole server costs beside the bare models. It has
 * deadlines, writes that wait for room, a lingering close, an application with an answer of its
 * own; its worker's acceptor alone is not here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/respond.h"
#include "lab/model.h"
#include "lab/models/server.h"
#include "worker/conns.h"
#include "worker/services.h"

#define TYPE "text/plain"

#define DEADLINE_MS 60000

struct yard {
    struct board_row row; /* first, as it fills cache lines of its own */
    const struct server *server;
    struct loop *loop;
    struct conns conns;
    struct conn_env env;
    struct drover_worker services;
    struct buf greeting; /* what a stamp is cut out of */
    size_t head[2];      /* bytes of an answer's head: of one that keeps, and of a last one */
    int64_t *accepted;   /* by descriptor: when, as clock_us() */
};

/* ---------------------------------------------------------------------- the application */

/* As the server writes it, for a body of two digits. */
static size_t head_length(enum http_persistence persistence)
{
    char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";
    struct buf out = {0};
    struct http_head head = {.status = 200,
                             .persistence = persistence,
                             .date = date,
                             .type = SPAN(TYPE),
                             .has_length = true,
                             .length = 10};
    http_respond_head(&out, &head);
    size_t length = out.len;
    buf_free(&out);
    return length;
}

/* The lab's client wants every answer as long as the others, with its stamp at the end. A greeting
 * says that it closes, so no head is longer than its. */
static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    struct yard *yard = context;
    const struct exchange *exchange = exchange_of_request(request);
    size_t body = SESSION_ANSWER_SIZE - yard->head[!request->head.keep_alive];
    char text[SESSION_ANSWER_SIZE];
    struct session_stamp stamp = {.accepted_us = yard->accepted[exchange->conn->fd]};
    buf_clear(&yard->greeting);
    session_greet(&stamp, &yard->greeting);
    if (yard->greeting.failed)
        return;
    size_t n = SESSION_ANSWER_SIZE - yard->head[true];
    memset(text, ' ', body);
    memcpy(text + body - n, yard->greeting.p + yard->greeting.len - n, n);
    drover_response_type(response, TYPE);
    drover_response_body(response, text, body);
    yard->server->counts->answered++;
}

/* ------------------------------------------------------------------------- the worker */

static void on_end(void *context)
{
    const struct yard *yard = context;
    yard->server->counts->open--;
}

static void on_door(struct loop *loop, int door, uint32_t events, void *context)
{
    struct yard *yard = context;
    int fd;
    (void)loop;
    (void)door;
    (void)events;
    while ((fd = server_accept(yard->server, SOCK_NONBLOCK)) >= 0) {
        yard->accepted[fd] = clock_us();
        conns_start(&yard->conns, fd, false);
    }
}

static void woken(void *context)
{
    struct yard *yard = context;
    yard->env.now = clock_ms();
    yard->services.now = yard->env.now;
    exchange_tick(&yard->env.exchanges, clock_date());
}

static int open_yard(struct yard *yard, const struct drover_app *app, const struct server *server)
{
    *yard = (struct yard){.server = server,
                          .head = {head_length(HTTP_KEEP_SILENT), head_length(HTTP_CLOSE)}};
    yard->loop = loop_open();
    if (!yard->loop || server_nonblock(server->door) < 0)
        return -1;
    yard->services = (struct drover_worker){.loop = yard->loop, .app = app, .row = &yard->row};
    if (conn_env_open(&yard->env, app, &yard->services, &yard->row) < 0 ||
        services_open(&yard->services) < 0 ||
        conns_open(&yard->conns, yard->loop, &yard->env, on_end, yard) < 0)
        return -1;
    woken(yard);
    yard->accepted = calloc(yard->conns.room, sizeof *yard->accepted);
    return yard->accepted ? loop_add(yard->loop, server->door, EPOLLIN, on_door, yard) : -1;
}

static void run(struct server *server)
{
    static struct yard yard;
    const struct drover_app app = {
        .name = "lab", .context = &yard, .handle = handle, .when = DROVER_AT_HEAD};
    if (open_yard(&yard, &app, server) < 0)
        return;
    /* Armed and disarmed as in the server, and longer than anything is measured. */
    for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_KINDS; kind++)
        yard.env.deadlines.length[kind] = DEADLINE_MS;
    server_ready(server);
    for (;;) {
        int wait = clock_until(deadlines_next(&yard.env.deadlines), yard.env.now);
        if (loop_turn(yard.loop, wait, woken, &yard) < 0)
            return;
        conns_wake(&yard.conns);
        conns_expire(&yard.conns);
        conns_tick(&yard.conns);
    }
}

const struct model model_drover = {
    .name = "drover",
    .teaches = "the server's own loop and connections, deadlines and all: the yardstick",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
