#include "worker/serve.h"

#include <stdlib.h>

#include "base/limits.h"
#include "http/parse.h"
#include "worker/access.h"
#include "worker/account.h"
#include "worker/answer.h"
#include "worker/desk.h"
#include "worker/work.h"

/* ------------------------------------------------------------------------------ the stream */

static struct drover_stream *make_stream(struct conn *conn, struct conn_env *env,
                                         const struct drover_app *app, struct drover_worker *worker,
                                         const struct drover_protocol *protocol)
{
    struct conn_work *work = work_of(conn);
    struct drover_stream *stream = work ? calloc(1, sizeof *stream) : NULL;
    if (!stream)
        return NULL;
    *stream = (struct drover_stream){.protocol = protocol,
                                     .context = app->context,
                                     .worker = worker,
                                     .conn = conn,
                                     .wake = env->exchanges.wake,
                                     .wake_context = env->exchanges.wake_context};
    work->stream = stream;
    env->has_streams = true;
    conn->state = CONN_STREAMING;
    return stream;
}

/*
 * `in` may be a part of the connection's own bytes. A stream that comes while the worker leaves is
 * told so at once: the others were already.
 */
static bool open_stream(struct conn *conn, const struct conn_env *env, struct drover_stream *stream,
                        struct span in)
{
    bool is_open = stream_put_back(stream, in) && stream_open(stream) == 0;
    buf_free(&conn->work->in);
    if (is_open && env->leaving)
        stream_leave(stream);
    return is_open;
}

bool serve_stream(struct conn *conn, struct conn_env *env, const struct drover_protocol *protocol,
                  struct span in)
{
    const struct exchange_env *exchanges = &env->exchanges;
    struct drover_stream *stream = make_stream(conn, env, exchanges->app, exchanges->worker,
                                               protocol);
    return stream && open_stream(conn, env, stream, in);
}

/* ----------------------------------------------------------------------------- the answers */

static void note(const struct conn_env *env, struct span head)
{
    if (env->desk && head.n > 0)
        desk_note_request(env->desk, head.p, head.n);
}

void serve_note(const struct conn_env *env, const struct exchange *exchange)
{
    if (exchange)
        note(env, span_of_buf(&exchange->request.kept));
    else if (env->desk)
        desk_note_none(env->desk);
}

/* The answer behind the first so many bytes; with a status of its own, since the exchange may be
 * that of another. */
static void log_answer(struct conn *conn, struct conn_env *env, const struct exchange *exchange,
                       int status, size_t before, bool is_open)
{
    const struct buf *out = &env->out;
    size_t n = out->len > before ? out->len - before : 0;
    struct account account = {.exchange = exchange,
                              .status = status,
                              .made = {.p = n > 0 ? out->p + before : NULL, .n = n},
                              .before = before,
                              .is_open = is_open,
                              .refused = env->refused};
    access_answer(env->access, conn, env, &account);
}

enum served serve_refusal(struct conn *conn, struct conn_env *env, int status,
                          const struct refused *refused)
{
    conn_before_call(env);
    note(env, env->refused);
    if (!env->exchange)
        env->exchange = exchange_new(&env->exchanges);
    if (!env->exchange)
        return BROKEN;
    env->exchange->conn = conn; /* a page may ask for the client */
    size_t before = env->out.len;
    exchange_enter(env->exchange, refused);
    answer_refuse(env->exchange, &env->out, status, refused->method);
    account_answer(env, status);
    if (env->access)
        log_answer(conn, env, env->exchange, status, before, false);
    env->refused = (struct span){0};
    exchange_reset(env->exchange);
    conn->closing = conn->linger = true;
    return SERVED;
}

/* The exchange takes more than this turn: it becomes the connection's own. NULL when memory ran
 * out.
 */
static struct conn_work *own_exchange(const struct service *s)
{
    struct exchange *exchange = s->env->exchange;
    struct conn_work *work = work_of(s->conn);
    s->env->exchange = NULL;
    if (exchange_detach(exchange, s->head) == 0 && work) {
        work_remember(work, s->env);
        work->exchange = exchange;
        return work;
    }
    exchange_abandon(exchange);
    return NULL;
}

void serve_end(struct conn *conn, struct conn_env *env)
{
    if (!conn->work || !conn->work->exchange) {
        exchange_reset(env->exchange);
        return;
    }
    exchange_free(conn->work->exchange);
    conn->work->exchange = NULL;
}

static bool is_last(const struct conn *conn, const struct conn_env *env,
                    const struct exchange *exchange)
{
    return exchange->must_close || (env->leaving && !env->has_heirs) ||
           (env->served_max > 0 && conn->served + 1 >= env->served_max);
}

/* A 101: what was gathered leaves in front of what the stream sends. */
static enum served upgrade(struct service *s, struct exchange *exchange)
{
    struct conn *conn = s->conn;
    struct conn_env *env = s->env;
    const struct drover_protocol *protocol = exchange->response.protocol;
    void *state = exchange->response.stream_state;
    const struct drover_app *app = exchange->app;
    struct drover_worker *worker = exchange->worker;
    serve_end(conn, env);
    struct drover_stream *stream = make_stream(conn, env, app, worker, protocol);
    if (!stream)
        return BROKEN;
    stream->state = state;
    stream->out = env->out;
    env->out = (struct buf){0};
    bool is_open = open_stream(conn, env, stream, s->in);
    s->in.n = 0;
    return is_open ? UPGRADED : BROKEN;
}

void serve_drop_lent(struct conn_env *env)
{
    prepared_drop(env->lent);
    env->lent = NULL;
}

void serve_write_lent(struct conn_env *env)
{
    buf_span(&env->out, prepared_whole(env->lent, &env->exchanges));
    serve_drop_lent(env);
}

static void count_answer(struct conn *conn, struct conn_env *env, int status)
{
    account_answer(env, status);
    conn->served++;
    deadlines_disarm(&env->deadlines, &conn->deadline); /* the next request has its own time */
}

/* Makes the answer of an exchange that is ready. */
static enum served answer(struct service *s, struct exchange *exchange)
{
    struct conn *conn = s->conn;
    struct conn_env *env = s->env;
    size_t before = env->out.len;
    enum answer kind = answer_write(exchange, &env->out, &s->payload, is_last(conn, env, exchange));
    conn->closing = exchange->close && kind != ANSWER_UPGRADED;
    conn->linger |= exchange->must_close;
    int status = exchange->response.status;
    if (env->access) /* it tells how many were before it */
        log_answer(conn, env, exchange, status, before, s->payload || kind == ANSWER_PULLED);
    count_answer(conn, env, status);
    if (kind == ANSWER_UPGRADED)
        return upgrade(s, exchange);
    if (kind == ANSWER_WHOLE) {
        serve_end(conn, env);
        return SERVED;
    }
    struct conn_work *work = exchange->is_detached ? conn->work : own_exchange(s);
    if (!work)
        return BROKEN;
    work->outlet.pulled = exchange;
    return HELD;
}

/* ---------------------------------------------------------------------------- the requests */

/* The body is dealt with. */
static enum served end_request(struct service *s, struct exchange *exchange)
{
    exchange_body_end(exchange);
    if (exchange_is_ready(exchange))
        return answer(s, exchange);
    if (!exchange->is_detached && !own_exchange(s))
        return BROKEN;
    return HELD;
}

/* Counts bytes that nobody wants. Minus 413 where there are more than any body may have, and
 * BODY_PIECE where there are too many to go on behind them. */
static int drop(const struct exchange *exchange, struct body *body, size_t bytes)
{
    if (!exchange_drops(exchange))
        return 0;
    bool is_worth = body_drop(body, bytes);
    if (exchange->body_use == EXCHANGE_DROPS && body->dropped > exchange->env->body_max)
        return -413;
    return is_worth ? 0 : BODY_PIECE;
}

/*
 * Takes what there is of the body off *in. Returns how that went: BODY_PIECE when the rest is not
 * worth to be read; or minus a status to refuse the request with.
 */
static int take_body(struct exchange *exchange, struct body *body, struct span *in)
{
    struct span piece = {0};
    enum body_next next = BODY_PIECE;
    int result = drop(exchange, body, 0);
    while (result == 0 && (next = body_next(body, in, &piece)) == BODY_PIECE) {
        result = exchange_body(exchange, piece);
        if (result == 0)
            result = drop(exchange, body, piece.n);
    }
    if (result != 0)
        return result;
    return next == BODY_REFUSED ? -400 : (int)next;
}

/* The application may still finish what it has deferred: an exchange of its own is left to it. */
static enum served refuse_begun(struct service *s, int status)
{
    struct exchange *exchange = s->env->exchange;
    const struct refused refused = exchange_refused(exchange);
    if (!exchange_is_ready(exchange)) {
        s->env->exchange = NULL;
        exchange_detach(exchange, s->head);
        exchange_abandon(exchange);
    }
    s->env->refused = s->head;
    return serve_refusal(s->conn, s->env, status, &refused);
}

/* Nothing of a body has come, and its client may wait for a word (RFC 9110, 10.1.1). */
static bool waits_for_continue(const struct exchange *exchange, const struct span *in)
{
    return exchange->request.head.expect_continue && in->n == 0;
}

static void log_ready(struct conn *conn, struct conn_env *env, const struct drover_prepared *ready)
{
    struct account account = {.exchange = env->exchange,
                              .status = 200,
                              .made = {.p = ready->start, .n = ready->length},
                              .head = ready->length - ready->body.n};
    access_answer(env->access, conn, env, &account);
}

/* An answer that stands ready is sent from where it stands, if it is the only one. */
static bool serve_ready(const struct service *s)
{
    struct conn_env *env = s->env;
    struct drover_prepared *ready = NULL;
    env->exchange->conn = s->conn;
    if (!is_last(s->conn, env, env->exchange))
        ready = exchange_ready(env->exchange);
    if (!ready)
        return false;
    env->exchange->conn = NULL;
    if (env->out.len == 0)
        env->lent = prepared_hold(ready);
    else
        buf_span(&env->out, prepared_whole(ready, &env->exchanges));
    if (env->access)
        log_ready(s->conn, env, ready);
    count_answer(s->conn, env, 200);
    return true;
}

/* A request's head is known: deals with the body, and answers once that is whole. */
static enum served serve(struct service *s)
{
    struct exchange *exchange = s->env->exchange;
    const struct http_request *request = &exchange->request.head;
    struct body body = body_of(request);
    exchange_begin(exchange);
    if (!request->chunked && request->content_length == 0)
        return end_request(s, exchange);
    if (exchange_refuses(exchange))
        return refuse_begun(s, 413);
    bool is_waited_for = waits_for_continue(exchange, &s->in);
    if (exchange_drops(exchange) && is_waited_for) {
        exchange->must_close = true; /* the client need not send it at all */
        return end_request(s, exchange);
    }
    int result = take_body(exchange, &body, &s->in);
    if (result < 0)
        return refuse_begun(s, -result);
    if (result == BODY_MORE) {
        struct conn_work *work = own_exchange(s);
        if (!work)
            return BROKEN;
        work->in_body = true;
        work->body = body;
        if (is_waited_for)
            buf_lit(&s->env->out, "HTTP/1.1 100 Continue\r\n\r\n");
        return STARVED;
    }
    exchange->must_close |= result == BODY_PIECE;
    return end_request(s, exchange);
}

/* More of a body has come. Once it is whole its request is answered. */
static enum served serve_body(struct service *s)
{
    struct conn_work *work = s->conn->work;
    struct exchange *exchange = work->exchange;
    serve_note(s->env, exchange);
    int result = take_body(exchange, &work->body, &s->in);
    if (result == BODY_MORE)
        return STARVED;
    work->in_body = false;
    if (result < 0) {
        const struct refused refused = exchange_refused(exchange);
        s->env->refused = span_of_buf(&exchange->request.kept);
        work->exchange = NULL;
        exchange->conn = NULL;
        enum served how = serve_refusal(s->conn, s->env, -result, &refused);
        exchange_abandon(exchange);
        return how;
    }
    exchange->must_close |= result == BODY_PIECE;
    s->head = (struct span){0};
    return end_request(s, exchange);
}

enum served serve_next(struct service *s)
{
    struct conn_env *env = s->env;
    if (env->lent)
        serve_write_lent(env); /* it is no longer all there is */
    if (s->conn->work && s->conn->work->in_body)
        return serve_body(s);
    if (!env->exchange)
        env->exchange = exchange_new(&env->exchanges);
    if (!env->exchange)
        return BROKEN;
    int n = http_parse_head(&env->exchange->request.head, s->in.p, s->in.n);
    if (n == 0)
        return STARVED;
    if (n < 0) {
        env->refused = s->in;
        return serve_refusal(s->conn, env, -n,
                             &(struct refused){.method = env->exchange->request.head.method});
    }
    s->head = (struct span){.p = s->in.p, .n = (size_t)n};
    s->in.p += n;
    s->in.n -= (size_t)n;
    if (env->desk)
        desk_note_request(env->desk, s->head.p, s->head.n);
    if (serve_ready(s))
        return SERVED;
    conn_before_call(env);
    return serve(s);
}

/* ---------------------------------------------------------------------------------- later */

enum served serve_late(struct service *s)
{
    s->head = (struct span){0};
    serve_note(s->env, s->conn->work->exchange);
    return answer(s, s->conn->work->exchange);
}
