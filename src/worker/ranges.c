#include "worker/ranges.h"

#include <inttypes.h>

#include "http/field.h"

struct selection ranges_select(struct exchange *exchange)
{
    struct drover_response *r = &exchange->response;
    struct selection selection = {.count = 1, .ranges = {{.first = 0, .length = r->size}}};
    const struct http_request *head = &exchange->request.head;
    if (r->status != 200)
        return selection;
    buf_lit(&r->fields, ACCEPT_RANGES);
    if (head->method != HTTP_GET || !head->has_conditions)
        return selection;
    const struct http_field *range = http_request_sole(head, SPAN("Range"));
    struct http_validators has = exchange_validators(r);
    if (!range || !http_if_range(head, &has, exchange->env->now))
        return selection;
    int n = http_ranges(range->value, r->size, selection.ranges);
    if (n > 0) {
        r->status = 206;
        selection.count = n;
    } else if (n == 0) {
        uint64_t size = r->size;
        exchange_become(exchange, 416);
        buf_printf(&r->fields, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        selection.count = 0;
    } else { /* ignored */
        selection.ranges[0] = (struct http_range){.first = 0, .length = r->size};
    }
    return selection;
}

void ranges_say(struct buf *out, const struct http_range *range, uint64_t size)
{
    buf_lit(out, "Content-Range: bytes ");
    buf_u64(out, range->first);
    buf_lit(out, "-");
    buf_u64(out, range->first + range->length - 1);
    buf_lit(out, "/");
    buf_u64(out, size);
    buf_lit(out, "\r\n");
}

/* Returns how many bytes will come from a file. */
static uint64_t add_part(struct payload *payload, const struct drover_response *r,
                         const struct http_range *range)
{
    if (!r->prepared) {
        payload_add(payload, range->first, range->length);
        return range->length;
    }
    buf_add(&payload->text, r->prepared->body.p + range->first, range->length);
    payload_add(payload, 0, 0);
    return 0;
}

struct payload *ranges_multipart(struct exchange *exchange, const struct selection *selection,
                                 uint64_t *length)
{
    struct drover_response *r = &exchange->response;
    uint64_t boundary = exchange->env->boundary++;
    int fd = r->fd;
    r->fd = -1;
    struct payload *payload = payload_new(fd, (size_t)selection->count + 1);
    if (!payload)
        return NULL;
    *length = 0;
    for (int i = 0; i < selection->count; i++) {
        const struct http_range *range = &selection->ranges[i];
        buf_printf(&payload->text, "%s--%016" PRIx64 "\r\nContent-Type: %.*s\r\n", i ? "\r\n" : "",
                   boundary, (int)r->type.len, r->type.p);
        ranges_say(&payload->text, range, r->size);
        buf_lit(&payload->text, "\r\n");
        *length += add_part(payload, r, range);
    }
    buf_printf(&payload->text, "\r\n--%016" PRIx64 "--\r\n", boundary);
    payload_add(payload, 0, 0);
    *length += payload->text.len;
    bool failed = payload->text.failed;
    buf_clear(&r->type);
    buf_printf(&r->type, "multipart/byteranges; boundary=%016" PRIx64, boundary);
    if (!failed && !r->type.failed)
        return payload;
    payload_free(payload);
    return NULL;
}
