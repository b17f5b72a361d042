/*
 * exchange - one request and its answer: the room between the connection, which has bytes, and
 * the application, which sees drover.h.
 *
 * A worker has one exchange that it uses for every request in turn; what it grew stays, so that a
 * request allocates nothing in the steady state. Only one that takes longer than its turn, since a
 * body is still to come or the answer is, becomes its connection's own (exchange_detach()).
 *
 *   begin -> body, piece by piece -> body_end -> is_ready? -> answer (answer.h) -> reset
 */
#ifndef DROVER_WORKER_EXCHANGE_H
#define DROVER_WORKER_EXCHANGE_H

#include <drover.h>
#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "http/conditional.h"
#include "http/date.h"
#include "http/forwarded.h"
#include "http/parse.h"
#include "worker/payload.h"
#include "worker/prepared.h"
#include "worker/services.h"
#include "worker/sites.h"

struct conn;
struct exchange;

/* What drover.h calls a request. */
struct drover_request {
    struct http_request head; /* spans into the connection's bytes, or into `kept` */
    struct buf kept;          /* the head's bytes, once they have to outlive a turn */
    struct buf body;          /* whole */
    size_t path_at;     /* how much of the path is the site's prefix, which its application does not
                         * see */
    size_t path_length; /* with it */
    char path[FILE_PATH_MAX + 1];
};

/* Where the body of an answer comes from. */
enum source {
    SOURCE_NONE,
    SOURCE_BYTES, /* what was appended */
    SOURCE_FILE,
    SOURCE_PULL,
    SOURCE_PREPARED,
};

/* What an answer says of itself where the application has said nothing, or where drover serves
 * ranges of it. */
#define TYPE_DEFAULT  "text/plain; charset=utf-8"
#define ACCEPT_RANGES "Accept-Ranges: bytes\r\n"

/* What drover.h calls a response. */
struct drover_response {
    int status;
    bool has_status; /* it was said, and 200 is not just the default */
    bool is_sealed;  /* the head was made: nothing can be set any more */
    bool is_deferred;
    bool is_finished;
    bool has_modified;
    bool has_upgrade; /* among the fields */
    enum source source;
    time_t modified;
    int fd;                           /* owned; -1: none */
    uint64_t size;                    /* of the file, or of what was prepared */
    struct drover_prepared *prepared; /* held; NULL: nothing was */
    struct buf fields;                /* field lines */
    struct buf body;
    struct buf type;
    struct buf etag;

    drover_pull_fn *pull;
    void *pull_state;
    int64_t pull_length; /* -1: not known */

    drover_receive_fn *receive;
    void *receive_state;

    const struct drover_protocol *protocol; /* of an upgrade */
    void *stream_state;

    void *attached;
    void (*release)(void *attached);
    void (*gone)(void *state); /* called when the client goes; NULL: nobody wants to know */
    void *gone_state;
    char misuse[112]; /* the first, in words; empty: none */
};

/* What all exchanges of a worker share. */
struct exchange_env {
    const struct drover_app *app;            /* where no route leads to another; borrowed */
    struct drover_worker *worker;            /* its own; borrowed */
    const struct sites *sites;               /* borrowed; NULL: there is no other application */
    const struct routes *routes;             /* of the sites; NULL: there are none */
    struct drover_worker *others;            /* of sites->apps[1] and on */
    bool asks_ready;                         /* one of the applications may have answers that stand
                                              * ready */
    const struct forwarded_rules *forwarded; /* whose X-Forwarded-For is taken; borrowed */
    uint64_t body_max; /* bytes of a body that the application does not receive */
    uint64_t boundary; /* of the next multipart answer: nothing that a file would hold */
    time_t now;
    int64_t warned_at; /* when a misuse was last told, in seconds of `now` */
    char date[HTTP_DATE_LENGTH + 1];
    struct buf start; /* of a 200: status line, Server and Date */
    /* The answer of an exchange that had to wait can go on; its connection is not gone. */
    void (*wake)(void *context, struct conn *conn);
    void *wake_context;
    struct exchange *detached; /* those that are a connection's own, or nobody's any more */
};

struct exchange {
    struct exchange_env *env;
    const struct drover_app *app; /* whose request it is; borrowed, as is its worker */
    struct drover_worker *worker;
    struct conn *conn; /* whose request it is; NULL: it has gone, or this one is not in use */
    struct drover_request request;
    struct drover_response response;
    enum { EXCHANGE_DROPS, EXCHANGE_GATHERS, EXCHANGE_GIVES } body_use;
    bool close;      /* the answer at hand says Connection: close */
    bool must_close; /* for the sake of a body that was not read */
    bool has_begun;  /* its handler has returned */
    bool is_detached;
    struct exchange *next; /* of those that are detached */
    struct exchange *previous;
};

void exchange_env_open(struct exchange_env *env, const struct drover_app *app);

/* Frees those that an application has deferred and never finished. */
void exchange_env_close(struct exchange_env *env);

/* Tells the time, once a turn; the Date line is made anew only when the second has changed. */
void exchange_tick(struct exchange_env *env, time_t now);

/* What is known of a request that is refused. All zero: nothing. */
struct refused {
    enum http_method method;      /* HTTP_GET where it is not known */
    const struct drover_app *app; /* whose it was; NULL: not known. It has the page */
    struct drover_worker *worker;
};

struct refused exchange_refused(const struct exchange *exchange);

/* As for one of which so much is known; where nothing is, it is for the server's own application.
 */
void exchange_enter(struct exchange *exchange, const struct refused *refused);

/* NULL when memory ran out. */
struct exchange *exchange_new(struct exchange_env *env);

/* Releases what was attached, and all it owns. NULL is allowed. */
void exchange_free(struct exchange *exchange);

/* As if it were new, what it grew kept. What was attached is released. */
void exchange_reset(struct exchange *exchange);

/*
 * The request in exchange->request.head was parsed: refuses what the server refuses by itself, and
 * asks an application that is called at the head. body_use tells what becomes of the body: dropped
 * since the answer needs none of it, gathered up to env->body_max, or given to the application.
 */
void exchange_begin(struct exchange *exchange);

/* The application's answer that stands ready for the request in exchange->request.head, borrowed;
 * NULL: there is none, and exchange_begin() is due. */
struct drover_prepared *exchange_ready(struct exchange *exchange);

/* Is the body, or its rest, of no use to anybody? */
bool exchange_drops(const struct exchange *exchange);

/* Does the body say of itself that it is longer than env->body_max? One that the application
 * receives may be. */
bool exchange_refuses(const struct exchange *exchange);

/* A piece of the body. 0, or minus the status to refuse the request with: 413, 503. */
int exchange_body(struct exchange *exchange, struct span piece);

/* The body is whole, or there is none. */
void exchange_body_end(struct exchange *exchange);

/* Can it be answered, or does the application need time? */
bool exchange_is_ready(const struct exchange *exchange);

/* What its preconditions are compared with; borrowed until it changes. */
struct http_validators exchange_validators(const struct drover_response *response);

/* The response is this status and its page, whatever the application had said. */
void exchange_become(struct exchange *exchange, int status);

/*
 * Copies the head's bytes, so that the request's parts outlive the bytes that it was parsed from,
 * and puts the exchange on the list. The caller, whose own it is now, has exchange_free() or, for
 * one that may still be finished, exchange_abandon() before it. -1 when memory ran out.
 */
int exchange_detach(struct exchange *exchange, struct span head);

/* The connection is gone. Frees it, now or when the application has finished it. */
void exchange_abandon(struct exchange *exchange);

/* The application did what it must not: tells it, and the log. Returns -1 with errno as given. */
int exchange_misuse(struct drover_response *response, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The exchange that a request or a response is part of. */
struct exchange *exchange_of_request(const struct drover_request *request);
struct exchange *exchange_of_response(const struct drover_response *response);

#endif
