/*
 * drover.h - what an application written for drover sees, and all that it needs.
 *
 * An application is a struct of functions that drover calls. There are two kinds: one that answers
 * HTTP requests (`handle`), and one that has the bytes of a connection to itself (`stream`). It is
 * a program of its own, which calls drover_main(), or a module, which `drover serve --app ./it.so`
 * loads.
 *
 * A master process forks workers, and each worker runs the application for its own connections.
 * All functions of an application are called on the worker's only thread, except before_fork; while
 * one runs, no other connection of that worker is served, so none may wait. What takes time is
 * deferred: see drover_response_defer().
 *
 * All functions below are to be called on that thread, too, except drover_post() and drover_log();
 * before_fork may call the utilities. Unless it says otherwise, one returns 0, or -1 with errno
 * set:
 *
 *   EINVAL     an argument that cannot be sent, or does not fit what was said before
 *   EALREADY   this was said already, and the first stays; or the answer has left
 *   ENOMEM     memory ran out
 *
 * What is wrong is in drover_response_error(), in words, and the worker logs it at the level warn,
 * once a second at most. The client gets a correct answer in spite of it, or the connection closes.
 *
 * The header is C and C++. Sizes and lengths are bytes, durations milliseconds.
 */
#ifndef DROVER_H
#define DROVER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when a struct below changes. A module that was built for another one is refused. */
#define DROVER_ABI 2

/* Borrowed bytes, not terminated by NUL. p is NULL when there is nothing. */
struct drover_span {
    const char *p;
    size_t n;
};

struct drover_request;
struct drover_response;
struct drover_stream;
struct drover_worker;
struct drover_timer;

/* ------------------------------------------------------------------------------ the request
 *
 * What these hand out is borrowed: it is valid until the function returns that was given the
 * request, or for one that was deferred until drover_response_finish(), if it is asked for again
 * after the handler has returned.
 */

/* The method as it was sent, as in "GET" (RFC 9110, 9.1: case matters). */
struct drover_span drover_request_method(const struct drover_request *request);

/* 1 when it is this method, else 0. */
int drover_request_is(const struct drover_request *request, const char *method);

/*
 * The path: decoded, without "." and ".." segments and without "//" (RFC 3986, 6.2.2). It starts
 * with '/', holds no NUL, and one stands behind it, so it is a C string too.
 */
struct drover_span drover_request_path(const struct drover_request *request);

/*
 * What stands right before that path in the whole one: the prefix of the site that the request is
 * for, decoded, as in "/shop", without a slash at its end; empty for a site that has none. Who
 * makes links puts it before them. p is the whole path as a C string.
 */
struct drover_span drover_request_prefix(const struct drover_request *request);

/* The query as it was sent, without the '?'. Empty when there is none. */
struct drover_span drover_request_query(const struct drover_request *request);

/* The host and port that it was sent to: of an absolute target, else of Host (RFC 9112, 3.2). */
struct drover_span drover_request_authority(const struct drover_request *request);

/*
 * The value of the first field of that name, case ignored, without the white space around it.
 * p is NULL when there is none.
 */
struct drover_span drover_request_field(const struct drover_request *request, const char *name);

/* The fields as they came, the first is 0. -1 with errno ENOENT past the last. */
int drover_request_field_at(const struct drover_request *request, size_t index,
                            struct drover_span *name, struct drover_span *value);

/* The body, when it came whole; p is NULL when there is none, or the handler did not want it. */
struct drover_span drover_request_body(const struct drover_request *request);

/* Content codings (RFC 9110, 8.4.1). */
enum {
    DROVER_BR = 1,
    DROVER_ZSTD = 2,
    DROVER_GZIP = 4,
    DROVER_IDENTITY = 8,
};

/*
 * Of these codings, an OR of the above, the one that the client likes best by its Accept-Encoding
 * (RFC 9110, 12.5.3), of several it likes as well the first above; 0 when it takes none of them. An
 * answer that depends on it has the field "Vary: Accept-Encoding".
 */
unsigned drover_request_coding(const struct drover_request *request, unsigned offered);

/* Room for an address in words, its NUL included. */
#define DROVER_HOST_SIZE 64

/*
 * The client's address, as "192.0.2.1", "2001:db8::1" or "unix:", and its port, 0 where there is
 * none or it is not known. It is the one that a PROXY header or a trusted proxy's X-Forwarded-For
 * brought, where the server was told to believe these. Either pointer may be NULL. -1 with errno
 * ENOTCONN when the client has gone.
 */
int drover_request_client(const struct drover_request *request, char host[DROVER_HOST_SIZE],
                          uint16_t *port);

/* ----------------------------------------------------------------------------- the response
 *
 * A response starts as 200 with no fields and no body. drover writes the status line, Date,
 * Server, Content-Length or Transfer-Encoding, and Connection; leaves the body away where there
 * must be none (HEAD, 204, 304); and gives a status from 300 on without a body a short page.
 *
 * Where a GET or HEAD is answered with 200, drover evaluates its conditional fields against etag
 * and modified, and answers 304 or 412 itself (RFC 9110, 13); if the body is a file, it serves
 * ranges of it (RFC 9110, 14).
 */

/* 200 to 599, once. A status without a body (204, 304) is refused when there is one. */
int drover_response_status(struct drover_response *response, int status);

/*
 * Adds a field; both strings are copied. Upgrade, which a 426 must have, is named in Connection,
 * too. EINVAL if the name is not a token, if the value holds control bytes but tabs, or if it is
 * one of the fields that drover writes: those above, Content-Range, Keep-Alive, Trailer, and
 * Content-Type, ETag and Last-Modified, which have functions.
 */
int drover_response_field(struct drover_response *response, const char *name, const char *value);

/* The media type of the body. Without it "text/plain; charset=utf-8". Copied. */
int drover_response_type(struct drover_response *response, const char *media_type);

/* Appends to the body; copied. EINVAL where the body is a file or a stream, or cannot be. */
int drover_response_body(struct drover_response *response, const void *bytes, size_t length);

/*
 * The body is the first `size` bytes of this file. The descriptor belongs to drover from here on,
 * on failure too, and is closed when the answer has left. What drover_response_body() had
 * gathered is dropped.
 */
int drover_response_file(struct drover_response *response, int fd, uint64_t size);

/* The entity tag, with its quotes (RFC 9110, 8.8.3). Copied. */
int drover_response_etag(struct drover_response *response, const char *etag);

/* Last-Modified, in seconds since the Epoch (RFC 9110, 8.8.2). */
int drover_response_modified(struct drover_response *response, time_t modified);

/* An answer that was made once, to be sent many times. */
struct drover_prepared;

/*
 * Makes one of what the response has by now: fields, type, entity tag, time and body, a file's
 * bytes, too, which are read. To answer with it again costs next to nothing. The response itself
 * stays as it is. NULL with errno: EINVAL for another status than 200, a stream or an upgrade;
 * ENODATA where the file is shorter than its size; ENOMEM; what read(2) says. It belongs to the
 * caller, and to the worker's thread.
 */
struct drover_prepared *drover_response_prepare(struct drover_response *response);

/* It may still be on its way to clients: what is theirs lives as long as they need it. NULL is
 * allowed. */
void drover_prepared_free(struct drover_prepared *prepared);

/*
 * The answer is this one, conditional fields and ranges evaluated as if all of it had been said
 * anew. Fields may be added; its type, entity tag and time are its own, whatever was said. EINVAL
 * where there is a status or a body.
 */
int drover_response_prepared(struct drover_response *response, struct drover_prepared *prepared);

/* What was misused first, in words; NULL when nothing was. Valid as long as the response. */
const char *drover_response_error(const struct drover_response *response);

/*
 * Something that lives as long as the response: `release`, which may be NULL, is called exactly
 * once, when drover is done with the answer, or when the client has gone before that; of a deferred
 * answer not before drover_response_finish(), or, if that never comes, when the worker ends, after
 * worker_stop(). The response is gone then, so what would still use it, a timer say, is stopped
 * there. In between drover_response_attached() gives the state back; NULL when nothing was
 * attached.
 */
int drover_response_attach(struct drover_response *response, void *state,
                           void (*release)(void *state));
void *drover_response_attached(const struct drover_response *response);

/* The request it answers, and the worker. */
const struct drover_request *drover_response_request(const struct drover_response *response);
struct drover_worker *drover_response_worker(const struct drover_response *response);

/* ------------------------------------------------------------------- answers that take time */

/*
 * The answer is not ready when the handler returns: drover_response_finish() says when it is, from
 * a timer, from a watched descriptor, or from what another thread has posted. Until then the
 * response stays valid and may be filled in, even when the client has gone. Where that takes longer
 * than --answer-timeout the client gets a 503, what drover_response_on_gone() has set is called,
 * and finish() is due all the same.
 */
int drover_response_defer(struct drover_response *response);

/*
 * The answer is complete; once for each that was deferred. The response, and what was attached, may
 * be gone when this returns. Where a body is still coming the client gets the answer at once, and
 * the connection closes.
 */
void drover_response_finish(struct drover_response *response);

/*
 * 1 when nobody waits for the answer any more, else 0. A client that ends its own half of the
 * connection may still wait for the answer (RFC 9112, 9.6), so one that has closed it in order is
 * only seen when something is sent to it, or at --answer-timeout.
 */
int drover_response_is_gone(const struct drover_response *response);

/*
 * Has `gone` called when that is seen of an answer that is deferred: work for it may be given up,
 * and drover_response_finish() is due all the same, there or later. EALREADY when one is set.
 */
int drover_response_on_gone(struct drover_response *response, void (*gone)(void *state),
                            void *state);

/* What a pull function returns beside the number of bytes that it wrote. */
enum {
    DROVER_END = 0,    /* that was all */
    DROVER_LATER = -1, /* nothing now: drover_response_resume() tells when */
    DROVER_FAILED =
        -2, /* the rest cannot be had: the connection closes, so that the client sees it */
};

/* Writes up to `room` bytes of the body to `to`. `room` is at least 4096. */
typedef long drover_pull_fn(void *state, char *to, size_t room);

/*
 * The body is pulled, piece by piece, whenever the socket has taken what was there. `length` is
 * what all pieces come to, -1 when that is not known: the answer is then chunked, or for HTTP/1.0
 * ends with the connection. For HEAD nothing is pulled. More bytes than that are cut off and fewer
 * close the connection; either is a misuse. The state is handed to `pull`; what must be freed is
 * attached.
 *
 * Nothing bounds how long a pull has nothing: a stream of events sends a comment now and then, so
 * that a client that has gone is seen. One without an end comes to it when the application's
 * `leaving` is called, or is cut after --drain-timeout.
 */
int drover_response_pull(struct drover_response *response, int64_t length, drover_pull_fn *pull,
                         void *state);

/* There is something to pull again. Does nothing when nobody waits for it; the response must not
 * have been released. */
void drover_response_resume(struct drover_response *response);

/* A piece of a request's body; borrowed. 0, or -1: the rest is of no use, and the answer is due. */
typedef int drover_receive_fn(void *state, struct drover_response *response, const char *bytes,
                              size_t length);

/*
 * For a handler that is called at the head (DROVER_AT_HEAD): the body is wanted, as it comes. Each
 * piece is given to `receive`, and at its end a piece of length 0, which is to fill in the answer,
 * or to defer it. There is no bound on the whole but what `receive` sets. A client that goes away,
 * or sends a malformed chunk, ends it without that last piece: what must be undone then is
 * attached.
 */
int drover_response_receive(struct drover_response *response, drover_receive_fn *receive,
                            void *state);

/* ----------------------------------------------------------------------------- raw streams */

/* How the bytes of a connection are cut. TCP has no messages: one write of a client may arrive in
 * several pieces, and several in one. An application that asks for frames never sees half a one. */
enum drover_framing {
    DROVER_RAW,      /* whatever has come */
    DROVER_LINES,    /* up to '\n', which is taken off, and a '\r' before it */
    DROVER_PREFIX_2, /* a length in 2 bytes, the most significant first, then so many bytes */
    DROVER_PREFIX_4, /* the same in 4 */
};

struct drover_protocol {
    enum drover_framing framing;

    /* Bytes of a frame at most, without its line end or length; 0: 65536. A longer one closes the
     * connection with EMSGSIZE. At most 16 MiB. */
    size_t frame_max;

    /* Not 0: the server sends first, so a connection is taken before the client has said a word. */
    int speaks_first;

    /* A connection has come, or was upgraded, its state attached. Returns 0, or -1 to close it:
     * `close` is not called then. May be NULL. */
    int (*open)(void *context, struct drover_stream *stream);

    /* A frame, borrowed until the function returns. */
    void (*frame)(void *context, struct drover_stream *stream, const char *bytes, size_t length);

    /* All that was sent has been taken by the socket, after EAGAIN was seen. May be NULL. */
    void (*drained)(void *context, struct drover_stream *stream);

    /* The worker leaves, and ends what is still open after --drain-timeout. One that had hung
     * leaves when it goes on, if another has taken its place by then (--standby), and ends nothing
     * itself. May be NULL. */
    void (*leaving)(void *context, struct drover_stream *stream);

    /*
     * It is over, and the stream is gone when this returns. 0: the client has ended it, or
     * drover_stream_end() has, and the client has taken that in or let 2 seconds pass; else what
     * errno would say: ECONNRESET, EMSGSIZE, ETIMEDOUT, ENOMEM, EPROTO for an end in the middle of
     * a frame, ESHUTDOWN when the worker leaves. May be NULL.
     */
    void (*close)(void *context, struct drover_stream *stream, int error);
};

/*
 * Sends one frame, with its line end or length. Copied. -1 with EAGAIN when more than
 * DROVER_STREAM_QUEUE_MAX bytes wait already and nothing was taken; EMSGSIZE for a frame that the
 * other side could not tell apart: one of more than frame_max bytes, or a line with a '\n' in it;
 * EPIPE after drover_stream_end().
 */
int drover_stream_send(struct drover_stream *stream, const void *bytes, size_t length);

/* Bytes that may wait for a client that does not read. Reading from it stops as long as they do. */
#define DROVER_STREAM_QUEUE_MAX (256 * 1024)

/* Sends what waits, and then closes. No frame comes any more. */
void drover_stream_end(struct drover_stream *stream);

/* A pointer of the application's own. NULL at first; for an upgrade, what was given there. */
void drover_stream_attach(struct drover_stream *stream, void *state);
void *drover_stream_attached(const struct drover_stream *stream);

/* As drover_request_client(). */
int drover_stream_client(const struct drover_stream *stream, char host[DROVER_HOST_SIZE],
                         uint16_t *port);
struct drover_worker *drover_stream_worker(const struct drover_stream *stream);

/*
 * Answers with 101: after it the connection is a stream of this protocol (RFC 9110, 7.8). Fields
 * that were added go along. The protocol is borrowed for as long as the application is used; its
 * functions get the application's context. EINVAL when the client did not ask for `name` by
 * Upgrade and Connection in HTTP/1.1, or did so with a request that has a body.
 */
int drover_response_upgrade(struct drover_response *response, const char *name,
                            const struct drover_protocol *protocol, void *state);

/* ------------------------------------------------------------------------ the worker's loop */

/* Calls fn once, after so many milliseconds. NULL with errno ENOMEM. Gone when it has been called.
 */
struct drover_timer *drover_timer_start(struct drover_worker *worker, uint64_t milliseconds,
                                        void (*fn)(void *argument), void *argument);

/* Before it was called, or within its call, where nothing is left to stop; NULL is allowed. */
void drover_timer_stop(struct drover_timer *timer);

enum {
    DROVER_READABLE = 1, /* or at its end, or failed: a read tells */
    DROVER_WRITABLE = 2,
};

/*
 * Calls fn whenever the descriptor is ready (level-triggered, epoll(7)); again for the same
 * descriptor replaces what was said. It stays the application's: unwatch it before it is closed.
 * Errors are those of epoll_ctl(2).
 */
int drover_watch(struct drover_worker *worker, int fd, unsigned events,
                 void (*fn)(void *argument, int fd, unsigned events), void *argument);
int drover_unwatch(struct drover_worker *worker, int fd);

/*
 * From any thread: has fn called on the worker's thread, in the order of the posts. What is posted
 * from worker_stop() on, or was just before it, is never called: end and join your threads there.
 * Threads start with those signals blocked that drover reads itself; leave that so. Children that
 * you start have them blocked, too, unless posix_spawnattr_setsigmask(3) says otherwise.
 */
int drover_post(struct drover_worker *worker, void (*fn)(void *argument), void *argument);

/* A pointer of the application's own for this worker; NULL at first. */
void drover_worker_attach(struct drover_worker *worker, void *state);
void *drover_worker_attached(const struct drover_worker *worker);

/* Milliseconds since some fixed point, of this turn of the loop; never goes back. */
int64_t drover_now(const struct drover_worker *worker);

/* The number of this turn of the loop, in which all that had come was looked at once: what was
 * found out in it, a file's time of change say, need not be found out again before the next. Each
 * connection that is accepted has a new number, since its client may have come meanwhile. */
uint64_t drover_turn(const struct drover_worker *worker);

/* ------------------------------------------------------------------------- keys and metrics */

enum drover_key_type {
    DROVER_TEXT,     /* const char *; borrowed, for as long as the server runs */
    DROVER_NUMBER,   /* int64_t */
    DROVER_SIZE,     /* int64_t: bytes, written with k, m or g */
    DROVER_DURATION, /* int64_t: milliseconds, written with ms, s, m or h */
    DROVER_YES_NO,   /* int: 1 or 0 */
};

/* Something to configure: `--set NAME=VALUE`. Set before before_fork, each to its default first. */
struct drover_key {
    const char *name; /* NULL ends the list */
    enum drover_key_type type;
    const char *fallback; /* the default, written as a user would; NULL: a text's is NULL, else 0 */
    int64_t min, max;     /* of numbers, sizes and durations; both 0: any that is not negative */
    const char *help;     /* one line */
    void *value;          /* where it goes, of the type above */
};

enum drover_metric_type {
    DROVER_COUNTER, /* only grows, and outlives the worker */
    DROVER_GAUGE,   /* of each worker; gone with it */
};

/* Something to count. The sum of all workers is shown. */
struct drover_metric {
    const char *name; /* [a-z_]+, NULL ends the list */
    enum drover_metric_type type;
    const char *help; /* one line */
};

#define DROVER_METRICS_MAX 16

/* `index`: of the application's own list. Cheap: a store into this worker's row. */
void drover_metric_add(struct drover_worker *worker, unsigned index, int64_t n);
void drover_metric_set(struct drover_worker *worker, unsigned index, int64_t value);

/* Calls fn for every metric, drover's own first, then those of all the server's applications, with
 * the sum over all workers. */
void drover_metrics_each(const struct drover_worker *worker,
                         void (*fn)(void *argument, const struct drover_metric *metric,
                                    int64_t value),
                         void *argument);

/* -------------------------------------------------------------------------------- utilities */

/*
 * Writes the path with all that RFC 3986, 3.3 does not allow in one as %XX, and a NUL; '/' stays.
 * For Location and for links. Returns its length, -1 with errno ENOBUFS when it does not fit, which
 * it always does in three times the path's length and one.
 */
long drover_path_encode(struct drover_span path, char *out, size_t size);

/* "text/html; charset=utf-8" for a name that ends with ".html". A static string; never NULL. */
const char *drover_media_type(const char *name);

/* A line in the server's log, at the level info. printf(3); keeps errno. From any thread. */
void drover_log(const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* -------------------------------------------------------------------------- the application */

/* Bytes for the cause that something could not start, NUL included. */
#define DROVER_WHY_SIZE 256

/* When `handle` is called. Unless it is received, a body above --max-body is refused with 413. */
enum drover_when {
    DROVER_WITH_BODY, /* once the body is whole */
    DROVER_AT_HEAD,   /* at once. A body is read and dropped, unless drover_response_receive() */
};

struct drover_app {
    const char *name; /* of letters, digits, '-' and '_' */

    /* Handed to every function below; the application's own. */
    void *context;

    /* They are set before before_fork, which may still change `when`, and the framing and frame_max
     * of a protocol, to what they say. */
    const struct drover_key *keys;       /* ends with a NULL name; may be NULL */
    const struct drover_metric *metrics; /* the same */

    /*
     * In the master before it forks, once, and again at a reload that has other keys: what is
     * loaded here is shared by all workers, page by page, until one writes to it. A descriptor that
     * is opened here stays open in them, too: their standbys have the same ones. It still has all
     * privileges. Returns 0, or the status that the server exits with (sysexits.h), its cause in
     * `why`. May be NULL.
     */
    int (*before_fork)(void *context, char why[DROVER_WHY_SIZE]);

    /*
     * In every worker, after it has dropped its privileges and before it accepts; may start timers,
     * watch and post. One that goes on with the connections of a worker that was killed, or hangs
     * (--standby), is a fresh process, too: nothing has come to it of the other's memory, the
     * other may still be there, and its clients wait meanwhile. Returns 0, or the status that the
     * worker exits with (sysexits.h), its cause, for the log, in `why`. A worker that could not
     * start is tried again, later and later; with EX_CONFIG not until a HUP, and the server waits
     * for that. A server that has not served yet ends with that status when every worker has this
     * one, EX_USAGE, EX_NOINPUT or EX_NOPERM. May be NULL.
     */
    int (*worker_start)(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE]);

    /*
     * The worker is to leave: it accepts no more, each connection is closed after its next answer,
     * and what is open after --drain-timeout is cut. Pulled bodies without an end should come to
     * one. One that had hung, and in whose place another serves when it goes on (--standby), is to
     * leave, too, and has the time that it wants. May be NULL.
     */
    void (*leaving)(void *context, struct drover_worker *worker);

    /* In every worker that leaves in order, once no connection is open. What is attached to answers
     * that were deferred and are not finished by then is released after it. May be NULL. */
    void (*worker_stop)(void *context, struct drover_worker *worker);

    /*
     * Asked first for what most requests are, a GET of a kept connection, without a body, a
     * condition or a range: an answer that stands ready, borrowed; NULL has `handle` called, which
     * must know the same answer: for HTTP/1.0, at a connection's last request, or as the worker
     * leaves it alone is asked. For a request whose answer had not left when its worker ended, the
     * next worker asks again. It must not take time, since the answers of a turn that stand ready
     * leave together. May be NULL.
     */
    struct drover_prepared *(*ready)(void *context, const struct drover_request *request,
                                     struct drover_worker *worker);

    /* Answers one request. */
    void (*handle)(void *context, const struct drover_request *request,
                   struct drover_response *response);
    enum drover_when when;

    /*
     * The page for a status that an answer has no body for, drover's own refusals included: may set
     * type and body and add fields, and nothing else. Asked from 300 on. Without it, or without a
     * body from it, drover writes a short one. May be NULL.
     */
    void (*page)(void *context, int status, struct drover_response *response);

    /* Instead of `handle`: the application has every connection to itself. */
    const struct drover_protocol *stream;
};

/*
 * The whole server, as `drover serve` is one: the same options, signals and exit statuses, for this
 * application. Returns what main() is to return. The application is borrowed.
 */
int drover_main(int argc, char *argv[], const struct drover_app *app);

/* Makes a shared object a module for `drover serve --app ./it.so`; once, at file level, with the
 * application's struct. It is replaced by mv or install, never by cp, since processes run from the
 * file; `drover upgrade` runs the new one, a reload does not. */
#define DROVER_MODULE(app)                                                 \
    DROVER_EXPORT extern const unsigned drover_module_abi;                 \
    DROVER_EXPORT extern const struct drover_app *const drover_module_app; \
    const unsigned drover_module_abi = DROVER_ABI;                         \
    const struct drover_app *const drover_module_app = &(app)

/* The same, and main(): one source is a module or a program, as it is linked. */
#define DROVER_MAIN(app)                        \
    DROVER_MODULE(app);                         \
    int main(int argc, char *argv[])            \
    {                                           \
        return drover_main(argc, argv, &(app)); \
    }

#ifdef __GNUC__
#define DROVER_EXPORT __attribute__((visibility("default")))
#else
#define DROVER_EXPORT
#endif

#ifdef __cplusplus
}
#endif

#endif
