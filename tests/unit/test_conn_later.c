/* Answers that take time: deferred ones, and those that are pulled. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "rig.h"

/* --------------------------------------------------------------------------- an application */

#define PENDING_MAX 300

static struct {
    struct drover_response *pending[PENDING_MAX]; /* NULL: finished */
    int count;
    int attached, released;
} later;

static void release(void *state)
{
    cr_assert_eq(state, &later);
    later.released++;
}

static void attach(struct drover_response *response)
{
    cr_assert_eq(drover_response_attach(response, &later, release), 0);
    later.attached++;
}

static void say_path(struct drover_response *response)
{
    struct drover_span path = drover_request_path(drover_response_request(response));
    drover_response_body(response, path.p, path.n);
}

/* "/later..." is deferred, "/inside" too, but finished at once; the rest is as in rig.h. */
static void handle_later(void *context, const struct drover_request *request,
                         struct drover_response *response)
{
    struct drover_span path = drover_request_path(request);
    if (strncmp(path.p, "/later", 6) == 0) {
        attach(response);
        cr_assert_eq(drover_response_defer(response), 0);
        cr_assert_lt(later.count, PENDING_MAX);
        later.pending[later.count++] = response;
    } else if (strcmp(path.p, "/inside") == 0) {
        attach(response);
        drover_response_defer(response);
        say_path(response);
        drover_response_finish(response);
    } else {
        handle(context, request, response);
    }
}

static void finish(int i)
{
    struct drover_response *response = later.pending[i];
    cr_assert_not_null(response);
    later.pending[i] = NULL;
    say_path(response);
    drover_response_finish(response);
}

static void open_later(struct rig *rig)
{
    memset(&later, 0, sizeof later);
    open_rig(rig);
    rig->app.handle = handle_later;
}

static void close_later(struct rig *rig)
{
    close_rig(rig);
    cr_expect_eq(later.released, later.attached, "%d of %d were released", later.released,
                 later.attached);
}

static void expire(struct rig *rig)
{
    enum deadline_kind kind;
    rig->env.now = deadlines_next(&rig->env.deadlines);
    struct deadline *due = deadlines_due(&rig->env.deadlines, rig->env.now, &kind);
    cr_assert_eq(due, &rig->conn.deadline);
    obey(rig, conn_expire(&rig->conn, &rig->env, kind));
    pump(rig);
}

/* -------------------------------------------------------------------------------- deferred */

Test(conn_later, finished_within_the_handler)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/inside") GET("/a"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "/inside");
    expect_answer(&all, 200, "GET/a");
    cr_expect_eq(later.released, 1);
    cr_expect_null(rig.conn.work);
    close_later(&rig);
}

Test(conn_later, finished_later)
{
    struct rig rig;
    open_later(&rig);
    for (int i = 0; i < 3; i++) {
        say(&rig, GET("/later"));
        cr_expect_eq(rig.conn.state, CONN_WAITING);
        cr_expect_eq(rig.want, CONN_WANT_WAKE);
        cr_expect_eq(rig.conn.deadline.kind, DEADLINE_ANSWER);
        cr_expect_eq(rig.conn.deadline.at, rig.env.now + timeouts[DEADLINE_ANSWER]);
        cr_expect_eq(later.released, i);
        buf_clear(&rig.got);
        finish(i);
        pump(&rig);
        struct span all = got(&rig);
        expect_answer(&all, 200, "/later");
        cr_expect_eq(all.n, 0);
        cr_expect_eq(later.released, i + 1);
        cr_expect_eq(rig.conn.deadline.kind, DEADLINE_IDLE);
        cr_expect_null(rig.conn.work);
    }
    cr_expect_eq(rig.row->requests, 3);
    close_later(&rig);
}

Test(conn_later, finished_as_the_last_one)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET_LAST("/later"));
    finish(0);
    pump(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, "/later");
    cr_expect(rig.is_ended);
    close_later(&rig);
}

/* The request, and its body, are still there when the handler has long returned. */
Test(conn_later, the_request_outlives_the_handler)
{
    struct rig rig;
    open_later(&rig);
    rig.app.when = DROVER_WITH_BODY;
    say(&rig,
        "POST /later?q HTTP/1.1\r\nHost: h\r\nX: yz\r\nContent-Length: 3\r\n\r\nabc" GET("/a"));
    memset(rig.env.read_buffer, 'x', READ_BUFFER_SIZE);
    const struct drover_request *request = drover_response_request(later.pending[0]);
    struct drover_span parts[] = {
        drover_request_method(request),     drover_request_path(request),
        drover_request_query(request),      drover_request_authority(request),
        drover_request_field(request, "x"), drover_request_body(request)};
    static const char *const wanted[] = {"POST", "/later", "q", "h", "yz", "abc"};
    for (size_t i = 0; i < LENGTH(wanted); i++)
        cr_expect(span_eq((struct span){.p = parts[i].p, .n = parts[i].n}, span_of(wanted[i])),
                  "%s: %.*s", wanted[i], (int)parts[i].n, parts[i].p);
    finish(0);
    pump(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, "/later");
    expect_answer(&all, 200, "GET/a");
    close_later(&rig);
}

Test(conn_later, the_client_goes_before)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/later"));
    cr_expect_eq(drover_response_is_gone(later.pending[0]), 0);
    end_client(&rig);
    pump(&rig);
    cr_expect_not(rig.is_open);
    cr_expect_eq(drover_response_is_gone(later.pending[0]), 1);
    cr_expect_eq(later.released, 0, "it may still be filled in");
    drover_response_resume(later.pending[0]);
    finish(0);
    cr_expect_eq(later.released, 1);
    cr_expect_eq(rig.env.woken_count, 0);
    close_later(&rig);
}

/* Finished, and the client has gone before the worker came to it. */
Test(conn_later, the_client_goes_with_the_answer_on_its_way)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/later"));
    finish(0);
    cr_expect_eq(rig.env.woken_count, 1);
    end_conn(&rig);
    cr_expect_eq(rig.env.woken_count, 0, "nobody is woken that is gone");
    cr_expect_eq(later.released, 1);
    close_later(&rig);
}

Test(conn_later, never_in_time)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/a") GET("/later") GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    cr_expect_eq(all.n, 0);
    size_t taken = rig.got.len;
    expire(&rig);
    all = (struct span){.p = rig.got.p + taken, .n = rig.got.len - taken};
    struct reply answer = take_answer(&all, false);
    cr_expect_eq(answer.status, 503);
    cr_expect(span_eq(answer_field(&answer, "Connection"), SPAN("close")));
    cr_expect_eq(all.n, 0);
    cr_expect_eq(rig.row->requests, 2);
    cr_expect_eq(drover_response_is_gone(later.pending[0]), 1);
    cr_expect_eq(later.released, 0);
    say_goodbye(&rig);
    finish(0);
    cr_expect_eq(later.released, 1);
    close_later(&rig);
}

Test(conn_later, never_in_time_and_finished_before_the_client_goes)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/later"));
    expire(&rig);
    finish(0);
    cr_expect_eq(later.released, 1);
    pump(&rig);
    say_goodbye(&rig);
    close_later(&rig);
}

Test(conn_later, in_time_at_the_last_moment)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/later") GET("/b"));
    finish(0);
    expire(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, "/later");
    expect_answer(&all, 200, "GET/b");
    cr_expect(rig.is_open && !rig.is_ended);
    close_later(&rig);
}

/* Those are given back with the worker. */
Test(conn_later, never)
{
    struct rig rig;
    open_later(&rig);
    say(&rig, GET("/later"));
    end_conn(&rig);
    end_client(&rig);
    open_conn(&rig);
    say(&rig, GET("/later"));
    close_later(&rig);
}

static const char pipeline[] = GET("/a") GET("/later/1") GET("/b") GET("/later/2") GET("/later/3")
    GET("/inside") GET("/none") GET("/later/4") GET_LAST("/c");

/* In pieces of every length; nothing overtakes, and nothing that was answered is held up. */
Test(conn_later, pipelined)
{
    for (size_t piece = 1; piece < sizeof pipeline; piece += piece < 70 ? 1 : 50) {
        struct rig rig;
        open_later(&rig);
        for (size_t at = 0; at < sizeof pipeline - 1; at += piece) {
            size_t left = sizeof pipeline - 1 - at;
            size_t n = left < piece ? left : piece;
            cr_assert_eq(client_send(&rig, pipeline + at, n), n);
            pump(&rig);
        }
        static const unsigned answered[] = {1, 3, 4, 7};
        for (int i = 0; i < 4; i++) {
            cr_assert_eq(later.count, i + 1, "by %zu: %d at once", piece, later.count);
            struct span before = got(&rig);
            for (unsigned k = 0; k < answered[i]; k++)
                take_answer(&before, false);
            cr_assert_eq(before.n, 0, "by %zu: all before it was sent, and no more", piece);
            finish(i);
            pump(&rig);
        }
        struct span all = got(&rig);
        expect_answer(&all, 200, "GET/a");
        expect_answer(&all, 200, "/later/1");
        expect_answer(&all, 200, "GET/b");
        expect_answer(&all, 200, "/later/2");
        expect_answer(&all, 200, "/later/3");
        expect_answer(&all, 200, "/inside");
        expect_answer(&all, 404, NULL);
        expect_answer(&all, 200, "/later/4");
        expect_answer(&all, 200, "GET/c");
        cr_expect_eq(all.n, 0);
        cr_expect(rig.is_ended);
        close_later(&rig);
    }
}

/* The worker's turn in which it is finished is not the one in which it could be sent. */
Test(conn_later, finished_while_answers_before_it_are_sent)
{
    static const char *const large[] = {GET("/file/3000000") GET("/later") GET("/b"),
                                        GET("/bytes/1000000") GET("/later") GET("/b")};
    for (size_t i = 0; i < LENGTH(large); i++) {
        struct rig rig;
        open_later(&rig);
        cr_assert_gt(client_send(&rig, large[i], strlen(large[i])), 0);
        while (is_due(&rig))
            step(&rig);
        cr_assert_eq(rig.conn.state, CONN_SENDING);
        for (int k = 0; k < 1000 && later.count == 0; k++) {
            client_receive(&rig, 100000);
            while (is_due(&rig) && later.count == 0)
                step(&rig);
        }
        cr_assert_eq(later.count, 1);
        finish(0);
        wake(&rig);
        pump(&rig);
        struct span all = got(&rig);
        take_answer(&all, false);
        expect_answer(&all, 200, "/later");
        expect_answer(&all, 200, "GET/b");
        cr_expect_eq(all.n, 0);
        close_later(&rig);
    }
}

/* The rest of its body is not waited for: the client may itself wait for the answer. */
Test(conn_later, finished_within_its_body_while_answers_before_it_are_sent)
{
    static const char talk[] = GET("/bytes/20000") "POST /later HTTP/1.1\r\nHost: x\r\n"
                                                   "Content-Length: 5\r\n\r\nab";
    const int small = 4096;
    struct rig rig;
    open_later(&rig);
    cr_assert_eq(setsockopt(rig.conn.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    client_send(&rig, talk, strlen(talk));
    while (is_due(&rig))
        step(&rig);
    cr_assert_eq(rig.conn.state, CONN_SENDING);
    cr_assert_eq(later.count, 1);
    finish(0);
    pump(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, NULL);
    expect_answer(&all, 200, "/later");
    cr_expect_eq(all.n, 0);
    close_later(&rig);
}

/* Whoever comes first: the client, the application, or the worker's turn. */
Test(conn_later, at_random)
{
    unsigned seed = 77;
    for (int round = 0; round < 100; round++) {
        struct rig rig;
        struct buf bytes = {0};
        int count = 0, little = 1;
        open_later(&rig);
        setsockopt(rig.conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        for (; count < 40; count++) {
            unsigned what = next_random(&seed) % 4;
            buf_printf(&bytes,
                       what < 2   ? GET("/later/%d")
                       : what < 3 ? GET("/%d")
                                  : GET("/bytes/%d"),
                       what < 3 ? count : count * 300);
        }
        size_t at = 0;
        for (int i = 0; i < 1000000 && rig.row->requests < 40; i++) {
            unsigned what = next_random(&seed) % 4;
            if (what == 0)
                at += client_send(&rig, bytes.p + at, bytes.len - at < 50 ? bytes.len - at : 50);
            else if (what == 1 && is_due(&rig))
                step(&rig);
            else if (what == 2)
                client_receive(&rig, next_random(&seed) % 5000);
            else if (later.count > 0 && later.pending[later.count - 1])
                finish(later.count - 1);
            else
                wake(&rig);
        }
        pump(&rig);
        struct span all = got(&rig);
        for (int i = 0; i < count; i++)
            cr_assert_eq(take_answer(&all, false).status, 200);
        cr_expect_eq(all.n, 0);
        cr_expect_null(rig.conn.work, "nothing stays");
        buf_free(&bytes);
        close_later(&rig);
    }
}

/* ------------------------------------------------------------------------ several connections */

/* All are woken, in some order, and one goes before its turn: the others have theirs. */
Test(conn_later, several_that_are_woken)
{
    enum { COUNT = 5 };
    for (int gone = -1; gone < COUNT; gone++) {
        struct rig rig;
        struct conn conns[COUNT];
        int clients[COUNT];
        memset(&later, 0, sizeof later);
        open_env(&rig);
        rig.app.handle = handle_later;
        for (int i = 0; i < COUNT; i++) {
            int ends[2];
            cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
                         0);
            conn_open(&conns[i], &rig.env, ends[0], false);
            clients[i] = ends[1];
            cr_assert_gt(send(clients[i], GET("/later"), strlen(GET("/later")), 0), 0);
            cr_assert_eq(conn_step(&conns[i], &rig.env), CONN_WANT_WAKE);
        }
        for (int i = 0; i < COUNT; i++) {
            drover_response_resume(later.pending[(i + 2) % COUNT]); /* once more is the same */
            finish((i + 2) % COUNT);
        }
        cr_expect_eq(rig.env.woken_count, COUNT);
        if (gone >= 0)
            conn_close(&conns[gone], &rig.env);
        for (int i = 0; i < COUNT; i++) {
            if ((i + 2) % COUNT == gone)
                continue;
            cr_assert_eq(conn_next_woken(&rig.env), &conns[(i + 2) % COUNT], "in their order");
            cr_expect_eq(conn_wake(&conns[(i + 2) % COUNT], &rig.env), CONN_WANT_READ);
            conn_close(&conns[(i + 2) % COUNT], &rig.env);
        }
        cr_expect_eq(rig.env.woken_count, 0);
        cr_expect_null(rig.env.woken);
        for (int i = 0; i < COUNT; i++)
            close(clients[i]);
        close_later(&rig);
    }
}

/* ---------------------------------------------------------------------------------- pulled */

static struct puller {
    struct drover_response *response;
    size_t total;      /* bytes that there are */
    size_t at;         /* so many were pulled */
    size_t piece;      /* at once */
    size_t later_each; /* after so many pieces there is nothing now; 0: never */
    size_t pieces;
    int64_t length; /* as it is said */
    int status;     /* 0: none is said */
    int failed_at;  /* -1: never */
    bool resumes;   /* from within the pull that has nothing */
    bool defers;    /* the answer, before it is pulled */
    bool is_waiting;
    long lies; /* what it says that it wrote, when not 0 */
    int misuses;
} puller;

static long pull(void *state, char *to, size_t room)
{
    struct puller *p = state;
    cr_assert_geq(room, 4096);
    p->is_waiting = false;
    if (p->lies)
        return p->lies;
    if (p->failed_at >= 0 && p->at >= (size_t)p->failed_at)
        return DROVER_FAILED;
    if (p->at == p->total)
        return DROVER_END;
    if (p->later_each && ++p->pieces % p->later_each == 0) {
        p->is_waiting = true;
        if (p->resumes)
            drover_response_resume(p->response);
        return DROVER_LATER;
    }
    size_t n = p->total - p->at < p->piece ? p->total - p->at : p->piece;
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++)
        to[i] = byte_at(p->at + i);
    p->at += n;
    return (long)n;
}

static void handle_pull(void *context, const struct drover_request *request,
                        struct drover_response *response)
{
    if (strcmp(drover_request_path(request).p, "/pull") != 0) {
        handle(context, request, response);
        return;
    }
    attach(response);
    puller.response = response;
    puller.at = puller.pieces = 0;
    if (puller.status)
        drover_response_status(response, puller.status);
    if (drover_response_pull(response, puller.length, pull, &puller) < 0)
        puller.misuses++;
    if (puller.defers)
        drover_response_defer(response);
}

static void open_pull(struct rig *rig, struct puller how)
{
    open_later(rig);
    rig->app.handle = handle_pull;
    puller = how;
}

#define PULL      GET("/pull")
#define PULL_1_0  "GET /pull HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define PULL_HEAD "HEAD /pull HTTP/1.1\r\nHost: x\r\n\r\n"

static const struct {
    const char *name;
    const char *request;
    struct puller how;
    const char *framing; /* "length", "chunks", "close", "none" */
    bool is_cut;         /* the connection ends within it */
    bool is_misused;
} pulls[] = {
    {"known", PULL, {.total = 100, .length = 100, .piece = 30}, "length", false, false},
    {"known, large",
     PULL,
     {.total = 900000, .length = 900000, .piece = 50000},
     "length",
     false,
     false},
    {"known, byte by byte",
     PULL,
     {.total = 3000, .length = 3000, .piece = 1},
     "length",
     false,
     false},
    {"known, none", PULL, {.total = 0, .length = 0}, "length", false, false},
    {"known, with pauses",
     PULL,
     {.total = 1000, .length = 1000, .piece = 30, .later_each = 3},
     "length",
     false,
     false},
    {"too few", PULL, {.total = 99, .length = 100, .piece = 30}, "length", true, true},
    {"none of them", PULL, {.total = 0, .length = 100}, "length", true, true},
    {"too many", PULL, {.total = 130, .length = 100, .piece = 30}, "length", false, true},
    {"known, in 1.0", PULL_1_0, {.total = 100, .length = 100, .piece = 30}, "length", false, false},
    {"known, HEAD", PULL_HEAD, {.total = 100, .length = 100, .piece = 30}, "length", false, false},
    {"unknown", PULL, {.total = 100, .length = -1, .piece = 30}, "chunks", false, false},
    {"unknown, none", PULL, {.total = 0, .length = -1}, "chunks", false, false},
    {"unknown, byte by byte",
     PULL,
     {.total = 300, .length = -1, .piece = 1},
     "chunks",
     false,
     false},
    {"unknown, pieces of 15",
     PULL,
     {.total = 300, .length = -1, .piece = 15},
     "chunks",
     false,
     false},
    {"unknown, pieces of 16",
     PULL,
     {.total = 300, .length = -1, .piece = 16},
     "chunks",
     false,
     false},
    {"unknown, pieces of 256",
     PULL,
     {.total = 3000, .length = -1, .piece = 256},
     "chunks",
     false,
     false},
    {"unknown, pieces of 4096",
     PULL,
     {.total = 30000, .length = -1, .piece = 4096},
     "chunks",
     false,
     false},
    {"unknown, large",
     PULL,
     {.total = 900000, .length = -1, .piece = 50000},
     "chunks",
     false,
     false},
    {"unknown, with pauses",
     PULL,
     {.total = 1000, .length = -1, .piece = 30, .later_each = 2},
     "chunks",
     false,
     false},
    {"unknown, in 1.0",
     PULL_1_0,
     {.total = 100000, .length = -1, .piece = 3000},
     "close",
     false,
     false},
    {"unknown, HEAD", PULL_HEAD, {.total = 100, .length = -1, .piece = 30}, "chunks", false, false},
    {"304", PULL, {.status = 304, .total = 100, .length = -1, .piece = 30}, "none", false, true},
    {"204", PULL, {.status = 204, .total = 100, .length = 100, .piece = 30}, "none", false, true},
    {"404", PULL, {.status = 404, .total = 100, .length = -1, .piece = 30}, "chunks", false, false},
    {"resumed at once",
     PULL,
     {.total = 1000, .length = -1, .piece = 30, .later_each = 2, .resumes = true},
     "chunks",
     false,
     false},
    {"failed at once",
     PULL,
     {.total = 100, .length = -1, .piece = 30, .failed_at = 0},
     "chunks",
     true,
     false},
    {"failed",
     PULL,
     {.total = 100, .length = 100, .piece = 30, .failed_at = 60},
     "length",
     true,
     false},
    {"failed in chunks",
     PULL,
     {.total = 100, .length = -1, .piece = 30, .failed_at = 60},
     "chunks",
     true,
     false},
    {"a wrong number",
     PULL,
     {.total = 100, .length = 100, .lies = PULL_PIECE_MAX + 1},
     "length",
     true,
     true},
    {"an unknown word", PULL, {.total = 100, .length = 100, .lies = -3}, "length", true, false},
};

static void resume_until_done(struct rig *rig)
{
    pump(rig);
    while (rig->is_open && puller.is_waiting && !puller.resumes) {
        cr_assert_eq(rig->conn.state, CONN_WAITING);
        cr_assert_eq(rig->conn.deadline.kind, DEADLINE_NONE, "the application takes its time");
        drover_response_resume(puller.response);
        pump(rig);
    }
}

/* An answer that was cut cannot be taken for a whole one. */
static void expect_cut(struct rig *rig, const char *framing, const char *name)
{
    struct span all = got(rig);
    cr_expect(rig->is_ended && !rig->is_open, "%s: it ends", name);
    cr_assert_not_null(memmem(all.p, all.n, "\r\n\r\n", 4), "%s", name);
    if (strcmp(framing, "chunks") == 0)
        cr_expect_null(memmem(all.p, all.n, "\r\n0\r\n\r\n", 7), "%s", name);
    else
        cr_expect_lt(all.n, 4096 + puller.total);
}

static void check_pull(size_t i, bool at_once)
{
    struct rig rig;
    char talk[512];
    struct puller how = pulls[i].how;
    const char *name = pulls[i].name, *framing = pulls[i].framing;
    bool is_head = strcmp(pulls[i].request, PULL_HEAD) == 0;
    if (how.failed_at == 0 && strncmp(name, "failed", 6) != 0)
        how.failed_at = -1;
    open_pull(&rig, how);
    snprintf(talk, sizeof talk, GET("/before") "%s" GET("/next"), pulls[i].request);
    say(&rig, at_once ? talk : GET("/before"));
    if (!at_once)
        say(&rig, pulls[i].request);
    if (!at_once && rig.is_open)
        client_send(&rig, GET("/next"), strlen(GET("/next")));
    resume_until_done(&rig);
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/before");
    if (pulls[i].is_cut) {
        expect_cut(&rig, framing, name);
    } else {
        struct reply answer = take_answer(&all, is_head);
        struct buf body = {0};
        read_body(&answer, &body);
        cr_expect_eq(answer.status, how.status ? how.status : 200, "%s", name);
        cr_expect_eq(answer.is_chunked, strcmp(framing, "chunks") == 0, "%s", name);
        cr_expect_eq(answer_field(&answer, "Content-Length").p != NULL,
                     strcmp(framing, "length") == 0, "%s", name);
        size_t length = how.length >= 0 && (size_t)how.length < how.total ? (size_t)how.length
                                                                          : how.total;
        expect_pattern((struct span){.p = body.p, .n = body.len},
                       is_head || strcmp(framing, "none") == 0 ? 0 : length);
        if (strcmp(framing, "close") == 0)
            cr_expect(rig.is_ended, "%s", name);
        else
            expect_answer(&all, 200, "GET/next");
        cr_expect_eq(all.n, 0, "%s: %zu bytes more", name, all.n);
        buf_free(&body);
    }
    cr_expect_eq(later.released, 1, "%s", name);
    cr_expect_eq(puller.misuses, how.status == 304 || how.status == 204, "%s", name);
    cr_expect_eq(rig.env.exchanges.warned_at == NOW, pulls[i].is_misused, "%s", name);
    close_later(&rig);
}

Test(conn_later, pulled)
{
    for (size_t i = 0; i < LENGTH(pulls); i++)
        for (int at_once = 0; at_once <= 1; at_once++)
            check_pull(i, at_once);
}

Test(conn_later, pulled_after_it_was_deferred)
{
    struct rig rig;
    open_pull(&rig, (struct puller){.total = 1000,
                                    .length = -1,
                                    .piece = 30,
                                    .later_each = 2,
                                    .failed_at = -1,
                                    .defers = true});
    say(&rig, PULL GET("/next"));
    cr_expect_eq(rig.got.len, 0);
    cr_expect_eq(puller.at, 0);
    drover_response_resume(puller.response); /* means nothing yet */
    pump(&rig);
    cr_expect_eq(puller.at, 0);
    cr_expect_eq(rig.conn.deadline.kind, DEADLINE_ANSWER);
    drover_response_finish(puller.response);
    resume_until_done(&rig);
    struct span all = got(&rig);
    struct buf body = {0};
    struct reply answer = take_answer(&all, false);
    read_body(&answer, &body);
    expect_pattern((struct span){.p = body.p, .n = body.len}, 1000);
    expect_answer(&all, 200, "GET/next");
    buf_free(&body);
    close_later(&rig);
}

/* Through a socket that takes little, by a client that reads little: what waits has a bound. */
Test(conn_later, pulled_through_a_small_socket)
{
    static const int64_t lengths[] = {3000000, -1};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        struct rig rig;
        int little = 1;
        unsigned seed = 8;
        open_pull(&rig, (struct puller){.total = 3000000,
                                        .length = lengths[i],
                                        .piece = 20000,
                                        .later_each = 7,
                                        .failed_at = -1});
        setsockopt(rig.conn.fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        client_send(&rig, PULL_HEAD PULL, strlen(PULL_HEAD PULL));
        while (later.released < 2) {
            if (is_due(&rig))
                step(&rig);
            if (next_random(&seed) % 4 == 0)
                client_receive(&rig, next_random(&seed) % 30000);
            if (puller.is_waiting && next_random(&seed) % 4 == 0)
                drover_response_resume(puller.response);
            wake(&rig);
            cr_assert_leq(puller.at, rig.got.len + 300000, "pulled as the client reads");
        }
        pump(&rig);
        struct span all = got(&rig);
        struct buf body = {0};
        take_answer(&all, true);
        struct reply answer = take_answer(&all, false);
        read_body(&answer, &body);
        expect_pattern((struct span){.p = body.p, .n = body.len}, 3000000);
        cr_expect_null(rig.conn.work);
        buf_free(&body);
        close_later(&rig);
    }
}

/* In each of the states that it may be in. */
Test(conn_later, the_client_goes_while_it_is_pulled)
{
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        open_pull(&rig, (struct puller){.total = 3000000,
                                        .length = -1,
                                        .piece = 20000,
                                        .later_each = i == 0 ? 3 : 0,
                                        .defers = i == 2,
                                        .failed_at = -1});
        client_send(&rig, PULL, strlen(PULL));
        while (is_due(&rig))
            step(&rig);
        if (i == 2)
            drover_response_finish(puller.response);
        wake(&rig);
        cr_expect_eq(rig.conn.state, i == 0 ? CONN_WAITING : CONN_SENDING);
        if (i == 0)
            drover_response_resume(puller.response);
        end_conn(&rig);
        cr_expect_eq(later.released, 1);
        cr_expect_eq(rig.env.woken_count, 0);
        close_later(&rig);
    }
}

/* A connection over TCP, which knows a reset. */
static void open_tcp(struct rig *rig)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0, "%m");
    cr_assert_eq(listen(listener, 1), 0, "%m");
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0, "%m");
    cr_assert_eq(connect(client, (struct sockaddr *)&address, size), 0, "%m");
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    cr_assert_geq(fd, 0, "%m");
    close(listener);
    conn_open(&rig->conn, &rig->env, fd, false);
    rig->client = client;
    rig->is_open = true;
}

static const struct {
    const char *name;
    const char *request;
    int64_t length;
    int failed_at;
    bool is_reset;
} cuts[] = {
    {"whole, 1.0", PULL_1_0, -1, -1, false},
    {"failed, 1.0", PULL_1_0, -1, 60, true},
    {"failed at once, 1.0", PULL_1_0, -1, 0, true},
    {"failed, 1.0 with a length", PULL_1_0, 100, 60, false},
    {"failed, chunks", PULL, -1, 60, false},
};

/* Where only the end says how long it was, a client must not take a part for the whole. */
Test(conn_later, an_answer_that_ends_by_the_close_is_not_cut_unseen)
{
    for (size_t i = 0; i < LENGTH(cuts); i++) {
        struct rig rig;
        char got_bytes[4096];
        memset(&later, 0, sizeof later);
        open_env(&rig);
        rig.app.handle = handle_pull;
        puller = (struct puller){
            .total = 100, .length = cuts[i].length, .piece = 30, .failed_at = cuts[i].failed_at};
        open_tcp(&rig);
        cr_assert_gt(client_send(&rig, cuts[i].request, strlen(cuts[i].request)), 0);
        for (int k = 0; k < 5 && rig.is_open; k++)
            step(&rig);
        shutdown(rig.client, SHUT_WR);
        for (int k = 0; k < 1000 && rig.is_open; k++)
            step(&rig);
        cr_assert_not(rig.is_open, "%s", cuts[i].name);
        ssize_t n;
        while ((n = recv(rig.client, got_bytes, sizeof got_bytes, 0)) > 0)
            ;
        cr_expect_eq(n < 0 && errno == ECONNRESET, cuts[i].is_reset, "%s: %zd", cuts[i].name, n);
        close_later(&rig);
    }
}

/* The head has left with the first piece: what is said after it is told, and changes nothing. */
static long pull_late(void *state, char *to, size_t room)
{
    struct drover_response *response = puller.response;
    (void)state;
    (void)room;
    if (puller.at++ > 0)
        return DROVER_END;
    cr_expect_eq(drover_response_field(response, "X-Late", "x"), -1);
    cr_expect_eq(errno, EALREADY);
    cr_expect_eq(drover_response_status(response, 404), -1);
    cr_expect_eq(drover_response_body(response, "x", 1), -1);
    cr_expect_eq(drover_response_defer(response), -1);
    cr_expect_not_null(drover_response_error(response));
    to[0] = 'a';
    return 1;
}

static void handle_late(void *context, const struct drover_request *request,
                        struct drover_response *response)
{
    (void)context;
    (void)request;
    puller = (struct puller){.response = response};
    drover_response_pull(response, -1, pull_late, NULL);
}

Test(conn_later, what_is_said_too_late)
{
    struct rig rig;
    open_later(&rig);
    rig.app.handle = handle_late;
    say(&rig, GET("/a") GET("/b"));
    struct span all = got(&rig);
    for (int i = 0; i < 2; i++) {
        struct span before = all;
        expect_answer(&all, 200, "a");
        cr_expect_null(memmem(before.p, before.n, "X-Late", 6));
    }
    close_later(&rig);
}

/* ------------------------------------------------------------------------------ as many as said */

Test(conn_later, as_many_answers_as_a_connection_may_have)
{
    static const char *const paths[] = {GET("/a"), GET("/later"), GET("/none")};
    for (size_t i = 0; i < LENGTH(paths); i++)
        for (uint32_t most = 1; most <= 3; most++) {
            struct rig rig;
            open_later(&rig);
            rig.env.served_max = most;
            for (uint32_t k = 0; k < 5 && rig.is_open; k++)
                client_send(&rig, paths[i], strlen(paths[i]));
            pump(&rig);
            for (int k = 0; k < later.count; k++) {
                finish(k);
                pump(&rig);
            }
            struct span all = got(&rig);
            for (uint32_t k = 1; k <= most; k++) {
                struct reply answer = take_answer(&all, false);
                cr_expect_eq(answer_field(&answer, "Connection").p != NULL, k == most, "%u of %u",
                             k, most);
            }
            cr_expect_eq(all.n, 0);
            cr_expect(rig.is_ended);
            cr_expect_eq(rig.row->requests, most);
            close_later(&rig);
        }
}
