#include "worker/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "http/conditional.h"
#include "http/path.h"
#include "http/range.h"
#include "http/respond.h"

/* The parts of a file that an answer holds: one, the whole or a range, or several ranges. */
struct selection {
    int count; /* 0: no file, or no body at all */
    struct http_range ranges[HTTP_RANGES_MAX];
};

void exchange_open(struct exchange *exchange, const struct drover_app *app)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->app = app;
    exchange->response.fd = -1;
    if (getrandom(&exchange->boundary, sizeof exchange->boundary, GRND_NONBLOCK) < 0)
        exchange->boundary = (uintptr_t)exchange; /* at boot there may be none yet */
    http_date_format(exchange->date, 0);
}

static void response_reset(struct drover_response *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->status = 200;
    r->has_body = r->has_modified = false;
    buf_clear(&r->fields);
    buf_clear(&r->body);
    buf_clear(&r->type);
    buf_clear(&r->etag);
}

void exchange_free(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    response_reset(r);
    buf_free(&r->fields);
    buf_free(&r->body);
    buf_free(&r->type);
    buf_free(&r->etag);
}

void exchange_tick(struct exchange *exchange, time_t now)
{
    if (now == exchange->now)
        return;
    exchange->now = now;
    http_date_format(exchange->date, now);
}

static struct span span_of_buf(const struct buf *b)
{
    return (struct span){.p = b->p, .n = b->len};
}

/* ---------------------------------------------------------------- what the response becomes */

/* The response is this status and its page, whatever it was before. */
static void become(struct drover_response *r, int status)
{
    response_reset(r);
    r->status = status;
}

/* An OPTIONS for the server as a whole (RFC 9110, 9.3.7). */
static void answer_server_options(struct drover_response *r)
{
    become(r, 204);
    drover_response_field(r, "Allow", "GET, HEAD, OPTIONS");
}

/* Is there something to refuse before the application is asked? The status, or 0. */
static int refusal(struct drover_request *request)
{
    const struct http_request *head = &request->head;
    request->path_length = 0;
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

static void default_type(struct drover_response *r)
{
    if (r->has_body && r->type.len == 0)
        buf_lit(&r->type, "text/plain; charset=utf-8");
}

static void ask_application(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    int refused = refusal(&exchange->request);
    if (refused)
        become(r, refused);
    else if (exchange->request.path_length == 0)
        answer_server_options(r);
    else
        exchange->app->handle(exchange->app->context, &exchange->request, r);
    default_type(r);
    if (r->fields.failed || r->body.failed || r->type.failed || r->etag.failed)
        become(r, 503); /* out of memory: half an answer is worse than none */
}

static bool is_conditional(const struct exchange *exchange)
{
    const struct drover_response *r = &exchange->response;
    enum http_method method = exchange->request.head.method;
    return r->status == 200 && (method == HTTP_GET || method == HTTP_HEAD) &&
           (r->etag.len > 0 || r->has_modified);
}

static struct http_validators validators_of(const struct drover_response *r)
{
    return (struct http_validators){
        .etag = span_of_buf(&r->etag), .modified = r->modified, .has_modified = r->has_modified};
}

/* RFC 9110, 13.2.1: preconditions count only where the answer would be a success without them. */
static void apply_precondition(struct exchange *exchange)
{
    struct http_validators has = validators_of(&exchange->response);
    int status = http_precondition(&exchange->request.head, &has, exchange->now);
    if (status == 304)
        exchange->response.status = 304;
    else if (status)
        become(&exchange->response, status);
}

/* Which ranges of a file's response are sent; makes it a 206 or 416 where it has to be. */
static struct selection select_ranges(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    struct selection selection = {.count = 1, .ranges = {{.first = 0, .length = r->size}}};
    const struct http_request *head = &exchange->request.head;
    const struct http_field *range = http_request_field(head, SPAN("Range"));
    struct http_validators has = validators_of(r);
    if (r->status != 200)
        return selection;
    buf_lit(&r->fields, "Accept-Ranges: bytes\r\n");
    if (head->method != HTTP_GET || !range || !http_if_range(head, &has, exchange->now))
        return selection;
    int n = http_ranges(range->value, r->size, selection.ranges);
    if (n > 0) {
        r->status = 206;
        selection.count = n;
    } else if (n == 0) {
        uint64_t size = r->size;
        become(r, 416);
        buf_printf(&r->fields, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        selection.count = 0;
    } else { /* ignored */
        selection.ranges[0] = (struct http_range){.first = 0, .length = r->size};
    }
    return selection;
}

/* ------------------------------------------------------------------------ the answer's bytes */

static void content_range(struct buf *out, const struct http_range *range, uint64_t size)
{
    buf_lit(out, "Content-Range: bytes ");
    buf_u64(out, range->first);
    buf_lit(out, "-");
    buf_u64(out, range->first + range->length - 1);
    buf_lit(out, "/");
    buf_u64(out, size);
    buf_lit(out, "\r\n");
}

/* The parts of multipart/byteranges (RFC 9110, 14.6) and what stands between them. */
static struct payload *multipart(struct exchange *exchange, const struct selection *selection,
                                 uint64_t *length)
{
    struct drover_response *r = &exchange->response;
    int fd = r->fd;
    r->fd = -1;
    struct payload *payload = payload_new(fd, (size_t)selection->count + 1);
    if (!payload)
        return NULL;
    *length = 0;
    for (int i = 0; i < selection->count; i++) {
        const struct http_range *range = &selection->ranges[i];
        buf_printf(&payload->text, "%s--%016" PRIx64 "\r\nContent-Type: %.*s\r\n", i ? "\r\n" : "",
                   exchange->boundary, (int)r->type.len, r->type.p);
        content_range(&payload->text, range, r->size);
        buf_lit(&payload->text, "\r\n");
        payload_add(payload, range->first, range->length);
        *length += range->length;
    }
    buf_printf(&payload->text, "\r\n--%016" PRIx64 "--\r\n", exchange->boundary);
    payload_add(payload, 0, 0);
    *length += payload->text.len;
    bool failed = payload->text.failed;
    buf_clear(&r->type);
    buf_printf(&r->type, "multipart/byteranges; boundary=%016" PRIx64, exchange->boundary++);
    if (!failed && !r->type.failed)
        return payload;
    payload_free(payload);
    return NULL;
}

static enum http_persistence persistence(const struct exchange *exchange)
{
    if (exchange->close)
        return HTTP_CLOSE;
    return exchange->request.head.minor == 0 ? HTTP_KEEP_SAID : HTTP_KEEP_SILENT;
}

static void add_validators(struct drover_response *r)
{
    if (r->etag.len > 0) {
        buf_lit(&r->fields, "ETag: ");
        buf_span(&r->fields, span_of_buf(&r->etag));
        buf_lit(&r->fields, "\r\n");
    }
    if (r->has_modified) {
        char date[HTTP_DATE_LENGTH + 1];
        http_date_format(date, r->modified);
        buf_lit(&r->fields, "Last-Modified: ");
        buf_str(&r->fields, date);
        buf_lit(&r->fields, "\r\n");
    }
}

static void write_head(struct exchange *exchange, struct buf *out, uint64_t length)
{
    struct drover_response *r = &exchange->response;
    bool has_body = http_status_has_body(r->status);
    struct http_head head = {.status = r->status,
                             .persistence = persistence(exchange),
                             .date = exchange->date,
                             .type = has_body ? span_of_buf(&r->type) : (struct span){0},
                             .fields = span_of_buf(&r->fields),
                             .has_length = has_body,
                             .length = length};
    http_respond_head(out, &head);
}

static void add_page(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    const struct drover_app *app = exchange->app;
    if (r->has_body || r->status < 300 || !http_status_has_body(r->status))
        return;
    buf_clear(&r->type);
    if (app->page)
        app->page(app->context, r->status, r);
    default_type(r);
    if (r->has_body)
        return;
    buf_clear(&r->type);
    buf_lit(&r->type, "text/html; charset=utf-8");
    http_page(&r->body, r->status);
}

/* Reads a short piece of a file into the answer. False if it is not all there. */
static bool read_inline(struct buf *out, int fd, const struct http_range *range)
{
    size_t got = 0;
    char *to = buf_room(out, range->length);
    if (!to)
        return false;
    while (got < range->length) {
        ssize_t n = pread(fd, to + got, range->length - got, (off_t)(range->first + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    buf_grow(out, got);
    return true;
}

static void write_bytes(struct exchange *exchange, struct buf *out)
{
    struct drover_response *r = &exchange->response;
    add_page(exchange);
    write_head(exchange, out, r->body.len);
    if (http_status_has_body(r->status) && exchange->request.head.method != HTTP_HEAD)
        buf_span(out, span_of_buf(&r->body));
}

/* The file, or a part of it, cannot be had: the answer is another one. */
static void write_failure(struct exchange *exchange, struct buf *out, size_t start, int status)
{
    out->len = start;
    become(&exchange->response, status);
    write_bytes(exchange, out);
}

static void write_one_range(struct exchange *exchange, struct buf *out, struct payload **payload,
                            const struct http_range *range)
{
    struct drover_response *r = &exchange->response;
    size_t start = out->len;
    if (r->status == 206)
        content_range(&r->fields, range, r->size);
    write_head(exchange, out, range->length);
    if (exchange->request.head.method == HTTP_HEAD || range->length == 0)
        return;
    if (range->length <= FILE_INLINE_MAX) {
        if (!read_inline(out, r->fd, range))
            write_failure(exchange, out, start, 500);
        return;
    }
    int fd = r->fd;
    r->fd = -1;
    *payload = payload_new(fd, 1);
    if (*payload)
        payload_add(*payload, range->first, range->length);
    else
        write_failure(exchange, out, start, 503);
}

static void write_ranges(struct exchange *exchange, struct buf *out, struct payload **payload,
                         const struct selection *selection)
{
    uint64_t length;
    if (selection->count == 1) {
        write_one_range(exchange, out, payload, &selection->ranges[0]);
        return;
    }
    *payload = multipart(exchange, selection, &length);
    if (*payload)
        write_head(exchange, out, length);
    else
        write_failure(exchange, out, out->len, 503);
}

bool exchange_run(struct exchange *exchange, struct buf *out, struct payload **payload, bool last)
{
    struct drover_response *r = &exchange->response;
    struct selection selection = {0};
    *payload = NULL;
    exchange->close = last || !exchange->request.head.keep_alive;
    response_reset(r);
    ask_application(exchange);
    if (r->modified > exchange->now) /* RFC 9110, 8.8.2.1: never later than Date */
        r->modified = exchange->now;
    if (is_conditional(exchange))
        apply_precondition(exchange);
    if (r->fd >= 0 && http_status_has_body(r->status))
        selection = select_ranges(exchange);
    add_validators(r);
    if (selection.count > 0)
        write_ranges(exchange, out, payload, &selection);
    else
        write_bytes(exchange, out);
    response_reset(r);
    return !exchange->close;
}

void exchange_refuse(struct exchange *exchange, struct buf *out, int status)
{
    exchange->close = true;
    exchange->request.head.method = HTTP_GET; /* what it was may not be known */
    become(&exchange->response, status);
    write_bytes(exchange, out);
}
