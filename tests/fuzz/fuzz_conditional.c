/*
 * Preconditions. The input is lines: the method; the representation's entity tag, may be empty; its
 * date, may be empty; then fields. Verdicts: what http_precondition() gives, 0, 304 or 412.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/conditional.h"
#include "http/date.h"
#include "http/field.h"

#define NOW 1700000000

struct question {
    struct http_request request;
    struct http_validators has;
};

struct answer {
    int status;
    bool if_range;
};

static enum http_method method_of(struct span name)
{
    static const char *const names[] = {"GET",   "HEAD",    "POST",    "PUT",  "DELETE",
                                        "PATCH", "OPTIONS", "CONNECT", "TRACE"};
    unsigned method = HTTP_GET;
    while (method < HTTP_METHOD_UNKNOWN && !span_eq(name, span_of(names[method])))
        method++;
    return (enum http_method)method;
}

static void add_field(struct http_request *request, struct span line)
{
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon || request->field_count == HTTP_FIELDS_MAX)
        return;
    size_t n = (size_t)(colon - line.p);
    request->fields[request->field_count++] = (struct http_field){
        .name = {.p = line.p, .n = n},
        .value = span_trim((struct span){.p = colon + 1, .n = line.n - n - 1}),
    };
}

static void read_question(struct question *q, struct span input)
{
    memset(q, 0, sizeof *q);
    q->request.method = method_of(fuzz_line(&input));
    q->has.etag = fuzz_line(&input);
    q->has.has_modified = http_date_parse(fuzz_line(&input), NOW, &q->has.modified);
    while (input.n > 0)
        add_field(&q->request, fuzz_line(&input));
}

static struct answer ask(const struct question *q)
{
    return (struct answer){
        .status = http_precondition(&q->request, &q->has, NOW),
        .if_range = http_if_range(&q->request, &q->has, NOW),
    };
}

static void check_same(const struct question *q, struct answer answer, const char *how)
{
    struct answer other = ask(q);
    FUZZ_CHECK(other.status == answer.status, "%s: %d, not %d", how, other.status, answer.status);
    FUZZ_CHECK(other.if_range == answer.if_range, "%s: If-Range %d", how, other.if_range);
}

static bool has_field(const struct question *q, const char *name)
{
    return http_request_field(&q->request, span_of(name)) != NULL;
}

static void remove_fields(struct question *q, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < q->request.field_count; i++)
        if (!span_eq_nocase(q->request.fields[i].name, span_of(name)))
            q->request.fields[kept++] = q->request.fields[i];
    q->request.field_count = kept;
}

/* All lines of a field count alike, wherever they stand. */
static void check_reversed(const struct question *q, struct answer answer)
{
    struct question reversed = *q;
    for (size_t i = 0; i < q->request.field_count; i++)
        reversed.request.fields[i] = q->request.fields[q->request.field_count - 1 - i];
    check_same(&reversed, answer, "fields reversed");
}

/* RFC 9110, 13.2.2: a date is not looked at where entity tags are given. */
static void check_precedence(const struct question *q, struct answer answer)
{
    struct question without = *q;
    if (has_field(q, "If-Match"))
        remove_fields(&without, "If-Unmodified-Since");
    if (has_field(q, "If-None-Match") || q->request.method > HTTP_HEAD)
        remove_fields(&without, "If-Modified-Since");
    check_same(&without, answer, "without the dates that have no meaning");
}

static void check_unconditional(const struct question *q)
{
    static const char *const names[] = {"If-Match", "If-None-Match", "If-Modified-Since",
                                        "If-Unmodified-Since", "If-Range"};
    struct question without = *q;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_fields(&without, names[i]);
    check_same(&without, (struct answer){.status = 0, .if_range = true}, "no condition");
}

/* A representation without a tag or a date fails where it had to have one, and has none known. */
static void check_without_validators(const struct question *q)
{
    struct question bare = *q;
    bare.has = (struct http_validators){0};
    struct answer answer = ask(&bare);
    FUZZ_CHECK(!has_field(q, "If-Range") || !answer.if_range, "If-Range holds for nothing");
    remove_fields(&bare, "If-Match");
    remove_fields(&bare, "If-None-Match");
    FUZZ_CHECK(ask(&bare).status == 0, "a date fails where there is none");
}

static bool is_weak(struct span tag)
{
    return tag.n > 2 && tag.p[0] == 'W' && tag.p[1] == '/';
}

/* What stands behind W/: two quotes, without another or a blank between them. */
static bool is_opaque_tag(struct span s)
{
    if (s.n < 2 || s.p[0] != '"' || memchr(s.p, ' ', s.n) || memchr(s.p, '\t', s.n))
        return false;
    return memchr(s.p + 1, '"', s.n - 1) == s.p + s.n - 1;
}

/* A tag of the same resource: it always matches in the weak comparison. */
static void check_tag(const struct question *q, struct span tag, bool strong)
{
    struct question one = {.has = q->has, .request = {.method = HTTP_GET, .field_count = 1}};
    struct http_field *field = one.request.fields;
    *field = (struct http_field){.name = SPAN("if-none-match"), .value = tag};
    FUZZ_CHECK(ask(&one).status == 304, "its own tag is not known: %s", fuzz_show(tag));
    field->name = SPAN("if-match");
    FUZZ_CHECK(ask(&one).status == (strong ? 0 : 412), "If-Match: %s", fuzz_show(tag));
    field->name = SPAN("if-range");
    FUZZ_CHECK(ask(&one).if_range == strong, "If-Range: %s", fuzz_show(tag));
}

/* The tag of the representation itself, as it is, and in its other strength. */
static void check_own_tag(const struct question *q)
{
    struct buf other = {0};
    struct span tag = q->has.etag;
    bool weak = is_weak(tag);
    struct span opaque = weak ? (struct span){.p = tag.p + 2, .n = tag.n - 2} : tag;
    if (!is_opaque_tag(opaque))
        return;
    if (!weak)
        buf_lit(&other, "W/");
    buf_span(&other, opaque);
    check_tag(q, tag, !weak);
    check_tag(q, fuzz_bytes(&other), false);
    buf_free(&other);
}

static void check_status(const struct question *q, int status)
{
    bool reads = q->request.method == HTTP_GET || q->request.method == HTTP_HEAD;
    FUZZ_CHECK(status == 0 || status == 412 || (status == 304 && reads), "status %d", status);
}

const char *fuzz_one(struct span input)
{
    static struct question q; /* 3 kB */
    char *copy = fuzz_copy(input);
    read_question(&q, (struct span){.p = copy, .n = input.n});
    struct answer answer = ask(&q);
    check_status(&q, answer.status);
    check_reversed(&q, answer);
    check_precedence(&q, answer);
    check_unconditional(&q);
    check_without_validators(&q);
    check_own_tag(&q);
    free(copy);
    return answer.status == 304 ? "304" : answer.status == 412 ? "412" : "0";
}
