#include "http/parse.h"

#include <arpa/inet.h> /* inet_pton(3) alone: it reads text, no socket is near */
#include <string.h>

#include "http/scan.h"

/* Beside these two, a step returns minus a status. */
enum { MORE = 0, DONE = 1 };

enum {
    BAD_REQUEST = -400,
    TARGET_TOO_LONG = -414,
    HEAD_TOO_LARGE = -431,
    NOT_IMPLEMENTED = -501,
    BAD_VERSION = -505,
};

_Static_assert(HTTP_HEAD_MAX >= HTTP_REQUEST_LINE_MAX + 6, "the longest line fits into a head");
_Static_assert(HTTP_FIELD_MAX < HTTP_HEAD_MAX, "a head can end before its longest field would");

/* One head being parsed. Every step reads at p and stops at the first byte that is wrong there. */
struct head {
    struct http_request *request;
    const char *p;
    const char *end;
    bool has_host;
    bool has_length;
    bool close; /* asked for by Connection */
    bool keep;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool http_is_token(struct span s)
{
    return s.n > 0 && scan_token(s.p, s.p + s.n) == s.p + s.n;
}

bool http_is_value(struct span s)
{
    return scan_value(s.p, s.p + s.n) == s.p + s.n;
}

/* The bytes up to stop, at least one, then the delimiter. */
static int take_run(struct head *h, const char *stop, const char *end, char delimiter,
                    struct span *run)
{
    if (stop == end)
        return MORE;
    if (stop == h->p || *stop != delimiter)
        return BAD_REQUEST;
    *run = (struct span){.p = h->p, .n = (size_t)(stop - h->p)};
    h->p = stop + 1;
    return DONE;
}

/* What there is of it, where it is not all there or not it at all. */
static int take_part_of_crlf(struct head *h)
{
    for (const char *want = "\r\n"; *want; want++, h->p++) {
        if (h->p == h->end)
            return MORE;
        if (*h->p != *want)
            return BAD_REQUEST;
    }
    return DONE;
}

static inline int take_crlf(struct head *h)
{
    if (h->end - h->p < 2 || memcmp(h->p, "\r\n", 2) != 0)
        return take_part_of_crlf(h);
    h->p += 2;
    return DONE;
}

#define VERSION_LENGTH 8

static int take_version(struct head *h, const char *end, int *major)
{
    if (end - h->p >= VERSION_LENGTH && memcmp(h->p, "HTTP/1.1", VERSION_LENGTH) == 0) {
        *major = h->request->minor = 1;
        h->p += VERSION_LENGTH;
        return DONE;
    }
    const char *digits = h->p + sizeof "HTTP/" - 1;
    for (const char *want = "HTTP/1.1"; *want; want++, h->p++) {
        if (h->p == end)
            return MORE;
        if (is_digit(*want) ? !is_digit(*h->p) : *h->p != *want)
            return BAD_REQUEST;
    }
    *major = digits[0] - '0';
    h->request->minor = digits[2] - '0';
    return DONE;
}

/* Names are case-sensitive (RFC 9110, 9.1). */
static enum http_method method_of(struct span name)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",       [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT",         [HTTP_DELETE] = "DELETE",   [HTTP_PATCH] = "PATCH",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_CONNECT] = "CONNECT", [HTTP_TRACE] = "TRACE",
    };
    _Static_assert(sizeof names / sizeof *names == HTTP_METHOD_UNKNOWN, "a name a method");
    unsigned method = HTTP_GET;
    while (method < HTTP_METHOD_UNKNOWN && !span_eq(name, span_of(names[method])))
        method++;
    return (enum http_method)method;
}

/* Length of the reg-name or IPv4 address that s starts with. */
static size_t host_name_length(struct span s)
{
    size_t i = 0;
    for (;;) {
        while (i < s.n && scan_is(s.p[i], SCAN_HOST))
            i++;
        if (i + 2 >= s.n || s.p[i] != '%' || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))
            return i;
        i += 3;
    }
}

/* Length of the "[v6 address]" that s starts with, or 0. */
static size_t host_literal_length(struct span s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *bracket = memchr(s.p, ']', s.n);
    size_t n = bracket ? (size_t)(bracket - s.p) - 1 : 0;
    if (n == 0 || n >= sizeof text)
        return 0;
    memcpy(text, s.p + 1, n);
    text[n] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 ? n + 2 : 0;
}

/* uri-host [ ":" port ] (RFC 9110, 7.2). User information does not fit in: 4.2.4 warns of it. */
static bool is_authority(struct span s, size_t port_digits_min)
{
    size_t length = s.n > 0 && s.p[0] == '[' ? host_literal_length(s) : host_name_length(s);
    const char *p = s.p + length;
    const char *end = s.p + s.n;
    if (length == 0)
        return false;
    if (p == end)
        return port_digits_min == 0;
    const char *digits = p + 1;
    if (*p != ':' || end - digits < (ptrdiff_t)port_digits_min)
        return false;
    for (p = digits; p < end; p++)
        if (!is_digit(*p))
            return false;
    return true;
}

/* Takes the scheme and the authority off the front of an absolute-form target. */
static bool take_origin(struct span *target, struct span *authority)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct span scheme = span_of(schemes[i]);
        struct span start = {.p = target->p, .n = scheme.n};
        if (target->n <= scheme.n || !span_eq_nocase(start, scheme))
            continue;
        size_t end = scheme.n;
        while (end < target->n && target->p[end] != '/' && target->p[end] != '?')
            end++;
        *authority = (struct span){.p = target->p + scheme.n, .n = end - scheme.n};
        *target = (struct span){.p = target->p + end, .n = target->n - end};
        return is_authority(*authority, 0);
    }
    return false;
}

static void split_query(struct http_request *r, struct span rest)
{
    const char *mark = memchr(rest.p, '?', rest.n);
    r->path = rest;
    if (mark) {
        r->path.n = (size_t)(mark - rest.p);
        r->query = (struct span){.p = mark + 1, .n = rest.n - r->path.n - 1};
    }
    if (r->path.n == 0) /* RFC 9110, 4.2.3: an empty path is that of "/" */
        r->path = SPAN("/");
}

/* The four forms of RFC 9112, 3.2. */
static int split_target(struct http_request *r)
{
    struct span rest = r->target;
    if (r->method == HTTP_CONNECT) {
        r->authority = rest;
        return is_authority(rest, 1) ? DONE : BAD_REQUEST;
    }
    if (rest.n == 1 && *rest.p == '*')
        return r->method == HTTP_OPTIONS ? DONE : BAD_REQUEST;
    if (rest.p[0] != '/' && !take_origin(&rest, &r->authority))
        return BAD_REQUEST;
    split_query(r, rest);
    return DONE;
}

/* What it is counts at once: it tells how a refusal of the rest is to be sent. */
static int take_method(struct head *h, const char *end)
{
    struct http_request *r = h->request;
    if (end - h->p >= 4 && memcmp(h->p, "GET ", 4) == 0) { /* most of them */
        r->method_name = (struct span){.p = h->p, .n = 3};
        h->p += 4;
        return DONE;
    }
    int result = take_run(h, scan_token(h->p, end), end, ' ', &r->method_name);
    if (result == DONE)
        r->method = method_of(r->method_name);
    return result;
}

/*
 * What a line means is asked only once it is whole, and its version first: the preface of HTTP/2,
 * "PRI * HTTP/2.0", is a wrong version, not a wrong target.
 */
static int take_request_line(struct head *h)
{
    struct http_request *r = h->request;
    bool full = h->end - h->p >= HTTP_REQUEST_LINE_MAX;
    const char *end = full ? h->p + HTTP_REQUEST_LINE_MAX : h->end;
    int major = 0;

    int result = take_method(h, end);
    if (result == DONE)
        result = take_run(h, scan_target(h->p, end), end, ' ', &r->target);
    if (result == DONE)
        result = take_version(h, end, &major);
    if (result == MORE && full)
        return TARGET_TOO_LONG;
    if (result == DONE)
        result = take_crlf(h);
    if (result != DONE)
        return result;

    if (major != 1 || r->minor > 1)
        return BAD_VERSION;
    return split_target(r);
}

static int note_host(struct head *h, struct span value)
{
    if (h->has_host || (value.n > 0 && !is_authority(value, 0)))
        return BAD_REQUEST;
    h->has_host = true;
    if (!h->request->authority.p) /* that of the target wins (RFC 9112, 3.2.2) */
        h->request->authority = value;
    return DONE;
}

/* One and the same length, said again in a list or a line, is taken (RFC 9110, 8.6). */
static int note_length(struct head *h, struct span value)
{
    struct span one;
    for (size_t from = 0; from <= value.n; from += one.n + 1) {
        uint64_t length;
        one = (struct span){.p = value.p + from, .n = value.n - from};
        const char *comma = memchr(one.p, ',', one.n);
        if (comma)
            one.n = (size_t)(comma - one.p);
        if (!span_to_u64(span_trim(one), &length))
            return BAD_REQUEST;
        if (h->has_length && length != h->request->content_length)
            return BAD_REQUEST;
        h->request->content_length = length;
        h->has_length = true;
    }
    return h->request->chunked ? BAD_REQUEST : DONE;
}

/* RFC 9112, 6.1. Whatever is not "chunked", once and alone, is refused: where two parsers see
 * different codings, they see different ends of the request. */
static int note_coding(struct head *h, struct span value)
{
    struct span list = value;
    struct span coding;
    if (h->request->minor == 0 || h->has_length)
        return BAD_REQUEST;
    while (span_next_element(&list, &coding))
        if (!span_eq_nocase(coding, SPAN("chunked")))
            return NOT_IMPLEMENTED;
    if (h->request->chunked || !span_eq_nocase(value, SPAN("chunked")))
        return BAD_REQUEST;
    h->request->chunked = true;
    return DONE;
}

static int note_connection(struct head *h, struct span value)
{
    struct span option;
    while (span_next_element(&value, &option)) {
        h->close |= span_eq_nocase(option, SPAN("close"));
        h->keep |= span_eq_nocase(option, SPAN("keep-alive"));
    }
    return DONE;
}

static int note_expect(struct head *h, struct span value)
{
    struct span expectation;
    if (h->request->minor == 0) /* RFC 9110, 10.1.1: MUST ignore */
        return DONE;
    while (span_next_element(&value, &expectation)) {
        if (span_eq_nocase(expectation, SPAN("100-continue")))
            h->request->expect_continue = true;
        else
            h->request->expect_unknown = true;
    }
    return DONE;
}

/* What they say is asked when there is something that it applies to. */
static int note_condition(struct head *h, struct span value)
{
    (void)value;
    h->request->has_conditions = true;
    return DONE;
}

/* Is this token, of the same length, that name, which is in lower case? No byte of a token but a
 * letter becomes a letter, or '-', by the bit that makes letters small. */
static inline bool is_name(const char *token, const char *name, size_t length)
{
    unsigned other = 0;
    for (size_t i = 0; i < length; i++)
        other |= ((unsigned)token[i] | 0x20U) ^ (unsigned)name[i];
    return other == 0;
}

/* The fields that frame the request or its connection, and those that may change what its answer
 * is. The length tells most of them apart from all others at once. */
static int note_field(struct head *h, const struct http_field *field)
{
    struct span name = field->name;
    struct span value = field->value;
#define IS(literal) is_name(name.p, literal, sizeof literal - 1)
    switch (name.n) {
    case 4: return IS("host") ? note_host(h, value) : DONE;
    case 5: return IS("range") ? note_condition(h, value) : DONE;
    case 6: return IS("expect") ? note_expect(h, value) : DONE;
    case 8: return IS("if-match") || IS("if-range") ? note_condition(h, value) : DONE;
    case 10: return IS("connection") ? note_connection(h, value) : DONE;
    case 13: return IS("if-none-match") ? note_condition(h, value) : DONE;
    case 14: return IS("content-length") ? note_length(h, value) : DONE;
    case 17:
        if (IS("transfer-encoding"))
            return note_coding(h, value);
        return IS("if-modified-since") ? note_condition(h, value) : DONE;
    case 19: return IS("if-unmodified-since") ? note_condition(h, value) : DONE;
    default: return DONE;
    }
#undef IS
}

/*
 * A folded line (obs-fold) starts with a blank, which no name does. A line is too long by the byte
 * behind HTTP_FIELD_MAX, unless that is the CR which ends it.
 */
static int take_field(struct head *h)
{
    struct http_request *r = h->request;
    if (r->field_count == HTTP_FIELDS_MAX)
        return HEAD_TOO_LARGE;
    struct http_field *field = &r->fields[r->field_count];
    bool full = h->end - h->p > HTTP_FIELD_MAX;
    const char *end = full ? h->p + HTTP_FIELD_MAX : h->end;

    int result = take_run(h, scan_token(h->p, end), end, ':', &field->name);
    if (result == MORE && full)
        return HEAD_TOO_LARGE;
    if (result != DONE)
        return result;
    const char *value = h->p;
    h->p = scan_value(value, end);
    if (full && h->p == end && *end != '\r')
        return HEAD_TOO_LARGE;
    field->value = span_trim((struct span){.p = value, .n = (size_t)(h->p - value)});
    result = take_crlf(h);
    if (result != DONE)
        return result;
    r->field_count++;
    return note_field(h, field);
}

static int take_fields(struct head *h)
{
    int result = DONE;
    while (result == DONE && h->p < h->end && *h->p != '\r')
        result = take_field(h);
    return result == DONE ? take_crlf(h) : result;
}

static int take_head(struct head *h)
{
    int result = DONE;
    if (h->p < h->end && *h->p == '\r') /* RFC 9112, 2.2: some clients end a body with CRLF */
        result = take_crlf(h);
    if (result == DONE)
        result = take_request_line(h);
    if (result == DONE)
        result = take_fields(h);
    if (result == DONE && h->request->minor == 1 && !h->has_host)
        return BAD_REQUEST;
    h->request->keep_alive = !h->close && (h->keep || h->request->minor == 1);
    return result;
}

int http_parse_head(struct http_request *request, const char *bytes, size_t length)
{
    bool full = length >= HTTP_HEAD_MAX;
    if (length == 0)
        return 0;
    memset(request, 0, offsetof(struct http_request, fields)); /* not the 3 kB behind them */

    struct head h = {
        .request = request,
        .p = bytes,
        .end = bytes + (full ? HTTP_HEAD_MAX : length),
    };
    int result = take_head(&h);
    if (result == MORE && full)
        return HEAD_TOO_LARGE;
    return result == DONE ? (int)(h.p - bytes) : result;
}
