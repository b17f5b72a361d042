#include "worker/exchange.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "http/path.h"
#include "http/respond.h"

/* ------------------------------------------------------------------------- what all share */

/* Not enough memory for it leaves it empty, and each answer makes its own. */
static void tell_time(struct exchange_env *env, time_t now)
{
    env->now = now;
    http_date_format(env->date, now);
    buf_clear(&env->start);
    http_respond_start(&env->start, 200, env->date);
    if (env->start.failed)
        buf_clear(&env->start);
}

void exchange_env_open(struct exchange_env *env, const struct drover_app *app)
{
    static const struct forwarded_rules nobody;
    *env = (struct exchange_env){
        .app = app, .forwarded = &nobody, .body_max = BODY_MAX_DEFAULT, .warned_at = INT64_MIN};
    env->asks_ready = app->ready;
    if (getrandom(&env->boundary, sizeof env->boundary, GRND_NONBLOCK) < 0)
        env->boundary = (uintptr_t)env; /* at boot there may be none yet */
    tell_time(env, 0);
}

/* Off the list of those that are detached, if it is there. */
static void unlink_one(struct exchange *exchange)
{
    if (!exchange->is_detached)
        return;
    exchange->is_detached = false;
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        exchange->env->detached = exchange->next;
    if (exchange->next)
        exchange->next->previous = exchange->previous;
}

void exchange_env_close(struct exchange_env *env)
{
    struct exchange *one;
    while ((one = env->detached)) {
        /* Off the list first: what is released may finish another, and that is freed then. */
        env->detached = one->next;
        if (one->next)
            one->next->previous = NULL;
        one->is_detached = false;
        exchange_free(one);
    }
    buf_free(&env->start);
}

void exchange_tick(struct exchange_env *env, time_t now)
{
    if (now != env->now)
        tell_time(env, now);
}

/* ------------------------------------------------------------------------------ its life */

static void enter(struct exchange *exchange, const struct drover_app *app,
                  struct drover_worker *worker)
{
    exchange->app = app;
    exchange->worker = worker;
}

static void enter_default(struct exchange *exchange)
{
    enter(exchange, exchange->env->app, exchange->env->worker);
}

struct refused exchange_refused(const struct exchange *exchange)
{
    return (struct refused){
        .method = exchange->request.head.method, .app = exchange->app, .worker = exchange->worker};
}

void exchange_enter(struct exchange *exchange, const struct refused *refused)
{
    if (refused->app)
        enter(exchange, refused->app, refused->worker);
    else
        enter_default(exchange);
}

struct exchange *exchange_new(struct exchange_env *env)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->env = env;
    enter_default(exchange);
    exchange->response.fd = -1;
    exchange->response.status = 200;
    return exchange;
}

/* Drops what the answer would have been. */
static void clear_answer(struct drover_response *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    prepared_drop(r->prepared);
    r->prepared = NULL;
    r->source = SOURCE_NONE;
    r->has_modified = r->has_upgrade = false;
    r->protocol = NULL;
    buf_clear(&r->fields);
    buf_clear(&r->body);
    buf_clear(&r->type);
    buf_clear(&r->etag);
}

static void release_attached(struct drover_response *r)
{
    void (*release)(void *attached) = r->release;
    r->release = NULL;
    if (release)
        release(r->attached);
    r->attached = NULL;
}

void exchange_reset(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    release_attached(r);
    clear_answer(r);
    r->status = 200;
    r->has_status = r->is_sealed = r->is_deferred = r->is_finished = false;
    r->receive = NULL;
    r->gone = NULL;
    r->misuse[0] = '\0';
    buf_clear(&exchange->request.body);
    exchange->conn = NULL;
    exchange->has_begun = exchange->must_close = false;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    struct drover_response *r = &exchange->response;
    unlink_one(exchange);
    exchange_reset(exchange);
    buf_free(&exchange->request.kept);
    buf_free(&exchange->request.body);
    buf_free(&r->fields);
    buf_free(&r->body);
    buf_free(&r->type);
    buf_free(&r->etag);
    free(exchange);
}

int exchange_detach(struct exchange *exchange, struct span head)
{
    struct drover_request *request = &exchange->request;
    struct exchange_env *env = exchange->env;
    buf_span(&request->kept, head);
    exchange->is_detached = true;
    exchange->previous = NULL;
    exchange->next = env->detached;
    if (env->detached)
        env->detached->previous = exchange;
    env->detached = exchange;
    if (request->kept.failed) { /* the application may still look at it */
        memset(&request->head, 0, sizeof request->head);
        return -1;
    }
    http_parse_head(&request->head, request->kept.p, request->kept.len);
    return 0;
}

void exchange_abandon(struct exchange *exchange)
{
    const struct drover_response *r = &exchange->response;
    exchange->conn = NULL;
    if (!r->is_deferred || r->is_finished)
        exchange_free(exchange);
    else if (r->gone)
        r->gone(r->gone_state);
}

struct exchange *exchange_of_request(const struct drover_request *request)
{
    return (struct exchange *)((uintptr_t)request - offsetof(struct exchange, request));
}

struct exchange *exchange_of_response(const struct drover_response *response)
{
    return (struct exchange *)((uintptr_t)response - offsetof(struct exchange, response));
}

/* ----------------------------------------------------------------------------- the request */

struct http_validators exchange_validators(const struct drover_response *response)
{
    return (struct http_validators){.etag = span_of_buf(&response->etag),
                                    .modified = response->modified,
                                    .has_modified = response->has_modified};
}

void exchange_become(struct exchange *exchange, int status)
{
    clear_answer(&exchange->response);
    exchange->response.status = status;
}

/* An OPTIONS for the server as a whole (RFC 9110, 9.3.7). */
static void answer_server_options(struct exchange *exchange)
{
    exchange_become(exchange, 204);
    drover_response_field(&exchange->response, "Allow", "GET, HEAD, OPTIONS");
}

/* Is there something to refuse before the application is asked? The status, or 0. */
static int refusal(struct drover_request *request)
{
    const struct http_request *head = &request->head;
    request->path_at = request->path_length = 0;
    request->path[0] = '\0';
    if (head->expect_unknown)
        return 417;
    if (head->method == HTTP_METHOD_UNKNOWN || head->method == HTTP_CONNECT)
        return 501;
    if (head->path.n == 0)
        return 0;
    int n = http_path_decode(head->path, request->path, sizeof request->path);
    if (n < 0)
        return -n;
    request->path_length = (size_t)n;
    return 0;
}

/* Relative links in a directory that was asked for without its slash would lead astray. */
static int take_route(struct exchange *exchange, const struct route *route)
{
    struct drover_request *request = &exchange->request;
    const struct exchange_env *env = exchange->env;
    enum http_method method = request->head.method;
    if (route->app > 0)
        enter(exchange, env->others[route->app - 1].app, &env->others[route->app - 1]);
    request->path_at = route->prefix.n;
    if (request->path_length > route->prefix.n)
        return 0;
    request->path[request->path_length++] = '/'; /* there is room: a prefix is shorter */
    request->path[request->path_length] = '\0';
    return route->is_directory && (method == HTTP_GET || method == HTTP_HEAD) ? 301 : 0;
}

/* What is refused before it is known whose it is, is refused by the server's own. */
static int choose_site(struct exchange *exchange, int refused)
{
    const struct drover_request *request = &exchange->request;
    enter_default(exchange);
    if (refused || request->path_length == 0)
        return refused;
    const struct route *route = routes_find(
        exchange->env->routes, request->head.authority,
        (struct span){.p = request->path, .n = request->path_length});
    return route ? take_route(exchange, route) : 0;
}

/* Whose request it is, and the status that is answered before the application is asked; 0: none. */
static int admit(struct exchange *exchange)
{
    int refused = refusal(&exchange->request);
    return exchange->env->routes ? choose_site(exchange, refused) : refused;
}

/* To the same path with a slash behind it, which it has by now. */
static void send_on(struct exchange *exchange)
{
    char location[3 * (SITE_PREFIX_MAX + 1) + HTTP_REQUEST_LINE_MAX];
    const struct drover_request *request = &exchange->request;
    struct span query = request->head.query;
    struct span path = {.p = request->path, .n = request->path_length};
    long n = http_path_encode(path, location, sizeof location);
    snprintf(location + n, sizeof location - (size_t)n, "%s%.*s", query.n > 0 ? "?" : "",
             (int)query.n, query.n > 0 ? query.p : "");
    exchange_become(exchange, 301);
    drover_response_field(&exchange->response, "Location", location);
}

/* What follows a CONNECT was meant for whoever is behind the tunnel: it is no request. */
static void refuse(struct exchange *exchange, int status)
{
    exchange_become(exchange, status);
    exchange->must_close = exchange->request.head.method == HTTP_CONNECT;
}

static void ask_application(struct exchange *exchange)
{
    const struct drover_app *app = exchange->app;
    app->handle(app->context, &exchange->request, &exchange->response);
}

void exchange_begin(struct exchange *exchange)
{
    int refused = admit(exchange);
    exchange->body_use = EXCHANGE_DROPS;
    if (refused == 301)
        send_on(exchange);
    else if (refused)
        refuse(exchange, refused);
    else if (exchange->request.path_length == 0)
        answer_server_options(exchange);
    else if (exchange->app->when == DROVER_WITH_BODY)
        exchange->body_use = EXCHANGE_GATHERS;
    else
        ask_application(exchange);
    exchange->has_begun = true;
    if (exchange->response.receive)
        exchange->body_use = EXCHANGE_GIVES;
}

/* Is it one whose answer is the same for everybody, and all of it? */
static bool is_plain(const struct http_request *head)
{
    return head->method == HTTP_GET && head->minor == 1 && head->keep_alive &&
           !head->has_conditions && !head->chunked && head->content_length == 0 &&
           !head->expect_unknown;
}

struct drover_prepared *exchange_ready(struct exchange *exchange)
{
    const struct exchange_env *env = exchange->env;
    const struct http_request *head = &exchange->request.head;
    if (!env->asks_ready || !is_plain(head) || env->start.len == 0 || admit(exchange))
        return NULL;
    const struct drover_app *app = exchange->app;
    return app->ready ? app->ready(app->context, &exchange->request, exchange->worker) : NULL;
}

bool exchange_drops(const struct exchange *exchange)
{
    return exchange->body_use == EXCHANGE_DROPS || exchange->response.is_finished;
}

bool exchange_refuses(const struct exchange *exchange)
{
    return exchange->body_use != EXCHANGE_GIVES &&
           exchange->request.head.content_length > exchange->env->body_max;
}

static int gather(struct exchange *exchange, struct span piece)
{
    struct buf *body = &exchange->request.body;
    if (piece.n > exchange->env->body_max - body->len)
        return -413;
    buf_span(body, piece);
    return body->failed ? -503 : 0;
}

static int give(struct exchange *exchange, struct span piece)
{
    struct drover_response *r = &exchange->response;
    if (piece.n == 0 || r->is_finished)
        return 0;
    if (r->receive(r->receive_state, r, piece.p, piece.n) < 0)
        r->is_finished = true;
    return 0;
}

int exchange_body(struct exchange *exchange, struct span piece)
{
    switch (exchange->body_use) {
    case EXCHANGE_GATHERS: return gather(exchange, piece);
    case EXCHANGE_GIVES: return give(exchange, piece);
    case EXCHANGE_DROPS: break;
    }
    return 0;
}

void exchange_body_end(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    if (exchange->body_use == EXCHANGE_GATHERS)
        ask_application(exchange);
    else if (exchange->body_use == EXCHANGE_GIVES && !r->is_finished)
        r->receive(r->receive_state, r, "", 0);
}

bool exchange_is_ready(const struct exchange *exchange)
{
    return exchange->response.is_finished || !exchange->response.is_deferred;
}

/* ------------------------------------------------------------------------------ the misuse */

int exchange_misuse(struct drover_response *response, int error, const char *format, ...)
{
    const struct exchange *exchange = exchange_of_response(response);
    struct exchange_env *env = exchange->env;
    char words[sizeof response->misuse];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (!response->misuse[0])
        memcpy(response->misuse, words, sizeof words);
    if (env->warned_at != env->now)
        log_warnx("application %s: %s", exchange->app->name, words);
    env->warned_at = env->now;
    errno = error;
    return -1;
}
