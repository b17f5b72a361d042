#include "worker/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/parse.h"
#include "worker/account.h"
#include "worker/answer.h"
#include "worker/desk.h"
#include "worker/greeting.h"
#include "worker/linger.h"
#include "worker/progress.h"
#include "worker/sending.h"
#include "worker/serve.h"
#include "worker/wake.h"
#include "worker/work.h"

/* A partial head is looked at again when a line has come, or after so many bytes: a client that
 * sends byte by byte must not cost a whole parse a byte. */
#define RESCAN_BYTES 4096

/* ------------------------------------------------------------------------- what all share */

int conn_env_open(struct conn_env *env, const struct drover_app *app, struct drover_worker *worker,
                  struct board_row *row)
{
    memset(env, 0, sizeof *env);
    exchange_env_open(&env->exchanges, app);
    env->exchanges.worker = worker;
    env->exchanges.wake = conn_note_wake;
    env->exchanges.wake_context = env;
    env->exchange = exchange_new(&env->exchanges);
    env->row = row;
    env->read_buffer = malloc(READ_BUFFER_SIZE);
    return env->exchange && env->read_buffer ? 0 : -1;
}

void conn_env_free(struct conn_env *env)
{
    serve_drop_lent(env);
    exchange_free(env->exchange);
    exchange_env_close(&env->exchanges);
    buf_free(&env->out);
    if (!env->desk)
        free(env->read_buffer);
    env->exchange = NULL;
    env->read_buffer = NULL;
}

int conn_env_put_desk(struct conn_env *env, struct desk *desk, struct http_address *clients)
{
    char *buffer = desk ? desk_release_held(desk) : malloc(READ_BUFFER_SIZE);
    if (!buffer)
        return -1;
    if (!env->desk)
        free(env->read_buffer);
    env->read_buffer = buffer;
    env->desk = env->unsent.desk = desk;
    env->unsent.is_taken = false;
    env->clients = clients;
    return 0;
}

void conn_release_held(struct conn_env *env)
{
    if (!env->unsent.is_taken)
        env->read_buffer = desk_release_held(env->desk);
}

void conn_before_call(struct conn_env *env)
{
    account_bytes(env->row, unsent_send(&env->unsent, &env->exchanges));
    if (env->desk)
        conn_release_held(env);
    if (env->exchanges.worker)
        env->exchanges.worker->turn++;
}

/* ------------------------------------------------------------------------------ its life */

void conn_open(struct conn *conn, struct conn_env *env, int fd, bool is_proxied)
{
    *conn = (struct conn){.fd = fd, .state = is_proxied ? CONN_GREETING : CONN_FRESH};
    board_add(&env->row->accepted, 1);
    board_add(&env->row->connections, 1);
    progress_arm(conn, env, DEADLINE_HEADER);
}

/* Where nothing but the close ends an answer, one that was cut must not look whole. */
static bool is_cut(const struct conn *conn)
{
    const struct exchange *exchange = conn->work ? conn->work->exchange : NULL;
    return exchange && exchange->response.is_sealed && answer_ends_by_close(exchange);
}

/* So that close() resets it. */
static void mark_cut(const struct conn *conn)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/* What close() does for a socket that one process has: the end of file, or a reset at once. */
static void end_shared(const struct conn *conn)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (!is_cut(conn) || connect(conn->fd, &nobody, sizeof nobody) < 0) /* unix: has no reset */
        shutdown(conn->fd, SHUT_RDWR);
}

/* Gives back what it owned, with the socket. */
static void release(struct conn *conn, struct conn_env *env)
{
    deadlines_disarm(&env->deadlines, &conn->deadline);
    work_free(conn);
    conn_forget_wake(env, conn);
    if (conn->is_unsent)
        unsent_forget(&env->unsent, conn);
    free(conn->client);
    close(conn->fd);
    *conn = (struct conn){0};
}

void conn_close(struct conn *conn, struct conn_env *env)
{
    if (conn->is_shared)
        end_shared(conn);
    else if (is_cut(conn))
        mark_cut(conn);
    if (env->desk)
        desk_forget(env->desk, conn->fd); /* before the number can be another's */
    release(conn, env);
    board_add(&env->row->connections, -1);
}

void conn_forget(struct conn *conn, struct conn_env *env)
{
    release(conn, env);
}

/* ------------------------------------------------------------------------------ the stream */

static enum conn_want step_stream(struct conn *conn, struct conn_env *env)
{
    bool moved = false;
    struct drover_stream *stream = conn->work->stream;
    enum stream_want want = stream_step(stream, conn->fd, env->read_buffer, READ_BUFFER_SIZE,
                                        &moved);
    account_bytes(env->row, stream->sent);
    stream->sent = 0;
    enum deadline_kind kind = want == STREAM_WRITE ? DEADLINE_SEND : DEADLINE_IDLE;
    if (moved || conn->deadline.kind != kind)
        progress_arm(conn, env, kind);
    switch (want) {
    case STREAM_READ: return CONN_WANT_READ;
    case STREAM_WRITE: return CONN_WANT_WRITE;
    case STREAM_END: stream_close(stream); return linger_start(conn, env);
    case STREAM_FAILED: break;
    }
    return CONN_WANT_CLOSE;
}

/* --------------------------------------------------------------------------- the receiving */

/* Bytes to be read behind so many of a head that is not whole: none that it cannot have. */
static size_t more_of(size_t length)
{
    size_t left = length < HTTP_HEAD_MAX ? HTTP_HEAD_MAX - length : RESCAN_BYTES;
    return left < RESCAN_BYTES ? left : RESCAN_BYTES;
}

/* Keeps what was not answered for when more has come. */
static bool keep_rest(struct conn *conn, const struct conn_env *env, struct span in)
{
    struct conn_work *work = conn->work;
    if (work && work->in.len > 0) {
        buf_drop(&work->in, work->in.len - in.n);
    } else if (in.n > 0) {
        work = work_of(conn);
        if (!work)
            return false;
        buf_span(&work->in, in);
    }
    if (work)
        work->rescan_at = work->in.len + more_of(work->in.len);
    if (in.n > 0)
        work_remember(work, env);
    return !work || !work->in.failed;
}

/* The requests were served as far as `how` says: keeps the rest, and sends what was gathered. */
static enum conn_want finish(struct service *s, enum served how)
{
    struct conn *conn = s->conn;
    if (how == UPGRADED)
        return step_stream(conn, s->env);
    if (conn->closing)
        conn->linger = conn->linger || s->in.n > 0;
    if (how == BROKEN || (!conn->closing && !keep_rest(conn, s->env, s->in))) {
        serve_drop_lent(s->env);
        payload_free(s->payload);
        return CONN_WANT_CLOSE;
    }
    /* An answer that is pulled may be all there at once, and then the next one is due, too. */
    bool is_answered = how == SERVED || (conn->work && conn->work->outlet.pulled);
    bool turn_over = s->in.n > 0 && is_answered && !conn->closing;
    return sending_flush(conn, s->env, s->payload, turn_over);
}

static enum conn_want conclude(struct service *s, enum served how)
{
    enum conn_want want = finish(s, how);
    if (s->env->desk)
        desk_note_none(s->env->desk);
    return want;
}

/* The connection ends with the answer that there is. */
static enum conn_want conclude_refused(struct conn *conn, struct conn_env *env, enum served how)
{
    struct service service = {.conn = conn, .env = env};
    return conclude(&service, how);
}

/* May another answer be gathered? */
static bool has_room(const struct conn_env *env)
{
    size_t gathered = env->lent ? env->lent->length : env->out.len;
    return gathered < WRITE_GATHER_MAX;
}

/* Answers what can be answered from these bytes, and sends it. `is_read`: some were read just now,
 * and with them all that is behind the first request. */
static enum conn_want advance(struct conn *conn, struct conn_env *env, struct span in, bool is_read)
{
    struct service service = {.conn = conn, .env = env, .in = in};
    enum served how = SERVED;
    buf_clear(&env->out);
    work_resume(conn, env);
    for (int i = 0; i < PIPELINE_TURN_MAX && service.in.n > 0 && has_room(env); i++) {
        how = serve_next(&service);
        if (is_read && how == SERVED)
            env->begun_us = 0;
        if (how != SERVED || conn->closing || service.payload)
            break;
    }
    return conclude(&service, how);
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
    size_t room = more_of(work->in.len);
    char *to = buf_room(&work->in, room);
    if (!to)
        return CONN_WANT_CLOSE;
    ssize_t n = recv(conn->fd, to, room, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CONN_WANT_READ : CONN_WANT_CLOSE;
    if (n == 0)
        return CONN_WANT_CLOSE;
    buf_grow(&work->in, (size_t)n);
    if (!is_news(work, (struct span){.p = to, .n = (size_t)n}))
        return CONN_WANT_READ;
    return advance(conn, env, (struct span){.p = work->in.p, .n = work->in.len}, true);
}

static enum conn_want receive(struct conn *conn, struct conn_env *env)
{
    struct conn_work *work = conn->work;
    if (work && work->in.len > 0)
        return receive_more(conn, env);
    ssize_t n = recv(conn->fd, env->read_buffer, READ_BUFFER_SIZE, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? CONN_WANT_READ : CONN_WANT_CLOSE;
    if (n == 0)
        return CONN_WANT_CLOSE;
    if (work && work->in_body)
        progress_note(conn, env, DEADLINE_BODY, (uint64_t)n, PROGRESS_BYTES);
    return advance(conn, env, (struct span){.p = env->read_buffer, .n = (size_t)n}, true);
}

/* What was in the way is done: goes on with the requests that had to wait. */
static enum conn_want go_on(struct conn *conn, struct conn_env *env, enum conn_want want)
{
    struct conn_work *work = conn->work;
    if (want != CONN_WANT_READ || conn->state != CONN_RECEIVING)
        return want;
    if (!work || work->in.len == 0)
        return want;
    return advance(conn, env, (struct span){.p = work->in.p, .n = work->in.len}, false);
}

/* What came behind a PROXY header. */
static enum conn_want begin_with(struct conn *conn, struct conn_env *env, struct span in)
{
    const struct drover_protocol *protocol = env->exchanges.app->stream;
    if (!protocol && in.n > 0) {
        conn->state = CONN_RECEIVING;
        return advance(conn, env, in, true);
    }
    if (!protocol) {
        work_free(conn); /* the header may have come in pieces */
        conn->state = CONN_FRESH;
        return CONN_WANT_READ;
    }
    return serve_stream(conn, env, protocol, in) ? step_stream(conn, env) : CONN_WANT_CLOSE;
}

/* The first of a connection. */
static enum conn_want begin(struct conn *conn, struct conn_env *env)
{
    if (env->exchanges.app->stream)
        return begin_with(conn, env, (struct span){0});
    conn->state = CONN_RECEIVING;
    return receive(conn, env);
}

static enum conn_want greet(struct conn *conn, struct conn_env *env)
{
    struct span behind;
    switch (greeting_read(conn, env, &behind)) {
    case GREETING_WHOLE: return begin_with(conn, env, behind);
    case GREETING_MORE: return CONN_WANT_READ;
    case GREETING_REFUSED: break;
    }
    return CONN_WANT_CLOSE;
}

enum conn_want conn_step(struct conn *conn, struct conn_env *env)
{
    switch ((enum conn_state)conn->state) {
    case CONN_GREETING: return greet(conn, env);
    case CONN_FRESH: return begin(conn, env);
    case CONN_RECEIVING: return receive(conn, env);
    case CONN_SENDING: return go_on(conn, env, sending_go_on(conn, env, false));
    case CONN_LINGERING: return linger_step(conn, env);
    case CONN_STREAMING: return step_stream(conn, env);
    case CONN_WAITING: /* nothing but its end was waited for */
    case CONN_CLOSED: break;
    }
    return CONN_WANT_CLOSE;
}

enum conn_want conn_replay(struct conn *conn, struct conn_env *env, struct span request)
{
    struct service service = {.conn = conn, .env = env, .in = request};
    conn->state = CONN_RECEIVING;
    buf_clear(&env->out);
    env->begun_us = BEGUN_ELSEWHERE;
    return conclude(&service, serve_next(&service));
}

/* A deferred answer is complete, or its time is up. */
static enum conn_want answer_late(struct conn *conn, struct conn_env *env)
{
    const struct conn_work *work = conn->work;
    struct service service = {.conn = conn, .env = env, .in = span_of_buf(&work->in)};
    if (!exchange_is_ready(work->exchange))
        return CONN_WANT_WAKE;
    buf_clear(&env->out);
    work_resume(conn, env);
    enum served how = serve_late(&service);
    return go_on(conn, env, conclude(&service, how));
}

static enum conn_want answer_early(struct conn *conn, struct conn_env *env)
{
    conn->work->in_body = false;
    conn->work->exchange->must_close = true;
    return answer_late(conn, env);
}

enum conn_want conn_wake(struct conn *conn, struct conn_env *env)
{
    switch ((enum conn_state)conn->state) {
    case CONN_STREAMING: return step_stream(conn, env);
    case CONN_SENDING: return CONN_WANT_WRITE;
    case CONN_RECEIVING:
        return work_is_early(conn->work) ? answer_early(conn, env) : CONN_WANT_READ;
    case CONN_WAITING: break;
    default: return CONN_WANT_READ;
    }
    if (conn->work->outlet.pulled)
        return go_on(conn, env, sending_go_on(conn, env, false));
    return answer_late(conn, env);
}

/* The application has not answered in time; it may still do so, to nobody. */
static enum conn_want give_up(struct conn *conn, struct conn_env *env)
{
    if (exchange_is_ready(conn->work->exchange)) /* in this very turn, and its wake is the next's */
        return answer_late(conn, env);
    struct exchange *exchange = conn->work->exchange;
    const struct refused refused = exchange_refused(exchange);
    const struct span method = exchange->request.head.method_name;
    exchange_misuse(&exchange->response, ETIMEDOUT,
                    "an answer that was deferred is not finished after --answer-timeout: %.*s %s",
                    (int)method.n, method.p, exchange->request.path);
    conn->work->exchange = NULL;
    exchange->conn = NULL;
    buf_clear(&env->out);
    work_resume(conn, env);
    env->refused = span_of_buf(&exchange->request.kept);
    enum served how = serve_refusal(conn, env, 503, &refused);
    exchange_abandon(exchange);
    return conclude_refused(conn, env, how);
}

/* Of the request that has begun. */
static struct refused known_so_far(const struct conn_work *work, struct conn_env *env)
{
    if (work->in_body)
        return exchange_refused(work->exchange);
    if (!env->exchange)
        return (struct refused){.method = HTTP_GET};
    struct http_request *head = &env->exchange->request.head;
    http_parse_head(head, work->in.p, work->in.len);
    return (struct refused){.method = head->method};
}

enum conn_want conn_expire(struct conn *conn, struct conn_env *env, enum deadline_kind kind)
{
    struct conn_work *work = conn->work;
    if (kind == DEADLINE_SEND && progress_is_enough(conn)) {
        progress_arm(conn, env, DEADLINE_SEND);
        return CONN_WANT_WRITE;
    }
    if (conn->state == CONN_STREAMING)
        work->stream->error = ETIMEDOUT;
    if (kind == DEADLINE_ANSWER)
        return give_up(conn, env);
    if (kind == DEADLINE_BODY && work_is_early(work))
        return answer_early(conn, env);
    bool has_begun = work && conn->state != CONN_GREETING && (work->in.len > 0 || work->in_body);
    if ((kind != DEADLINE_HEADER && kind != DEADLINE_BODY) || !has_begun)
        return CONN_WANT_CLOSE;
    buf_clear(&env->out);
    work_resume(conn, env);
    const struct refused refused = known_so_far(work, env);
    struct exchange *begun = work->in_body ? work->exchange : NULL;
    work->exchange = NULL;
    work->in_body = false;
    env->refused = span_of_buf(begun ? &begun->request.kept : &work->in);
    if (begun)
        begun->conn = NULL;
    enum served how = serve_refusal(conn, env, 408, &refused);
    if (begun)
        exchange_abandon(begun);
    return conclude_refused(conn, env, how);
}

bool conn_lasts(const struct conn *conn)
{
    return conn->state == CONN_STREAMING || conn->state == CONN_WAITING ||
           (conn->work && conn->work->outlet.pulled);
}

void conn_leave(struct conn *conn)
{
    if (conn->state == CONN_STREAMING)
        stream_leave(conn->work->stream);
}
