/* Request heads. The input is what a client sends. Verdicts: good, bad, more. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/parse.h"

/* Prefixes that are tried, evenly spread, of an input that is longer. */
#define PREFIXES 300

static int parse(struct http_request *request, struct span bytes)
{
    char *copy = fuzz_copy(bytes);
    int result = http_parse_head(request, copy, bytes.n);
    free(copy);
    return result;
}

/* What is known of a prefix is known of all that is longer: nothing, then the outcome. */
static void check_prefixes(struct span input, int whole)
{
    struct http_request request;
    size_t step = input.n / PREFIXES + 1;
    bool known = false;
    for (size_t n = 0; n < input.n; n += step) {
        int result = parse(&request, (struct span){.p = input.p, .n = n});
        known |= result != 0;
        FUZZ_CHECK(result == (known ? whole : 0), "%d for %zu bytes, but %d for all %zu", result, n,
                   whole, input.n);
        FUZZ_CHECK(whole <= 0 || known == (n >= (size_t)whole),
                   "a head of %d bytes had the outcome %d at %zu", whole, result, n);
    }
    if (whole > 1)
        FUZZ_CHECK(parse(&request, (struct span){.p = input.p, .n = (size_t)whole - 1}) == 0,
                   "whole without its last byte");
}

static void check_status(int result)
{
    static const int statuses[] = {400, 414, 431, 501, 505};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (result == -statuses[i])
            return;
    fuzz_fail("status %d", -result);
}

/* Every line ends with CRLF, and neither byte stands anywhere else, nor does a NUL. */
static void check_lines(struct span head)
{
    for (size_t i = 0; i < head.n; i++) {
        bool before_lf = i + 1 < head.n && head.p[i + 1] == '\n';
        bool after_cr = i > 0 && head.p[i - 1] == '\r';
        FUZZ_CHECK((head.p[i] == '\r') == before_lf, "bare CR or LF at %zu", i);
        FUZZ_CHECK(head.p[i] != '\n' || after_cr, "bare LF at %zu", i);
        FUZZ_CHECK(head.p[i] != '\0', "NUL at %zu", i);
    }
    FUZZ_CHECK(head.n >= 4 && memcmp(head.p + head.n - 4, "\r\n\r\n", 4) == 0, "no empty line");
}

static size_t count_fields(const struct http_request *r, struct span name)
{
    size_t count = 0;
    for (size_t i = 0; i < r->field_count; i++)
        count += span_eq_nocase(r->fields[i].name, name);
    return count;
}

/* What two servers in a row could take for different ends of the request. */
static void check_framing(const struct http_request *r)
{
    size_t lengths = count_fields(r, SPAN("Content-Length"));
    size_t codings = count_fields(r, SPAN("Transfer-Encoding"));
    size_t hosts = count_fields(r, SPAN("Host"));
    FUZZ_CHECK(!lengths || !codings, "Content-Length beside Transfer-Encoding");
    FUZZ_CHECK(codings == r->chunked, "%zu transfer codings, chunked: %d", codings, r->chunked);
    FUZZ_CHECK(!r->chunked || r->minor == 1, "chunked in HTTP/1.0");
    FUZZ_CHECK(lengths || r->content_length == 0, "a length without a field");
    FUZZ_CHECK(hosts == 1 || (hosts == 0 && r->minor == 0), "%zu hosts in 1.%d", hosts, r->minor);
}

static void check_inside(struct span s, struct span head, const char *what)
{
    bool inside = s.p >= head.p && s.p + s.n <= head.p + head.n;
    FUZZ_CHECK(s.n == 0 || inside || span_eq(s, SPAN("/")), "the %s is not in the head", what);
}

static void check_fields(const struct http_request *r, struct span head)
{
    check_inside(r->method_name, head, "method");
    check_inside(r->target, head, "target");
    check_inside(r->path, head, "path");
    check_inside(r->query, head, "query");
    check_inside(r->authority, head, "authority");
    FUZZ_CHECK(r->field_count <= HTTP_FIELDS_MAX, "%zu fields", r->field_count);
    FUZZ_CHECK(r->path.n == 0 || r->path.p[0] == '/', "path %s", fuzz_show(r->path));
    FUZZ_CHECK(r->path.n > 0 || r->method == HTTP_CONNECT || span_eq(r->target, SPAN("*")),
               "no path in %s", fuzz_show(r->target));
    for (size_t i = 0; i < r->field_count; i++) {
        const struct http_field *field = &r->fields[i];
        check_inside(field->name, head, "name");
        check_inside(field->value, head, "value");
        FUZZ_CHECK(http_is_token(field->name), "name %s", fuzz_show(field->name));
        FUZZ_CHECK(span_eq(span_trim(field->value), field->value), "blanks around a value");
    }
}

/* The request again, without what has no meaning, and the case of all field names swapped. */
static void print_canonical(struct buf *out, const struct http_request *r)
{
    buf_span(out, r->method_name);
    buf_lit(out, " ");
    buf_span(out, r->target);
    buf_printf(out, " HTTP/1.%d\r\n", r->minor);
    for (size_t i = 0; i < r->field_count; i++) {
        for (size_t k = 0; k < r->fields[i].name.n; k++)
            buf_add(out, (char[]){fuzz_swap_case(r->fields[i].name.p[k])}, 1);
        buf_lit(out, ":");
        buf_span(out, r->fields[i].value);
        buf_lit(out, "\r\n");
    }
    buf_lit(out, "\r\n");
}

static void compare(const struct http_request *a, const struct http_request *b)
{
    FUZZ_CHECK(a->method == b->method && a->minor == b->minor, "method or version");
    FUZZ_CHECK(span_eq(a->target, b->target), "target %s", fuzz_show(b->target));
    FUZZ_CHECK(span_eq(a->path, b->path), "path %s", fuzz_show(b->path));
    FUZZ_CHECK(span_eq(a->query, b->query), "query %s", fuzz_show(b->query));
    FUZZ_CHECK(span_eq(a->authority, b->authority), "authority %s", fuzz_show(b->authority));
    FUZZ_CHECK(a->keep_alive == b->keep_alive, "keep_alive");
    FUZZ_CHECK(a->chunked == b->chunked, "chunked");
    FUZZ_CHECK(a->content_length == b->content_length, "content_length");
    FUZZ_CHECK(a->expect_continue == b->expect_continue, "expect_continue");
    FUZZ_CHECK(a->expect_unknown == b->expect_unknown, "expect_unknown");
    FUZZ_CHECK(a->field_count == b->field_count, "%zu fields", b->field_count);
    for (size_t i = 0; i < a->field_count; i++) {
        FUZZ_CHECK(span_eq_nocase(a->fields[i].name, b->fields[i].name), "name %zu", i);
        FUZZ_CHECK(span_eq(a->fields[i].value, b->fields[i].value), "value %zu", i);
    }
}

static void check_canonical(const struct http_request *request)
{
    struct buf text = {0};
    struct http_request again;
    print_canonical(&text, request);
    struct span bytes = fuzz_bytes(&text);
    int result = http_parse_head(&again, bytes.p, bytes.n);
    FUZZ_CHECK(result == (int)bytes.n, "%d for the canonical form, %zu bytes", result, bytes.n);
    compare(request, &again);
    buf_free(&text);
}

const char *fuzz_one(struct span input)
{
    struct http_request request;
    char *copy = fuzz_copy(input);
    int result = http_parse_head(&request, copy, input.n);
    check_prefixes(input, result);
    if (result < 0)
        check_status(result);
    if (result > 0) {
        FUZZ_CHECK((size_t)result <= input.n && result <= HTTP_HEAD_MAX, "%d bytes", result);
        struct span head = {.p = copy, .n = (size_t)result};
        check_lines(head);
        check_framing(&request);
        check_fields(&request, head);
        check_canonical(&request);
    }
    free(copy);
    return result > 0 ? "good" : result < 0 ? "bad" : "more";
}
