#include "worker/conns.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "worker/account.h"
#include "worker/client.h"
#include "worker/pristine.h"

/* There are as many structs as descriptors. */
int conns_open(struct conns *conns, struct loop *loop, struct conn_env *env, int yield_from,
               void (*on_end)(void *context), void *context)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    *conns = (struct conns){.yield_from = yield_from,
                            .loop = loop,
                            .env = env,
                            .on_end = on_end,
                            .context = context,
                            .give_at = CLOCK_NEVER};
    void *p = mmap(NULL, (size_t)limit.rlim_cur * sizeof *conns->list, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    conns->room = (size_t)limit.rlim_cur;
    conns->list = p;
    return 0;
}

void conns_close(struct conns *conns)
{
    if (conns->list)
        munmap(conns->list, conns->room * sizeof *conns->list);
    conns->list = NULL;
}

static void end_one(struct conns *conns, struct conn *conn)
{
    if (conn->armed)
        loop_delete(conns->loop, conn->fd);
    conn_close(conn, conns->env);
    conns->count--;
    conns->on_end(conns->context);
}

/* The same for one that the successor goes on with. */
static void forget_one(struct conns *conns, struct conn *conn)
{
    if (conn->armed)
        loop_delete(conns->loop, conn->fd);
    conn_forget(conn, conns->env);
    conns->count--;
    conns->on_end(conns->context);
}

/* ----------------------------------------------------------------------------- the custody */

/*
 * Whatever is done with a connection, it is claimed before that, and laid down behind all that was
 * done: also behind epoll_ctl(2), since a successor has but the set to find out what came. Killed
 * anywhere in between, it was in the middle.
 */

/* False: it is the successor's. */
static bool claim(const struct conns *conns, const struct conn *conn)
{
    return !conns->env->desk || desk_claim(conns->env->desk, conn->fd);
}

/* So that its time does not come again and again until it is forgotten. */
static void leave_alone(struct conns *conns, struct conn *conn)
{
    deadlines_disarm(&conns->env->deadlines, &conn->deadline);
}

static enum custody custody_of(const struct conn *conn, const struct conn_env *env)
{
    if (!client_can_be_noted(conn, env))
        return CUSTODY_BUSY;
    if (conn->is_held)
        return CUSTODY_HELD;
    if (conn->armed != CONN_WANT_READ + 1 || !handover_is_possible(conn))
        return conn_lasts(conn) ? CUSTODY_LASTING : CUSTODY_BUSY;
    if (conn->state == CONN_GREETING)
        return CUSTODY_GREETING;
    return conn->served > 0 ? CUSTODY_KEPT : CUSTODY_FRESH;
}

/* It rests, perhaps. */
static void lay_down(const struct conns *conns, const struct conn *conn)
{
    if (conns->env->desk)
        desk_rest(conns->env->desk, conn->fd, custody_of(conn, conns->env));
}

/* It is new. */
static void take_up(const struct conns *conns, const struct conn *conn)
{
    if (!conns->env->desk)
        return;
    desk_begin(conns->env->desk, conn->fd);
    client_note(conn, conns->env);
}

/* ------------------------------------------------------------------------- the handing over */

void conns_keep(struct conns *conns)
{
    conns->env->has_heirs = false;
    conns->give_at = CLOCK_NEVER;
}

void conns_give(struct conns *conns, const struct doors *doors, const struct slot_set *heirs,
                int first)
{
    heirs_set(&conns->heirs, doors, heirs, first);
    conns_keep(conns);
    if (conns->heirs.count == 0)
        return;
    conns->env->has_heirs = true;
    conns->give_from = 0;
    conns->give_at = conns->env->now;
}

/* It stays, and is served, until there is room for it elsewhere. */
static void give_later(struct conns *conns, const struct conn *conn, int64_t when)
{
    if ((size_t)conn->fd < conns->give_from)
        conns->give_from = (size_t)conn->fd;
    conns->give_at = when;
}

/* True when the connection is no longer here. */
static bool give(struct conns *conns, struct conn *conn)
{
    switch (heirs_give(&conns->heirs, conn)) {
    case HEIRS_TOOK:
        conn->is_shared = false; /* to close it ends nothing, and is not to */
        end_one(conns, conn);
        return true;
    case HEIRS_FULL: give_later(conns, conn, conns->env->now + HANDOVER_AGAIN_MS); break;
    case HEIRS_NONE: conns_keep(conns); break;
    }
    return false;
}

/* It has come to rest, perhaps. */
static bool give_if_resting(struct conns *conns, struct conn *conn)
{
    if (!conns->env->has_heirs || !handover_is_possible(conn))
        return false;
    bool is_full = conns->give_at != CLOCK_NEVER && conns->give_at > conns->env->now;
    if (!is_full)
        return give(conns, conn);
    give_later(conns, conn, conns->give_at);
    return false;
}

void conns_tick(struct conns *conns)
{
    if (conns->give_at > conns->env->now)
        return;
    for (int left = HANDOVER_TURN_MAX; conns->give_from < conns->top; conns->give_from++) {
        struct conn *conn = &conns->list[conns->give_from];
        if (!handover_is_possible(conn))
            continue;
        if (left-- == 0)
            return;
        if (!claim(conns, conn) || give(conns, conn))
            continue;
        lay_down(conns, conn);
        return;
    }
    conns->give_at = CLOCK_NEVER;
}

int64_t conns_next(const struct conns *conns)
{
    return conns->give_at;
}

/* ----------------------------------------------------------------------------- the waiting */

static void on_conn(struct loop *loop, int fd, uint32_t events, void *context);

static int arm(struct conns *conns, struct conn *conn, enum conn_want want)
{
    static const uint32_t events_of[] = {[CONN_WANT_READ] = EPOLLIN,
                                         [CONN_WANT_WRITE] = EPOLLOUT,
                                         [CONN_WANT_WAKE] = 0, /* errors and hang-ups alone */
                                         [CONN_WANT_CLOSE] = 0};
    uint32_t events = events_of[want];
    int result = conn->armed ? loop_change(conns->loop, conn->fd, events)
                             : loop_add(conns->loop, conn->fd, events, on_conn, conns);
    conn->armed = result == 0 ? (uint8_t)(want + 1) : conn->armed;
    return result;
}

/* Waits for what the connection wants, or ends it. It was claimed. */
static void settle(struct conns *conns, struct conn *conn, enum conn_want want)
{
    if (want == CONN_WANT_CLOSE) {
        end_one(conns, conn);
        return;
    }
    if (give_if_resting(conns, conn))
        return;
    if (conn->armed != want + 1 && arm(conns, conn, want) < 0) {
        log_warn("cannot wait for a connection");
        end_one(conns, conn);
        return;
    }
    lay_down(conns, conn);
}

/* Something has come for it, which is for who goes on with it, if there is one. */
static void serve(struct conns *conns, struct conn *conn)
{
    if (!give_if_resting(conns, conn))
        settle(conns, conn, conn_step(conn, conns->env));
}

static void on_conn(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct conns *conns = context;
    struct conn *conn = &conns->list[fd];
    (void)loop;
    (void)events; /* errors and hang-ups show when it reads or writes */
    if (conns->env->desk && !desk_claim(conns->env->desk, fd))
        return;
    if (conn->work) /* the application may have a part in it */
        conn_before_call(conns->env);
    serve(conns, conn);
}

/* ----------------------------------------------------------------------------- the beginning */

/* An idle client's request may be there unread, where the worker itself was late: it was stopped,
 * or a handler took its time. */
static bool has_asked(const struct conn *conn)
{
    char byte;
    return recv(conn->fd, &byte, 1, MSG_PEEK) > 0;
}

/* NULL: no time runs for any. */
static struct conn *longest(const struct deadlines *all)
{
    static const enum deadline_kind kinds[] = {DEADLINE_IDLE, DEADLINE_LINGER, DEADLINE_HEADER,
                                               DEADLINE_BODY, DEADLINE_SEND};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (all->first[kinds[i]])
            return (struct conn *)all->first[kinds[i]]; /* its first member */
    return NULL;
}

/* Makes room for one. Who has asked by now is answered, and is the last to go. */
static void yield(struct conns *conns)
{
    for (int left = conns->count; left > 0 && conns->count >= conns->yield_from; left--) {
        struct conn *conn = longest(&conns->env->deadlines);
        if (!conn)
            return;
        conn_before_call(conns->env);
        if (!claim(conns, conn))
            leave_alone(conns, conn);
        else if (conn->deadline.kind == DEADLINE_IDLE && has_asked(conn))
            serve(conns, conn);
        else
            end_one(conns, conn);
    }
}

/* One that it may keep, of a new connection; -1: it was closed. */
static int number_of(const struct conns *conns, int fd)
{
    const struct pristine *pristine = conns->env->pristine;
    return pristine && fds_has(&pristine->open, fd) ? pristine_evade(pristine, fd) : fd;
}

/* The struct for it; NULL when it was closed, since the limit of descriptors was raised after the
 * worker had started, or no number was left for it. */
static struct conn *place_of(struct conns *conns, int fd)
{
    if ((size_t)fd >= conns->room) {
        if (fd >= 0)
            close(fd);
        conns->on_end(conns->context);
        return NULL;
    }
    if (conns->yield_from && !conns->env->has_heirs)
        yield(conns);
    if ((size_t)fd >= conns->top)
        conns->top = (size_t)fd + 1;
    return &conns->list[fd];
}

void conns_start(struct conns *conns, int fd, bool is_proxied)
{
    fd = number_of(conns, fd);
    struct conn *conn = place_of(conns, fd);
    if (!conn)
        return;
    conn_open(conn, conns->env, fd, is_proxied);
    conns->count++;
    take_up(conns, conn);
    serve(conns, conn);
}

void conns_take(struct conns *conns, int fd, const struct handover *what)
{
    fd = number_of(conns, fd);
    struct conn *conn = place_of(conns, fd);
    if (!conn)
        return;
    if (handover_open(conn, conns->env, fd, what) < 0) {
        close(fd);
        conns->on_end(conns->context);
        return;
    }
    board_add(&conns->env->row->taken, 1);
    conns->count++;
    take_up(conns, conn);
    if (conns->env->exchanges.app->stream) /* its protocol may be the first to speak */
        serve(conns, conn);
    else
        settle(conns, conn, CONN_WANT_READ);
}

/* ----------------------------------------------------------------------------- the succession */

/* What is known of it is no more than what is said of one that is handed over. */
static int reopen(struct conns *conns, struct conn *conn, int fd, const struct resumed *what)
{
    struct handover same = {.is_greeting = what->state == CUSTODY_GREETING,
                            .is_shared = conns->env->is_twinned,
                            .served = what->state == CUSTODY_KEPT};
    same.has_client = what->client && client_noted(what->client, &same.client);
    if (what->state == CUSTODY_HELD && what->request.n == 0)
        return -1;
    return handover_open(conn, conns->env, fd, &same);
}

void conns_resume(struct conns *conns, int fd, const struct resumed *what)
{
    struct conn *conn = place_of(conns, fd);
    if (!conn)
        return;
    if (reopen(conns, conn, fd, what) < 0) {
        if (conns->env->is_twinned)
            shutdown(fd, SHUT_RDWR);
        close(fd);
        conns->on_end(conns->context);
        return;
    }
    conns->count++;
    take_up(conns, conn);
    if (what->is_watched && loop_know(conns->loop, fd, on_conn, conns) == 0)
        conn->armed = CONN_WANT_READ + 1;
    settle(conns, conn,
           what->state == CUSTODY_HELD ? conn_replay(conn, conns->env, what->request)
                                       : CONN_WANT_READ);
}

int conns_forget_taken(struct conns *conns)
{
    int count = 0;
    for (size_t fd = 0; fd < conns->top; fd++) {
        struct conn *conn = &conns->list[fd];
        if (conn->state == CONN_CLOSED || desk_taken(conns->env->desk, conn->fd) == CUSTODY_NONE)
            continue;
        forget_one(conns, conn);
        count++;
    }
    return count;
}

/* ----------------------------------------------------------------------------- the limit */

bool conns_have_room(const struct conns *conns, const struct doors *doors, int max_connections)
{
    int64_t doors_of_all = (int64_t)doors->slot_count * (doors->address_count + INBOX_ENDS);
    int64_t fit = ((int64_t)conns->room - SPARE_FDS - doors_of_all) / CONN_FDS_MAX;
    int64_t most = max_connections + (max_connections + 1) / 2;
    return conns->count < (fit > most ? fit : most);
}

/* ------------------------------------------------------------------------------ their life */

void conns_expire(struct conns *conns)
{
    for (int left = EXPIRE_TURN_MAX; left > 0; left--) {
        enum deadline_kind kind;
        struct deadline *due = deadlines_due(&conns->env->deadlines, conns->env->now, &kind);
        if (!due)
            break;
        struct conn *conn = (struct conn *)due; /* its first member */
        conn_before_call(conns->env);
        if (!claim(conns, conn))
            leave_alone(conns, conn);
        else if (kind == DEADLINE_IDLE && has_asked(conn))
            serve(conns, conn);
        else
            settle(conns, conn, conn_expire(conn, conns->env, kind));
    }
    conns_flush(conns); /* an idle client's answer: no event follows that would send it */
}

void conns_flush(struct conns *conns)
{
    struct unsent *unsent = &conns->env->unsent;
    account_bytes(conns->env->row, unsent_send(unsent, &conns->env->exchanges));
    if (conns->env->desk)
        conn_release_held(conns->env);
    while (unsent->count > 0) {
        struct unsent_one one = unsent->list[--unsent->count];
        unsent->tried = unsent->count;
        settle(conns, one.conn, conn_unsent(&one, conns->env));
        prepared_drop(one.answer);
    }
}

void conns_wake(struct conns *conns)
{
    for (int i = conns->env->woken_count; i > 0; i--) {
        struct conn *conn = conn_next_woken(conns->env);
        if (claim(conns, conn))
            settle(conns, conn, conn_wake(conn, conns->env));
    }
}

void conns_leave(const struct conns *conns)
{
    if (!conns->env->exchanges.app->stream && !conns->env->has_streams)
        return;
    for (size_t fd = 0; fd < conns->top; fd++)
        conn_leave(&conns->list[fd]);
}

void conns_end_all(struct conns *conns)
{
    for (size_t fd = 0; fd < conns->top && conns->count > 0; fd++) {
        struct conn *conn = &conns->list[fd];
        if (conn->state == CONN_CLOSED)
            continue;
        if (claim(conns, conn))
            end_one(conns, conn);
        else
            forget_one(conns, conn);
    }
}
