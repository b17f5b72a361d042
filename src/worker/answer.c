#include "worker/answer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "http/field.h"
#include "http/respond.h"
#include "worker/ranges.h"

/* ------------------------------------------------------------------------ preconditions */

static bool is_conditional(const struct exchange *exchange)
{
    const struct drover_response *r = &exchange->response;
    enum http_method method = exchange->request.head.method;
    return r->status == 200 && exchange->request.head.has_conditions &&
           (method == HTTP_GET || method == HTTP_HEAD);
}

/* All lines of that name. */
static void drop_field(struct buf *fields, struct span name)
{
    for (size_t at = 0; at < fields->len;) {
        char *line = fields->p + at;
        const char *end = memchr(line, '\n', fields->len - at);
        size_t n = (size_t)(end - line) + 1;
        bool is_it = n > name.n && line[name.n] == ':' &&
                     span_eq_nocase((struct span){.p = line, .n = name.n}, name);
        if (!is_it) {
            at += n;
            continue;
        }
        memmove(line, line + n, fields->len - at - n);
        fields->len -= n;
    }
}

/* RFC 9110, 15.4.5: what a 304 says of the representation a cache would note as news of its own. */
static void become_not_modified(struct drover_response *r)
{
    r->status = 304;
    drop_field(&r->fields, SPAN("Content-Encoding"));
    drop_field(&r->fields, SPAN("Content-Language"));
}

/* RFC 9110, 13.2.1: preconditions count only where the answer would be a success without them. */
static void apply_precondition(struct exchange *exchange)
{
    struct http_validators has = exchange_validators(&exchange->response);
    int status = http_precondition(&exchange->request.head, &has, exchange->env->now);
    if (status == 304)
        become_not_modified(&exchange->response);
    else if (status)
        exchange_become(exchange, status);
}

/* ------------------------------------------------------------------------ the answer's bytes */

static enum http_persistence persistence(const struct exchange *exchange)
{
    if (exchange->response.status == 101) /* there is no next request */
        return HTTP_KEEP_SILENT;
    if (exchange->close)
        return HTTP_CLOSE;
    return exchange->request.head.minor == 0 ? HTTP_KEEP_SAID : HTTP_KEEP_SILENT;
}

/* Up to what the answer is about. */
static void write_start(const struct exchange *exchange, struct buf *out, bool has_upgrade)
{
    const struct exchange_env *env = exchange->env;
    int status = exchange->response.status;
    struct http_head head = {.persistence = persistence(exchange), .has_upgrade = has_upgrade};
    if (status == 200 && env->start.len > 0)
        buf_span(out, span_of_buf(&env->start));
    else
        http_respond_start(out, status, env->date);
    http_respond_connection(out, &head);
}

static void write_head(const struct exchange *exchange, struct buf *out, uint64_t length)
{
    const struct drover_response *r = &exchange->response;
    if (r->fields.failed || r->type.failed)
        out->failed = true; /* half a field line would join what follows it */
    bool has_body = http_status_has_body(r->status);
    bool is_unknown = r->source == SOURCE_PULL && r->pull_length < 0;
    struct http_head head = {.type = has_body ? span_of_buf(&r->type) : (struct span){0},
                             .fields = span_of_buf(&r->fields),
                             .has_length = has_body && !is_unknown,
                             .is_chunked = has_body && is_unknown &&
                                           exchange->request.head.minor > 0,
                             .length = length};
    write_start(exchange, out, r->has_upgrade);
    http_respond_rest(out, &head);
}

static void add_page(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    const struct drover_app *app = exchange->app;
    if (r->source != SOURCE_NONE || r->status < 300 || !http_status_has_body(r->status))
        return;
    int status = r->status; /* what the page says of it does not count */
    buf_clear(&r->type);
    if (app->page)
        app->page(app->context, status, r);
    r->status = status;
    if (r->source == SOURCE_BYTES && !r->body.failed) {
        if (r->type.len == 0)
            buf_lit(&r->type, TYPE_DEFAULT);
        return;
    }
    r->source = SOURCE_BYTES; /* nothing else is the body of one */
    buf_clear(&r->type);
    buf_lit(&r->type, "text/html; charset=utf-8");
    buf_clear(&r->body);
    http_page(&r->body, status);
}

/* Reads a short piece of a file into the answer. False if it is not all there. */
static bool read_inline(struct buf *out, struct drover_response *r, const struct http_range *range)
{
    size_t got = 0;
    char *to = buf_room(out, range->length);
    if (!to)
        return false;
    while (got < range->length) {
        ssize_t n = pread(r->fd, to + got, range->length - got, (off_t)(range->first + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            exchange_misuse(r, errno, "descriptor %d: %s", r->fd, strerror(errno));
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    buf_grow(out, got);
    return true;
}

/* Is the body sent, or is its head all that is wanted? */
static bool sends_body(const struct exchange *exchange)
{
    return http_status_has_body(exchange->response.status) &&
           exchange->request.head.method != HTTP_HEAD;
}

static void write_bytes(struct exchange *exchange, struct buf *out)
{
    struct drover_response *r = &exchange->response;
    add_page(exchange);
    struct span body = r->prepared ? r->prepared->body : span_of_buf(&r->body);
    write_head(exchange, out, body.n);
    if (sends_body(exchange))
        buf_span(out, body);
}

/* The file, or a part of it, cannot be had: the answer is another one. */
static void write_failure(struct exchange *exchange, struct buf *out, size_t start, int status)
{
    out->len = start;
    exchange_become(exchange, status);
    write_bytes(exchange, out);
}

static void write_one_range(struct exchange *exchange, struct buf *out, struct payload **payload,
                            const struct http_range *range)
{
    struct drover_response *r = &exchange->response;
    size_t start = out->len;
    if (r->status == 206)
        ranges_say(&r->fields, range, r->size);
    write_head(exchange, out, range->length);
    if (!sends_body(exchange) || range->length == 0)
        return;
    if (r->prepared) {
        buf_add(out, r->prepared->body.p + range->first, range->length);
        return;
    }
    if (range->length <= FILE_INLINE_MAX) {
        if (!read_inline(out, r, range))
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
    *payload = ranges_multipart(exchange, selection, &length);
    if (*payload)
        write_head(exchange, out, length);
    else
        write_failure(exchange, out, out->len, 503);
}

/* ------------------------------------------------------------------------------ the whole */

/* Is all of it as it was prepared? */
static bool is_ready(const struct exchange *exchange)
{
    const struct drover_response *r = &exchange->response;
    const struct http_request *head = &exchange->request.head;
    return r->prepared && r->fields.len == 0 && !r->fields.failed && head->method == HTTP_GET &&
           !head->has_conditions;
}

/* Says what was prepared piece by piece, where the answer is not all of it. Its type, its tag and
 * its time are its own, whatever was said. */
static void unfold(struct drover_response *r)
{
    const struct drover_prepared *prepared = r->prepared;
    buf_clear(&r->type);
    buf_clear(&r->etag);
    buf_span(&r->type, prepared->type);
    buf_span(&r->etag, prepared->etag);
    buf_span(&r->fields, prepared->fields);
    r->modified = prepared->modified;
    r->has_modified = prepared->has_modified;
    r->size = prepared->body.n;
}

/* What the application has left open. */
static void complete(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    if (r->source != SOURCE_NONE && !r->prepared && r->type.len == 0)
        buf_lit(&r->type, TYPE_DEFAULT);
    if (r->fields.failed || r->body.failed || r->type.failed || r->etag.failed)
        exchange_become(exchange, 503); /* out of memory: half an answer is worse than none */
    if (r->has_modified && r->modified > exchange->env->now)
        r->modified = exchange->env->now; /* RFC 9110, 8.8.2.1: never later than Date */
}

bool answer_ends_by_close(const struct exchange *exchange)
{
    const struct drover_response *r = &exchange->response;
    return r->source == SOURCE_PULL && r->pull_length < 0 && exchange->request.head.minor == 0 &&
           http_status_has_body(r->status);
}

static enum answer write_pulled(struct exchange *exchange, struct buf *out)
{
    struct drover_response *r = &exchange->response;
    write_head(exchange, out, (uint64_t)r->pull_length);
    if (!sends_body(exchange) || r->pull_length == 0)
        return ANSWER_WHOLE;
    r->is_sealed = true;
    return ANSWER_PULLED;
}

/* Has it parts that could be sent alone? */
static bool has_ranges(const struct drover_response *r)
{
    return http_status_has_body(r->status) &&
           (r->source == SOURCE_FILE || (r->prepared && r->prepared->is_file));
}

/* The whole of what is not ready as it is. */
static enum answer compose(struct exchange *exchange, struct buf *out, struct payload **payload)
{
    struct drover_response *r = &exchange->response;
    struct selection selection = {0};
    complete(exchange);
    if (is_conditional(exchange))
        apply_precondition(exchange);
    exchange->close |= answer_ends_by_close(exchange);
    if (r->protocol)
        r->status = 101;
    if (has_ranges(r))
        selection = ranges_select(exchange);
    http_respond_validators(&r->fields, span_of_buf(&r->etag), r->has_modified, r->modified);
    if (r->source == SOURCE_PULL && http_status_has_body(r->status))
        return write_pulled(exchange, out);
    if (selection.count > 0)
        write_ranges(exchange, out, payload, &selection);
    else
        write_bytes(exchange, out);
    return r->status == 101 ? ANSWER_UPGRADED : ANSWER_WHOLE;
}

enum answer answer_write(struct exchange *exchange, struct buf *out, struct payload **payload,
                         bool last)
{
    struct drover_response *r = &exchange->response;
    *payload = NULL;
    exchange->close = last || !exchange->request.head.keep_alive;
    if (is_ready(exchange)) {
        write_start(exchange, out, false);
        buf_span(out, r->prepared->rest);
        return ANSWER_WHOLE;
    }
    if (r->prepared)
        unfold(r);
    return compose(exchange, out, payload);
}

/* It may not be known, or only half of it; and a page must not look at what was there before. */
static void forget_request(struct drover_request *request)
{
    memset(&request->head, 0, sizeof request->head);
    request->path[0] = '\0';
    request->path_at = request->path_length = 0;
}

void answer_refuse(struct exchange *exchange, struct buf *out, int status, enum http_method method)
{
    exchange->close = true;
    forget_request(&exchange->request);
    exchange->request.head.method = method;
    exchange_become(exchange, status);
    write_bytes(exchange, out);
}

/* ------------------------------------------------------------------------ pulled, in pieces */

/* Room before a piece for its length in hex and CRLF, and behind it for CRLF. */
#define CHUNK_HEAD 6
_Static_assert(PULL_PIECE_MAX <= 0xffff, "four digits");

/* The piece stands at out->len + CHUNK_HEAD; closes up to it what its length does not need. */
static void frame_chunk(struct buf *out, size_t n)
{
    char *at = out->p + out->len;
    static const char digits[] = "0123456789abcdef";
    size_t head = 0;
    for (int shift = 12; shift >= 0; shift -= 4)
        if (n >> shift || shift == 0)
            at[head++] = digits[n >> shift & 15];
    at[head++] = '\r';
    at[head++] = '\n';
    memmove(at + head, at + CHUNK_HEAD, n);
    at[head + n] = '\r';
    at[head + n + 1] = '\n';
    buf_grow(out, head + n + 2);
}

static enum answer_piece take_known(struct drover_response *r, struct buf *out, size_t n)
{
    if ((uint64_t)n > (uint64_t)r->pull_length) {
        exchange_misuse(r, EINVAL, "the stream has more bytes than its length said");
        n = (size_t)r->pull_length;
    }
    memmove(out->p + out->len, out->p + out->len + CHUNK_HEAD, n);
    buf_grow(out, n);
    r->pull_length -= (int64_t)n;
    return r->pull_length == 0 ? PIECE_LAST : PIECE_MORE;
}

static enum answer_piece end_pulled(struct exchange *exchange, struct buf *out)
{
    struct drover_response *r = &exchange->response;
    if (r->pull_length > 0) {
        exchange_misuse(r, EINVAL, "the stream is %lld bytes shorter than its length said",
                        (long long)r->pull_length);
        return PIECE_FAILED;
    }
    if (r->pull_length < 0 && exchange->request.head.minor > 0)
        buf_lit(out, "0\r\n\r\n");
    return PIECE_LAST;
}

enum answer_piece answer_pull(struct exchange *exchange, struct buf *out)
{
    struct drover_response *r = &exchange->response;
    char *to = buf_room(out, CHUNK_HEAD + PULL_PIECE_MAX + 2);
    if (!to)
        return PIECE_FAILED;
    long n = r->pull(r->pull_state, to + CHUNK_HEAD, PULL_PIECE_MAX);
    if (n == DROVER_END)
        return end_pulled(exchange, out);
    if (n == DROVER_LATER)
        return PIECE_LATER;
    if (n < 0)
        return PIECE_FAILED;
    if (n > PULL_PIECE_MAX) {
        exchange_misuse(r, EINVAL, "a pull says that it wrote more than it had room for");
        return PIECE_FAILED;
    }
    if (r->pull_length >= 0)
        return take_known(r, out, (size_t)n);
    if (exchange->request.head.minor > 0) {
        frame_chunk(out, (size_t)n);
        return PIECE_MORE;
    }
    memmove(to, to + CHUNK_HEAD, (size_t)n);
    buf_grow(out, (size_t)n);
    return PIECE_MORE;
}
