/*
 * What an application calls for a request and its response: include/drover.h, told by an exchange.
 */
#include <drover.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/span.h"
#include "http/encoding.h"
#include "http/field.h"
#include "http/mime.h"
#include "http/path.h"
#include "http/respond.h"
#include "worker/exchange.h"

static struct drover_span lend(struct span s)
{
    return (struct drover_span){.p = s.p, .n = s.n};
}

/* ----------------------------------------------------------------------------- the request */

struct drover_span drover_request_method(const struct drover_request *request)
{
    return lend(request->head.method_name);
}

int drover_request_is(const struct drover_request *request, const char *method)
{
    return span_eq(request->head.method_name, span_of(method));
}

struct drover_span drover_request_path(const struct drover_request *request)
{
    return (struct drover_span){.p = request->path + request->path_at,
                                .n = request->path_length - request->path_at};
}

struct drover_span drover_request_prefix(const struct drover_request *request)
{
    return (struct drover_span){.p = request->path, .n = request->path_at};
}

struct drover_span drover_request_query(const struct drover_request *request)
{
    return lend(request->head.query);
}

struct drover_span drover_request_authority(const struct drover_request *request)
{
    return lend(request->head.authority);
}

struct drover_span drover_request_field(const struct drover_request *request, const char *name)
{
    const struct http_field *field = http_request_field(&request->head, span_of(name));
    return field ? lend(field->value) : (struct drover_span){0};
}

int drover_request_field_at(const struct drover_request *request, size_t index,
                            struct drover_span *name, struct drover_span *value)
{
    if (index >= request->head.field_count) {
        errno = ENOENT;
        return -1;
    }
    *name = lend(request->head.fields[index].name);
    *value = lend(request->head.fields[index].value);
    return 0;
}

struct drover_span drover_request_body(const struct drover_request *request)
{
    return (struct drover_span){.p = request->body.len > 0 ? request->body.p : NULL,
                                .n = request->body.len};
}

_Static_assert((int)DROVER_BR == (int)HTTP_CODING_BR && (int)DROVER_ZSTD == (int)HTTP_CODING_ZSTD &&
                   (int)DROVER_GZIP == (int)HTTP_CODING_GZIP &&
                   (int)DROVER_IDENTITY == (int)HTTP_CODING_IDENTITY,
               "the same numbers inside and outside");

unsigned drover_request_coding(const struct drover_request *request, unsigned offered)
{
    return http_request_coding(&request->head, offered);
}

/* ---------------------------------------------------------------------------- the response */

static int written(const struct buf *b)
{
    if (!b->failed)
        return 0;
    errno = ENOMEM;
    return -1;
}

/* Is it too late to say something? */
static bool is_late(struct drover_response *r, const char *what)
{
    if (!r->is_sealed)
        return false;
    exchange_misuse(r, EALREADY, "%s comes after the head has left", what);
    return true;
}

int drover_response_status(struct drover_response *response, int status)
{
    if (is_late(response, "a status"))
        return -1;
    if (response->has_status)
        return exchange_misuse(response, EALREADY, "status %d is set, and %d comes too late",
                               response->status, status);
    if (response->protocol)
        return exchange_misuse(response, EINVAL, "a 101 has no other status");
    if (response->prepared)
        return exchange_misuse(response, EINVAL, "a prepared answer has its own status");
    if (status < 200 || status > 599)
        return exchange_misuse(response, EINVAL, "status %d is not one of 200 to 599", status);
    if (response->source != SOURCE_NONE && !http_status_has_body(status))
        return exchange_misuse(response, EINVAL, "status %d has no body, and there is one", status);
    response->status = status;
    response->has_status = true;
    return 0;
}

static int add_field(struct drover_response *response, struct span name, const char *value)
{
    response->has_upgrade |= span_eq_nocase(name, SPAN("Upgrade"));
    buf_span(&response->fields, name);
    buf_lit(&response->fields, ": ");
    buf_str(&response->fields, value);
    buf_lit(&response->fields, "\r\n");
    return written(&response->fields);
}

/* What an application says in place of the field; "": nothing. */
static const char *setter_of(struct span name)
{
    if (span_eq_nocase(name, SPAN("Content-Type")))
        return ": drover_response_type() sets it";
    if (span_eq_nocase(name, SPAN("ETag")))
        return ": drover_response_etag() sets it";
    if (span_eq_nocase(name, SPAN("Last-Modified")))
        return ": drover_response_modified() sets it";
    return "";
}

int drover_response_field(struct drover_response *response, const char *name, const char *value)
{
    struct span n = span_of(name);
    if (is_late(response, "a field"))
        return -1;
    if (!http_is_token(n))
        return exchange_misuse(response, EINVAL, "a field's name is no token");
    if (http_field_is_ours(n))
        return exchange_misuse(response, EINVAL, "the field %.40s is drover's to write%s", name,
                               setter_of(n));
    if (!http_is_value(span_of(value)))
        return exchange_misuse(response, EINVAL, "the field %.40s has control bytes", name);
    return add_field(response, n, value);
}

static int replace(struct drover_response *response, struct buf *b, const char *value,
                   const char *what)
{
    if (is_late(response, what))
        return -1;
    if (!http_is_value(span_of(value)))
        return exchange_misuse(response, EINVAL, "%s has control bytes", what);
    buf_clear(b);
    buf_str(b, value);
    return written(b);
}

int drover_response_type(struct drover_response *response, const char *media_type)
{
    return replace(response, &response->type, media_type, "a type");
}

/* RFC 9110, 8.8.3: opaque bytes between two quotes, perhaps marked as weak. */
static bool is_etag(const char *etag)
{
    const char *p = etag[0] == 'W' && etag[1] == '/' ? etag + 2 : etag;
    size_t n = strlen(p);
    if (n < 2 || p[0] != '"' || p[n - 1] != '"')
        return false;
    return !memchr(p + 1, '"', n - 2) && !memchr(p, ' ', n) && !memchr(p, '\t', n);
}

int drover_response_etag(struct drover_response *response, const char *etag)
{
    if (!is_etag(etag))
        return exchange_misuse(response, EINVAL, "an entity tag stands in quotes");
    return replace(response, &response->etag, etag, "an entity tag");
}

int drover_response_modified(struct drover_response *response, time_t modified)
{
    if (is_late(response, "a time"))
        return -1;
    response->modified = modified;
    response->has_modified = true;
    return 0;
}

/* May the body come from there? Says so if not. */
static bool takes_body(struct drover_response *r, enum source source)
{
    static const char *const names[] = {[SOURCE_NONE] = "none",
                                        [SOURCE_BYTES] = "bytes",
                                        [SOURCE_FILE] = "a file",
                                        [SOURCE_PULL] = "a stream",
                                        [SOURCE_PREPARED] = "prepared"};
    if (is_late(r, "a body"))
        return false;
    if (r->has_status && !http_status_has_body(r->status)) {
        exchange_misuse(r, EINVAL, "status %d has no body", r->status);
        return false;
    }
    bool replaces = source == SOURCE_FILE && r->source == SOURCE_BYTES;
    if (r->source != SOURCE_NONE && r->source != source && !replaces) {
        exchange_misuse(r, EINVAL, "the body is %s, and cannot be %s", names[r->source],
                        names[source]);
        return false;
    }
    if (r->protocol) {
        exchange_misuse(r, EINVAL, "a 101 has no body");
        return false;
    }
    return true;
}

int drover_response_body(struct drover_response *response, const void *bytes, size_t length)
{
    if (!takes_body(response, SOURCE_BYTES))
        return -1;
    response->source = SOURCE_BYTES;
    buf_add(&response->body, bytes, length);
    return written(&response->body);
}

int drover_response_file(struct drover_response *response, int fd, uint64_t size)
{
    if (fd < 0)
        return exchange_misuse(response, EINVAL, "a file's descriptor is negative");
    if (!takes_body(response, SOURCE_FILE)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    if (response->fd >= 0)
        close(response->fd);
    response->source = SOURCE_FILE;
    response->fd = fd;
    response->size = size;
    buf_clear(&response->body);
    return 0;
}

const char *drover_response_error(const struct drover_response *response)
{
    return response->misuse[0] ? response->misuse : NULL;
}

int drover_response_attach(struct drover_response *response, void *state,
                           void (*release)(void *state))
{
    if (response->attached || response->release)
        return exchange_misuse(response, EALREADY, "something is attached already");
    response->attached = state;
    response->release = release;
    return 0;
}

void *drover_response_attached(const struct drover_response *response)
{
    return response->attached;
}

const struct drover_request *drover_response_request(const struct drover_response *response)
{
    return &exchange_of_response(response)->request;
}

struct drover_worker *drover_response_worker(const struct drover_response *response)
{
    return exchange_of_response(response)->worker;
}

/* ------------------------------------------------------------------- answers that take time */

static void wake(struct drover_response *response)
{
    const struct exchange *exchange = exchange_of_response(response);
    const struct exchange_env *env = exchange->env;
    if (exchange->conn && exchange->is_detached)
        env->wake(env->wake_context, exchange->conn);
}

int drover_response_defer(struct drover_response *response)
{
    if (is_late(response, "a delay"))
        return -1;
    response->is_deferred = true;
    return 0;
}

void drover_response_finish(struct drover_response *response)
{
    struct exchange *exchange = exchange_of_response(response);
    if (!response->is_deferred)
        exchange_misuse(response, EINVAL, "finish() comes without a defer()");
    response->is_finished = true;
    if (exchange->is_detached && !exchange->conn)
        exchange_free(exchange);
    else
        wake(response);
}

int drover_response_is_gone(const struct drover_response *response)
{
    return exchange_of_response(response)->conn == NULL;
}

int drover_response_on_gone(struct drover_response *response, void (*gone)(void *state),
                            void *state)
{
    if (response->gone)
        return exchange_misuse(response, EALREADY, "who is told of a client's end is set already");
    response->gone = gone;
    response->gone_state = state;
    return 0;
}

int drover_response_pull(struct drover_response *response, int64_t length, drover_pull_fn *pull,
                         void *state)
{
    if (length < -1)
        return exchange_misuse(response, EINVAL, "a length is negative");
    if (!pull)
        return exchange_misuse(response, EINVAL, "there is no function to pull");
    if (response->source == SOURCE_PULL)
        return exchange_misuse(response, EALREADY, "the body is a stream already");
    if (!takes_body(response, SOURCE_PULL))
        return -1;
    response->source = SOURCE_PULL;
    response->pull = pull;
    response->pull_state = state;
    response->pull_length = length;
    return 0;
}

void drover_response_resume(struct drover_response *response)
{
    wake(response);
}

int drover_response_receive(struct drover_response *response, drover_receive_fn *receive,
                            void *state)
{
    const struct exchange *exchange = exchange_of_response(response);
    if (exchange->app->when != DROVER_AT_HEAD)
        return exchange_misuse(response, EINVAL, "to receive a body takes .when = DROVER_AT_HEAD");
    if (exchange->has_begun)
        return exchange_misuse(response, EINVAL, "the body cannot be received any more");
    response->receive = receive;
    response->receive_state = state;
    return 0;
}

/* Is this one of the elements of the fields of that name? */
static bool lists(const struct http_request *head, struct span name, struct span wanted)
{
    for (size_t i = 0; i < head->field_count; i++) {
        struct span list = head->fields[i].value, element;
        if (!span_eq_nocase(head->fields[i].name, name))
            continue;
        while (span_next_element(&list, &element))
            if (span_eq_nocase(element, wanted))
                return true;
    }
    return false;
}

/* Not with a body: whatever is not read of it would be taken for the stream's first bytes. */
static bool asks_for(const struct http_request *head, struct span name)
{
    return head->minor == 1 && !head->chunked && head->content_length == 0 &&
           lists(head, SPAN("Upgrade"), name) && lists(head, SPAN("Connection"), SPAN("upgrade"));
}

int drover_response_upgrade(struct drover_response *response, const char *name,
                            const struct drover_protocol *protocol, void *state)
{
    const struct drover_request *request = drover_response_request(response);
    if (is_late(response, "an upgrade"))
        return -1;
    if (!asks_for(&request->head, span_of(name))) { /* the client's doing, so not told */
        errno = EINVAL;
        return -1;
    }
    if (response->protocol)
        return exchange_misuse(response, EALREADY, "the upgrade was said already");
    if (response->has_status || response->source != SOURCE_NONE)
        return exchange_misuse(response, EINVAL, "a 101 has no other status and no body");
    response->protocol = protocol;
    response->stream_state = state;
    return add_field(response, SPAN("Upgrade"), name);
}

/* -------------------------------------------------------------------------------- utilities */

const char *drover_media_type(const char *name)
{
    return http_media_type(span_of(name));
}

long drover_path_encode(struct drover_span path, char *out, size_t size)
{
    long length = http_path_encode((struct span){.p = path.p, .n = path.n}, out, size);
    if (length < 0)
        errno = ENOBUFS;
    return length;
}

void drover_log(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_info("%s", line);
}
