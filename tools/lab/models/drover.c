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
#include "lab/models/model.h"
#include "lab/models/server.h"
#include "worker/conns.h"
#include "worker/services.h"

#define TYPE "text/plain"

#define DEADLINE_MS 60000

struct yardstick {
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
    struct yardstick *yardstick = context;
    const struct exchange *exchange = exchange_of_request(request);
    size_t body = SESSION_ANSWER_SIZE - yardstick->head[!request->head.keep_alive];
    char text[SESSION_ANSWER_SIZE];
    struct session_stamp stamp = {.accepted_us = yardstick->accepted[exchange->conn->fd]};
    buf_clear(&yardstick->greeting);
    session_greet(&stamp, &yardstick->greeting);
    if (yardstick->greeting.failed)
        return;
    size_t n = SESSION_ANSWER_SIZE - yardstick->head[true];
    memset(text, ' ', body);
    memcpy(text + body - n, yardstick->greeting.p + yardstick->greeting.len - n, n);
    drover_response_type(response, TYPE);
    drover_response_body(response, text, body);
    yardstick->server->counts->answered++;
}

/* ------------------------------------------------------------------------- the worker */

static void on_end(void *context)
{
    const struct yardstick *yardstick = context;
    yardstick->server->counts->open--;
}

static void on_door(struct loop *loop, int door, uint32_t events, void *context)
{
    struct yardstick *yardstick = context;
    int fd;
    (void)loop;
    (void)door;
    (void)events;
    while ((fd = server_accept(yardstick->server, SOCK_NONBLOCK)) >= 0) {
        yardstick->accepted[fd] = clock_us();
        conns_start(&yardstick->conns, fd, false);
    }
}

static void woken(void *context)
{
    struct yardstick *yardstick = context;
    yardstick->env.now = clock_ms();
    yardstick->services.now = yardstick->env.now;
    exchange_tick(&yardstick->env.exchanges, clock_date());
}

static int open_yardstick(struct yardstick *yardstick, const struct drover_app *app,
                          const struct server *server)
{
    *yardstick = (struct yardstick){
        .server = server, .head = {head_length(HTTP_KEEP_SILENT), head_length(HTTP_CLOSE)}};
    yardstick->loop = loop_open();
    if (!yardstick->loop || server_nonblock(server->door) < 0)
        return -1;
    yardstick->services = (struct drover_worker){
        .loop = yardstick->loop, .app = app, .row = &yardstick->row};
    if (conn_env_open(&yardstick->env, app, &yardstick->services, &yardstick->row) < 0 ||
        services_open(&yardstick->services) < 0 ||
        conns_open(&yardstick->conns, yardstick->loop, &yardstick->env, 0, on_end, yardstick) < 0)
        return -1;
    woken(yardstick);
    yardstick->accepted = calloc(yardstick->conns.room, sizeof *yardstick->accepted);
    return yardstick->accepted
               ? loop_add(yardstick->loop, server->door, EPOLLIN, on_door, yardstick)
               : -1;
}

static void run(struct server *server)
{
    static struct yardstick yardstick;
    const struct drover_app app = {
        .name = "lab", .context = &yardstick, .handle = handle, .when = DROVER_AT_HEAD};
    if (open_yardstick(&yardstick, &app, server) < 0)
        return;
    /* Armed and disarmed as in the server, and longer than anything is measured. */
    for (int kind = DEADLINE_NONE + 1; kind < DEADLINE_KINDS; kind++)
        yardstick.env.deadlines.length[kind] = DEADLINE_MS;
    server_ready(server);
    for (;;) {
        int wait = clock_until(deadlines_next(&yardstick.env.deadlines), yardstick.env.now);
        if (loop_turn(yardstick.loop, wait, woken, &yardstick) < 0)
            return;
        conns_wake(&yardstick.conns);
        conns_expire(&yardstick.conns);
        conns_tick(&yardstick.conns);
    }
}

const struct model model_drover = {
    .name = "drover",
    .teaches = "the server's own loop and connections, deadlines and all: the yardstick",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
