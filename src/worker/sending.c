#include "worker/sending.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "worker/access.h"
#include "worker/account.h"
#include "worker/client.h"
#include "worker/desk.h"
#include "worker/linger.h"
#include "worker/outlet.h"
#include "worker/progress.h"
#include "worker/serve.h"
#include "worker/wake.h"
#include "worker/work.h"

/* Everything was sent and there is nothing of the next request. */
static enum conn_want come_to_rest(struct conn *conn, struct conn_env *env)
{
    work_free(conn);
    conn->state = CONN_RECEIVING;
    progress_arm(conn, env, conn->served > 0 ? DEADLINE_IDLE : DEADLINE_HEADER);
    return CONN_WANT_READ;
}

/* The application is to say when it goes on; and when its answer is due, if it has not begun. */
static enum conn_want wait_for_application(struct conn *conn, struct conn_env *env)
{
    const struct conn_work *work = conn->work;
    if (work->outlet.pulled)
        deadlines_disarm(&env->deadlines, &conn->deadline);
    else if (conn->deadline.kind != DEADLINE_ANSWER)
        progress_arm(conn, env, DEADLINE_ANSWER);
    if (!work->outlet.pulled && exchange_is_ready(work->exchange))
        conn_note_wake(env, conn); /* what it said meanwhile was not heeded */
    conn->state = CONN_WAITING;
    return CONN_WANT_WAKE;
}

/* What was written was the connection's last, and waits for this: the end goes in its segment,
 * which is one less for the network and for both ends. Where this is late, since another process
 * has the CPU, the kernel sends it by itself, after 200 ms. close() alone would reset what waits,
 * had the client sent more meanwhile. */
static enum conn_want end_with_it(struct conn *conn, struct conn_env *env)
{
    if (conn->linger)
        return linger_start(conn, env);
    shutdown(conn->fd, SHUT_WR);
    return CONN_WANT_CLOSE;
}

/* All that was answered has left. */
static enum conn_want sent_all(struct conn *conn, struct conn_env *env)
{
    struct conn_work *work = conn->work;
    if (conn->closing)
        return conn->linger ? linger_start(conn, env) : CONN_WANT_CLOSE;
    if (work && work->exchange && !work->in_body)
        return wait_for_application(conn, env);
    if (!work || (work->in.len == 0 && !work->in_body))
        return come_to_rest(conn, env);
    enum deadline_kind kind = work->in_body ? DEADLINE_BODY : DEADLINE_HEADER;
    if (conn->deadline.kind != kind) /* a request's time runs from its first byte on */
        progress_arm(conn, env, kind);
    if (work->exchange && work_is_early(work) && work->exchange->response.is_deferred)
        conn_note_wake(env, conn); /* what it said meanwhile was not heeded */
    conn->state = CONN_RECEIVING;
    return CONN_WANT_READ;
}

static enum conn_want wait_to_send(struct conn *conn, struct conn_env *env, uint64_t sent)
{
    progress_note(conn, env, DEADLINE_SEND, sent, PROGRESS_BYTES);
    conn->state = CONN_SENDING;
    return CONN_WANT_WRITE;
}

/* The answer has left whole. */
static void note_left(struct conn_work *work)
{
    access_close(work->logged);
    work->logged = NULL;
}

enum conn_want sending_go_on(struct conn *conn, struct conn_env *env, bool turn_over)
{
    struct conn_work *work = conn->work;
    uint64_t sent = 0;
    serve_note(env, work->outlet.pulled);
    enum outlet_result result = outlet_send(&work->outlet, conn->fd, &sent);
    serve_note(env, NULL);
    account_bytes(env->row, sent);
    access_sent(work->logged, sent);
    switch (result) {
    case OUTLET_BLOCKED: return wait_to_send(conn, env, sent);
    case OUTLET_STARVED: return wait_for_application(conn, env);
    case OUTLET_FAILED: return CONN_WANT_CLOSE;
    case OUTLET_EMPTY: break;
    }
    note_left(work);
    if (work->exchange && work->exchange->response.is_sealed) /* its last piece was pulled */
        serve_end(conn, env);
    /* Writable is what the socket is now: waiting for that gives the others their turn. */
    return turn_over ? wait_to_send(conn, env, PROGRESS_BYTES) : sent_all(conn, env);
}

/* What was read for it, which is the last request, stays until it has left, for the worker's
 * successor. */
static bool keep_request(struct conn *conn, struct conn_env *env)
{
    if (!env->desk || conn->fd >= DESK_FDS_MAX)
        return true;
    char *next = client_can_be_noted(conn, env) ? desk_hold(env->desk, conn->fd) : NULL;
    if (!next)
        return false;
    conn->is_held = true;
    env->read_buffer = next;
    return true;
}

/* An answer that is all there is leaves with those of the others. Not where the connection may go
 * to another worker before that. */
static bool hold_back(struct conn *conn, struct conn_env *env, bool turn_over)
{
    if (!env->lent || turn_over || conn->work || env->leaving || !unsent_has_room(&env->unsent) ||
        !keep_request(conn, env))
        return false;
    unsent_add(&env->unsent, conn, env->lent);
    env->lent = NULL;
    return true;
}

/* All there is to be sent is one answer that stands ready. */
static enum conn_want send_lent(struct conn *conn, struct conn_env *env, bool turn_over)
{
    struct conn_work *work = work_of(conn);
    if (work)
        outlet_put_prepared(&work->outlet, env->lent, prepared_whole(env->lent, &env->exchanges));
    serve_drop_lent(env);
    return work ? sending_go_on(conn, env, turn_over) : CONN_WANT_CLOSE;
}

enum conn_want sending_flush(struct conn *conn, struct conn_env *env, struct payload *payload,
                             bool turn_over)
{
    if (hold_back(conn, env, turn_over))
        return sent_all(conn, env);
    if (env->lent)
        return send_lent(conn, env, turn_over);
    struct span out = span_of_buf(&env->out);
    bool more = payload || (conn->work && conn->work->outlet.pulled);
    bool is_all = !more && !turn_over;
    bool is_last = is_all && conn->closing && out.n > 0;
    bool waits = is_last || (payload && payload->parts[0].length > HEAD_ALONE_MAX);
    ssize_t n = env->out.failed ? -1 : outlet_write(conn->fd, out.p, out.n, waits);
    account_bytes(env->row, n > 0 ? (uint64_t)n : 0);
    if (n == (ssize_t)out.n && is_all)
        return is_last ? end_with_it(conn, env) : sent_all(conn, env);
    conn->linger |= conn->closing; /* a reset would take back what the client has not got yet */
    struct conn_work *work = n < 0 ? NULL : work_of(conn);
    if (!work) {
        payload_free(payload);
        return CONN_WANT_CLOSE;
    }
    access_sent(work->logged, (uint64_t)n);
    buf_add(&work->outlet.bytes, out.p + n, out.n - (size_t)n);
    work->outlet.payload = payload;
    return work->outlet.bytes.failed ? CONN_WANT_CLOSE : sending_go_on(conn, env, turn_over);
}

enum conn_want conn_unsent(const struct unsent_one *one, struct conn_env *env)
{
    struct span whole = prepared_whole(one->answer, &env->exchanges);
    struct span rest = {.p = whole.p + one->sent, .n = whole.n - one->sent};
    one->conn->is_unsent = false;
    struct conn_work *work = one->is_broken ? NULL : work_of(one->conn);
    if (!work)
        return CONN_WANT_CLOSE;
    outlet_put_prepared(&work->outlet, one->answer, rest);
    return sending_go_on(one->conn, env, false);
}
