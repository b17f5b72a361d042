#include "worker/prepared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/respond.h"
#include "worker/exchange.h"

/* ------------------------------------------------------------------------------ the making */

/* RFC 9110, 8.8.2.1: never later than Date, which is never earlier than now. */
static time_t modified_of(const struct drover_response *r)
{
    time_t now = exchange_of_response(r)->env->now;
    return r->modified < now ? r->modified : now;
}

static struct span type_of(const struct drover_response *r)
{
    bool is_open = r->type.len == 0 && r->source != SOURCE_NONE;
    return is_open ? SPAN(TYPE_DEFAULT) : span_of_buf(&r->type);
}

/* The head from Content-Type on. */
static void write_rest(struct buf *out, const struct drover_response *r, uint64_t length)
{
    struct buf fields = {0};
    buf_span(&fields, span_of_buf(&r->fields));
    if (r->source == SOURCE_FILE)
        buf_lit(&fields, ACCEPT_RANGES);
    http_respond_validators(&fields, span_of_buf(&r->etag), r->has_modified, modified_of(r));
    const struct http_head head = {
        .type = type_of(r), .fields = span_of_buf(&fields), .has_length = true, .length = length};
    http_respond_rest(out, &head);
    out->failed |= fields.failed;
    buf_free(&fields);
}

/* False with errno set when they are not all there. */
static bool read_file(int fd, char *to, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = pread(fd, to + got, length - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static struct span put(char **to, struct span s)
{
    struct span there = {.p = *to, .n = s.n};
    if (s.n > 0)
        *to = mempcpy(*to, s.p, s.n);
    return there;
}

/* What is read last stands last: the head, and the body behind it. */
static struct drover_prepared *assemble(const struct drover_response *r, struct span start,
                                        struct span rest, size_t length)
{
    size_t size = type_of(r).n + r->etag.len + r->fields.len + start.n + rest.n + length;
    struct drover_prepared *prepared = malloc(sizeof *prepared + size);
    if (!prepared)
        return NULL;
    char *to = prepared->bytes;
    *prepared = (struct drover_prepared){.holders = 1,
                                         .is_file = r->source == SOURCE_FILE,
                                         .has_modified = r->has_modified,
                                         .modified = modified_of(r),
                                         .type = put(&to, type_of(r)),
                                         .etag = put(&to, span_of_buf(&r->etag)),
                                         .fields = put(&to, span_of_buf(&r->fields)),
                                         .start = to,
                                         .length = start.n + rest.n + length};
    put(&to, start);
    prepared->rest = (struct span){.p = to, .n = rest.n + length};
    put(&to, rest);
    prepared->body = (struct span){.p = to, .n = length};
    if (r->source == SOURCE_FILE ? read_file(r->fd, to, length)
                                 : put(&to, span_of_buf(&r->body)).n == length)
        return prepared;
    free(prepared);
    return NULL;
}

static bool can_be_prepared(const struct drover_response *r)
{
    return r->status == 200 && r->source <= SOURCE_FILE && !r->protocol && !r->has_upgrade &&
           !r->is_sealed;
}

struct drover_prepared *drover_response_prepare(struct drover_response *response)
{
    struct buf rest = {0};
    struct drover_prepared *prepared = NULL;
    const struct drover_response *r = response;
    if (!can_be_prepared(r)) {
        exchange_misuse(response, EINVAL, "only a 200 with its body at hand can be prepared");
        return NULL;
    }
    const struct exchange_env *env = exchange_of_response(r)->env;
    uint64_t length = r->source == SOURCE_FILE ? r->size : r->body.len;
    write_rest(&rest, r, length);
    errno = ENOMEM;
    if (!rest.failed && env->start.len > 0 && !r->fields.failed && !r->body.failed &&
        !r->type.failed && !r->etag.failed)
        prepared = assemble(r, span_of_buf(&env->start), span_of_buf(&rest), (size_t)length);
    if (prepared)
        prepared->told = env->now;
    int saved = errno;
    buf_free(&rest);
    errno = saved;
    return prepared;
}

void drover_prepared_free(struct drover_prepared *prepared)
{
    prepared_drop(prepared);
}

/* ------------------------------------------------------------------------------- the using */

/* The start's length is always the same: a date's is. */
struct span prepared_whole(struct drover_prepared *prepared, const struct exchange_env *env)
{
    if (prepared->told != env->now) {
        memcpy(prepared->start, env->start.p, env->start.len);
        prepared->told = env->now;
    }
    return (struct span){.p = prepared->start, .n = prepared->length};
}

int drover_response_prepared(struct drover_response *response, struct drover_prepared *prepared)
{
    if (response->has_status || response->status != 200 || response->source != SOURCE_NONE ||
        response->is_sealed || response->protocol)
        return exchange_misuse(response, EINVAL, "a prepared answer has its own status and body");
    response->source = SOURCE_PREPARED;
    response->prepared = prepared_hold(prepared);
    return 0;
}
