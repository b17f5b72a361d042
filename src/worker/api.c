/*
 * What an application calls: include/drover.h, told by an exchange.
 */
#include <drover.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "http/field.h"
#include "http/mime.h"
#include "http/path.h"
#include "worker/exchange.h"

static struct drover_span lend(struct span s)
{
    return (struct drover_span){.p = s.p, .n = s.n};
}

static int invalid(void)
{
    errno = EINVAL;
    return -1;
}

static int written(const struct buf *b)
{
    if (!b->failed)
        return 0;
    errno = ENOMEM;
    return -1;
}

struct drover_span drover_request_method(const struct drover_request *request)
{
    return lend(request->head.method_name);
}

struct drover_span drover_request_path(const struct drover_request *request)
{
    return (struct drover_span){.p = request->path, .n = request->path_length};
}

struct drover_span drover_request_query(const struct drover_request *request)
{
    return lend(request->head.query);
}

struct drover_span drover_request_field(const struct drover_request *request, const char *name)
{
    const struct http_field *field = http_request_field(&request->head, span_of(name));
    return field ? lend(field->value) : (struct drover_span){0};
}

int drover_response_status(struct drover_response *response, int status)
{
    if (status < 200 || status > 599)
        return invalid();
    response->status = status;
    return 0;
}

int drover_response_field(struct drover_response *response, const char *name, const char *value)
{
    struct span n = span_of(name);
    if (!http_is_token(n) || http_field_is_ours(n) || !http_field_is_value(value))
        return invalid();
    buf_span(&response->fields, n);
    buf_lit(&response->fields, ": ");
    buf_str(&response->fields, value);
    buf_lit(&response->fields, "\r\n");
    return written(&response->fields);
}

static int replace(struct buf *b, const char *value)
{
    if (!http_field_is_value(value))
        return invalid();
    buf_clear(b);
    buf_str(b, value);
    return written(b);
}

int drover_response_type(struct drover_response *response, const char *media_type)
{
    return replace(&response->type, media_type);
}

int drover_response_etag(struct drover_response *response, const char *etag)
{
    return replace(&response->etag, etag);
}

int drover_response_modified(struct drover_response *response, time_t modified)
{
    response->modified = modified;
    response->has_modified = true;
    return 0;
}

int drover_response_body(struct drover_response *response, const void *bytes, size_t length)
{
    if (response->fd >= 0)
        return invalid();
    response->has_body = true;
    buf_add(&response->body, bytes, length);
    return written(&response->body);
}

int drover_response_file(struct drover_response *response, int fd, uint64_t size)
{
    if (fd < 0)
        return invalid();
    if (response->fd >= 0)
        close(response->fd);
    response->has_body = true;
    response->fd = fd;
    response->size = size;
    buf_clear(&response->body);
    return 0;
}

const char *drover_media_type(const char *name)
{
    return http_media_type(span_of(name));
}

long drover_path_encode(struct drover_span path, char *out, size_t size)
{
    struct buf encoded = {0};
    http_path_encode(&encoded, (struct span){.p = path.p, .n = path.n});
    long length = (long)encoded.len;
    if (encoded.failed || encoded.len >= size) {
        errno = ENOBUFS;
        length = -1;
    } else {
        if (encoded.len > 0)
            memcpy(out, encoded.p, encoded.len);
        out[encoded.len] = '\0';
    }
    buf_free(&encoded);
    return length;
}
