#include "worker/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/parse.h"
#include "worker/body.h"

/* A partial head is looked at again when a line has come, or after so many bytes: a client that
 * sends byte by byte must not cost a whole parse a byte. */
#define RESCAN_BYTES 4096

struct conn_work {
    struct buf in;    /* bytes of requests that were not answered yet; while a body is being read,
                       * the head of its request alone */
    size_t in_body;   /* > 0: so long is the head whose body is being read */
    size_t rescan_at; /* parse again from this length on */
    struct body body;
    struct buf out;          /* bytes of answers that the socket did not take */
    size_t out_at;           /* so many of them were sent since */
    struct payload *payload; /* and what follows them */
    uint64_t dropped;        /* bytes while lingering */
};

int conn_env_open(struct conn_env *env, const struct drover_app *app, struct board_row *row)
{
    memset(env, 0, sizeof *env);
    exchange_open(&env->exchange, app);
    env->row = row;
    env->read_buffer = malloc(READ_BUFFER_SIZE);
    return env->read_buffer ? 0 : -1;
}

void conn_env_free(struct conn_env *env)
{
    if (!env->exchange.app) /* it was never opened */
        return;
    exchange_free(&env->exchange);
    buf_free(&env->out);
    free(env->read_buffer);
    env->read_buffer = NULL;
}

static struct conn_work *work_of(struct conn *conn)
{
    if (!conn->work)
        conn->work = calloc(1, sizeof *conn->work);
    return conn->work;
}

static void work_free(struct conn *conn)
{
    if (!conn->work)
        return;
    buf_free(&conn->work->in);
    buf_free(&conn->work->out);
    payload_free(conn->work->payload);
    free(conn->work);
    conn->work = NULL;
}

void conn_open(struct conn *conn, struct conn_env *env, int fd)
{
    *conn = (struct conn){.fd = fd, .state = CONN_RECEIVING};
    board_add(&env->row->accepted, 1);
    board_add(&env->row->connections, 1);
    deadlines_arm(&env->deadlines, &conn->deadline, DEADLINE_HEADER, env->now);
}

void conn_close(struct conn *conn, struct conn_env *env)
{
    deadlines_disarm(&env->deadlines, &conn->deadline);
    work_free(conn);
    close(conn->fd);
    board_add(&env->row->connections, -1);
    *conn = (struct conn){0};
}

static void arm(struct conn *conn, struct conn_env *env, enum deadline_kind kind)
{
    deadlines_arm(&env->deadlines, &conn->deadline, kind, env->now);
}

/* --------------------------------------------------------------------------------- the end */

/* A close with unread bytes is a reset, which may overtake the answer: say that nothing more
 * comes, and read on until the client is done. */
static enum conn_want start_linger(struct conn *conn, struct conn_env *env)
{
    if (shutdown(conn->fd, SHUT_WR) < 0 || !work_of(conn))
        return CONN_WANT_CLOSE;
    conn->state = CONN_LINGERING;
    arm(conn, env, DEADLINE_LINGER);
    return CONN_WANT_READ;
}

static enum conn_want linger(struct conn *conn, struct conn_env *env)
{
    ssize_t n;
    while ((n = recv(conn->fd, env->read_buffer, READ_BUFFER_SIZE, 0)) > 0) {
        conn->work->dropped += (uint64_t)n;
        if (conn->work->dropped > LINGER_BYTES_MAX)
            return CONN_WANT_CLOSE;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? CONN_WANT_READ : CONN_WANT_CLOSE;
}

/* ------------------------------------------------------------------------------ the answers */

/* The last answer, for a request that cannot be served. What else the client sent is not read. */
static void refuse(struct conn *conn, struct conn_env *env, int status)
{
    exchange_refuse(&env->exchange, &env->out, status);
    board_add(&env->row->requests, 1);
    conn->closing = conn->linger = true;
}

static void answer(struct conn *conn, struct conn_env *env, struct payload **payload, bool last)
{
    conn->closing = !exchange_run(&env->exchange, &env->out, payload, last || env->leaving);
    conn->served = true;
    board_add(&env->row->requests, 1);
    deadlines_disarm(&env->deadlines, &conn->deadline); /* the next request has its own time */
}

/* The body is not whole yet: keep its request's head, which the handler will want to see. */
static bool keep_head(struct conn *conn, struct span head, const struct body *body)
{
    struct conn_work *work = work_of(conn);
    if (!work)
        return false;
    if (work->in.len > 0) /* the head is in there already, with bytes that were dealt with around */
        buf_drop(&work->in, (size_t)(head.p - work->in.p));
    else
        buf_span(&work->in, head);
    work->in.len = head.n;
    work->in_body = head.n;
    work->body = *body;
    return !work->in.failed;
}

/*
 * A request's head is known; takes its body off *in, and answers once that is whole.
 * Returns false when more bytes are needed.
 */
static bool serve(struct conn *conn, struct conn_env *env, struct span head, struct span *in,
                  struct payload **payload)
{
    const struct http_request *request = &env->exchange.request.head;
    struct body body = body_of(request);
    bool has_body = request->chunked || request->content_length > 0;
    if (has_body && request->expect_continue && in->n == 0 &&
        request->content_length <= BODY_DISCARD_MAX) {
        /* Nobody will read it: the answer is final, and the client need not send it at all. */
        answer(conn, env, payload, true);
        conn->linger = true;
        return true;
    }
    int whole = has_body ? body_take(&body, in) : 1;
    if (whole < 0) {
        refuse(conn, env, -whole);
        return true;
    }
    if (whole == 0) {
        if (!keep_head(conn, head, &body))
            refuse(conn, env, 503);
        return false;
    }
    answer(conn, env, payload, false);
    return true;
}

/* More of a body has come. Once it is whole its request is answered. */
static bool serve_body(struct conn *conn, struct conn_env *env, struct span *in,
                       struct payload **payload)
{
    struct conn_work *work = conn->work;
    int whole = body_take(&work->body, in);
    if (whole == 0)
        return false;
    if (whole < 0) {
        refuse(conn, env, -whole);
        return true;
    }
    /* The head was parsed before; now its spans must point to where it is kept. */
    http_parse_head(&env->exchange.request.head, work->in.p, work->in_body);
    answer(conn, env, payload, false);
    buf_clear(&work->in);
    work->in_body = 0;
    return true;
}

/* Answers one request from the front of *in. Returns false when more bytes are needed. */
static bool serve_next(struct conn *conn, struct conn_env *env, struct span *in,
                       struct payload **payload)
{
    if (conn->work && conn->work->in_body > 0)
        return serve_body(conn, env, in, payload);
    int n = http_parse_head(&env->exchange.request.head, in->p, in->n);
    if (n == 0)
        return false;
    if (n < 0) {
        refuse(conn, env, -n);
        return true;
    }
    struct span head = {.p = in->p, .n = (size_t)n};
    in->p += n;
    in->n -= (size_t)n;
    return serve(conn, env, head, in, payload);
}

/* ----------------------------------------------------------------------------- the sending */

/* Everything was sent and there is nothing of the next request. */
static enum conn_want rest(struct conn *conn, struct conn_env *env)
{
    work_free(conn);
    conn->state = CONN_RECEIVING;
    arm(conn, env, conn->served ? DEADLINE_IDLE : DEADLINE_HEADER);
    return CONN_WANT_READ;
}

/* All that was answered has left. */
static enum conn_want sent_all(struct conn *conn, struct conn_env *env)
{
    if (conn->closing)
        return conn->linger ? start_linger(conn, env) : CONN_WANT_CLOSE;
    if (!conn->work || conn->work->in.len == 0)
        return rest(conn, env);
    enum deadline_kind kind = conn->work->in_body ? DEADLINE_BODY : DEADLINE_HEADER;
    if (conn->deadline.kind != kind) /* a request's time runs from its first byte on */
        arm(conn, env, kind);
    conn->state = CONN_RECEIVING;
    return CONN_WANT_READ;
}

static enum conn_want wait_to_send(struct conn *conn, struct conn_env *env, bool progress)
{
    if (progress || conn->deadline.kind != DEADLINE_SEND)
        arm(conn, env, DEADLINE_SEND);
    conn->state = CONN_SENDING;
    return CONN_WANT_WRITE;
}

/* Sends bytes. Returns how many left, -1 when the connection is gone. */
static ssize_t send_bytes(const struct conn *conn, const char *bytes, size_t length, bool more)
{
    if (length == 0)
        return 0;
    ssize_t n = send(conn->fd, bytes, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return n;
}

static enum conn_want send_kept(struct conn *conn, struct conn_env *env, bool turn_over);

/* Sends what was gathered. `turn_over`: unanswered requests wait, and it is another's turn. */
static enum conn_want flush(struct conn *conn, struct conn_env *env, struct payload *payload,
                            bool turn_over)
{
    struct buf *out = &env->out;
    ssize_t n = out->failed ? -1 : send_bytes(conn, out->p, out->len, payload != NULL);
    if (n == (ssize_t)out->len && !payload && !turn_over)
        return sent_all(conn, env);
    conn->linger |= conn->closing; /* a reset would take back what the client has not got yet */
    struct conn_work *work = n < 0 ? NULL : work_of(conn);
    if (!work) {
        payload_free(payload);
        return CONN_WANT_CLOSE;
    }
    buf_add(&work->out, out->p + n, out->len - (size_t)n);
    work->out_at = 0;
    work->payload = payload;
    return work->out.failed ? CONN_WANT_CLOSE : send_kept(conn, env, turn_over);
}

static enum conn_want send_kept(struct conn *conn, struct conn_env *env, bool turn_over)
{
    struct conn_work *work = conn->work;
    uint64_t sent = 0;
    while (work->out_at < work->out.len) {
        ssize_t n = send_bytes(conn, work->out.p + work->out_at, work->out.len - work->out_at,
                               work->payload != NULL);
        if (n < 0)
            return CONN_WANT_CLOSE;
        if (n == 0)
            return wait_to_send(conn, env, sent > 0);
        work->out_at += (size_t)n;
        sent += (uint64_t)n;
    }
    buf_clear(&work->out);
    work->out_at = 0;
    if (work->payload) {
        enum payload_result result = payload_send(work->payload, conn->fd, &sent);
        if (result == PAYLOAD_FAILED)
            return CONN_WANT_CLOSE;
        if (result == PAYLOAD_BLOCKED)
            return wait_to_send(conn, env, sent > 0);
        payload_free(work->payload);
        work->payload = NULL;
    }
    /* Writable is what the socket is now: waiting for that gives the others their turn. */
    return turn_over ? wait_to_send(conn, env, true) : sent_all(conn, env);
}

/* --------------------------------------------------------------------------- the receiving */

/* Keeps what was not answered for when more has come. */
static bool keep_rest(struct conn *conn, struct span in)
{
    struct conn_work *work = conn->work;
    if (work && work->in_body > 0)
        return true; /* a body takes all there is */
    if (work && work->in.len > 0) {
        buf_drop(&work->in, work->in.len - in.n);
    } else if (in.n > 0) {
        work = work_of(conn);
        if (!work)
            return false;
        buf_span(&work->in, in);
    }
    if (work)
        work->rescan_at = work->in.len + RESCAN_BYTES;
    return !work || !work->in.failed;
}

/* Answers what can be answered from these bytes, and sends it. */
static enum conn_want advance(struct conn *conn, struct conn_env *env, struct span in)
{
    struct payload *payload = NULL;
    bool starved = false; /* the next request is not whole */
    buf_clear(&env->out);
    for (int i = 0; i < PIPELINE_TURN_MAX && in.n > 0 && env->out.len < WRITE_GATHER_MAX; i++) {
        starved = !serve_next(conn, env, &in, &payload);
        if (starved || conn->closing || payload)
            break;
    }
    if (conn->closing) {
        conn->linger = conn->linger || in.n > 0;
    } else if (!keep_rest(conn, in)) {
        payload_free(payload);
        return CONN_WANT_CLOSE;
    }
    bool turn_over = in.n > 0 && !starved && !conn->closing;
    return flush(conn, env, payload, turn_over);
}

/* Is it worth to look at a partial head again? */
static bool is_news(const struct conn_work *work, struct span fresh)
{
    return work->in.len >= work->rescan_at || memchr(fresh.p, '\n', fresh.n);
}

/* The rest of a head is read behind what is there. */
static enum conn_want receive_more(struct conn *conn, struct conn_env *env)
{
    struct conn_work *work = conn->work;
    char *to = buf_room(&work->in, RESCAN_BYTES);
    if (!to)
        return CONN_WANT_CLOSE;
    ssize_t n = recv(conn->fd, to, RESCAN_BYTES, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CONN_WANT_READ : CONN_WANT_CLOSE;
    if (n == 0)
        return CONN_WANT_CLOSE;
    buf_grow(&work->in, (size_t)n);
    if (!is_news(work, (struct span){.p = to, .n = (size_t)n}))
        return CONN_WANT_READ;
    return advance(conn, env, (struct span){.p = work->in.p, .n = work->in.len});
}

static enum conn_want receive(struct conn *conn, struct conn_env *env)
{
    if (conn->work && conn->work->in.len > 0 && conn->work->in_body == 0)
        return receive_more(conn, env);
    ssize_t n = recv(conn->fd, env->read_buffer, READ_BUFFER_SIZE, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CONN_WANT_READ : CONN_WANT_CLOSE;
    if (n == 0)
        return CONN_WANT_CLOSE;
    return advance(conn, env, (struct span){.p = env->read_buffer, .n = (size_t)n});
}

/* The socket takes more: send, then go on with the requests that had to wait. */
static enum conn_want resume(struct conn *conn, struct conn_env *env)
{
    enum conn_want want = send_kept(conn, env, false);
    if (want != CONN_WANT_READ || conn->state != CONN_RECEIVING)
        return want;
    if (!conn->work || conn->work->in_body > 0) /* nothing waits, or only a body's rest does */
        return want;
    return advance(conn, env, (struct span){.p = conn->work->in.p, .n = conn->work->in.len});
}

enum conn_want conn_step(struct conn *conn, struct conn_env *env)
{
    switch ((enum conn_state)conn->state) {
    case CONN_RECEIVING: return receive(conn, env);
    case CONN_SENDING: return resume(conn, env);
    case CONN_LINGERING: return linger(conn, env);
    case CONN_CLOSED: break;
    }
    return CONN_WANT_CLOSE;
}

enum conn_want conn_expire(struct conn *conn, struct conn_env *env, enum deadline_kind kind)
{
    bool has_begun = conn->work && conn->work->in.len > 0;
    if ((kind != DEADLINE_HEADER && kind != DEADLINE_BODY) || !has_begun)
        return CONN_WANT_CLOSE;
    buf_clear(&env->out);
    refuse(conn, env, 408);
    return flush(conn, env, NULL, false);
}
