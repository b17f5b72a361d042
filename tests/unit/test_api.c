#include <drover.h>
#include <errno.h>
#include <limits.h>

#include "support.h"
#include "worker/exchange.h"

/* A response as the exchange hands it out. */
static struct drover_response response(void)
{
    return (struct drover_response){.status = 200, .fd = -1};
}

static void forget(struct drover_response *r)
{
    if (r->fd >= 0)
        close(r->fd);
    buf_free(&r->fields);
    buf_free(&r->body);
    buf_free(&r->type);
    buf_free(&r->etag);
}

static bool holds(const struct buf *b, const char *text)
{
    return b->len == strlen(text) && memcmp(b->p ? b->p : "", text, b->len) == 0;
}

static void expect_result(int result, bool good, const char *what)
{
    cr_expect_eq(result, good ? 0 : -1, "%s: %d", what, result);
    if (!good)
        cr_expect_eq(errno, EINVAL, "%s: %m", what);
    errno = 0;
}

/* -------------------------------------------------------------------------------- the status */

static const struct {
    int status;
    bool good;
} statuses[] = {
    {200, true},  {201, true},  {204, true},   {304, true},    {404, true},      {599, true},
    {199, false}, {100, false}, {101, false},  {0, false},     {-200, false},    {600, false},
    {999, false}, {20, false},  {2000, false}, {65736, false}, {INT_MAX, false}, {INT_MIN, false},
};

Test(api, status)
{
    for (size_t i = 0; i < LENGTH(statuses); i++) {
        struct drover_response r = response();
        char name[32];
        snprintf(name, sizeof name, "%d", statuses[i].status);
        expect_result(drover_response_status(&r, statuses[i].status), statuses[i].good, name);
        cr_expect_eq(r.status, statuses[i].good ? statuses[i].status : 200, "%s", name);
    }
}

/* -------------------------------------------------------------------------------- the fields */

static const struct {
    const char *name;
    const char *value;
    const char *line; /* NULL: EINVAL, and nothing is added */
} fields[] = {
    {"Location", "/a", "Location: /a\r\n"},
    {"X-Anything", "", "X-Anything: \r\n"},
    {"x", "a b\tc", "x: a b\tc\r\n"},
    {"!#$%&'*+-.^_`|~09azAZ", "x", "!#$%&'*+-.^_`|~09azAZ: x\r\n"},
    {"X", "\xc3\xa4\xff", "X: \xc3\xa4\xff\r\n"},
    {"X", "a: b; c=\"d\"", "X: a: b; c=\"d\"\r\n"},
    {"Dates", "x", "Dates: x\r\n"},
    {"Serve", "x", "Serve: x\r\n"},

    {"", "x", NULL},
    {"a b", "x", NULL},
    {" a", "x", NULL},
    {"a ", "x", NULL},
    {"a:", "x", NULL},
    {"a\r\nb", "x", NULL},
    {"a\n", "x", NULL},
    {"a\t", "x", NULL},
    {"\xc3\xa4", "x", NULL},
    {"a\x7f", "x", NULL},
    {"a/b", "x", NULL},
    {"(a)", "x", NULL},
    {"\"a\"", "x", NULL},

    {"X", "a\r\nSet-Cookie: b", NULL},
    {"X", "a\r\n\r\n<script>", NULL},
    {"X", "\r\n", NULL},
    {"X", "a\rb", NULL},
    {"X", "a\nb", NULL},
    {"X", "a\n", NULL},
    {"X", "\x01", NULL},
    {"X", "a\x1f", NULL},
    {"X", "a\x7f", NULL},
    {"X", "a\vb", NULL},
    {"X", "a\x1b[2J", NULL},
};

Test(api, fields)
{
    for (size_t i = 0; i < LENGTH(fields); i++) {
        struct drover_response r = response();
        const char *line = fields[i].line;
        expect_result(drover_response_field(&r, fields[i].name, fields[i].value), line != NULL,
                      fields[i].name);
        cr_expect(holds(&r.fields, line ? line : ""), "%s: %s", fields[i].name, fields[i].value);
        forget(&r);
    }
}

Test(api, fields_add_up)
{
    struct drover_response r = response();
    cr_expect_eq(drover_response_field(&r, "Set-Cookie", "a=1"), 0);
    cr_expect_eq(drover_response_field(&r, "Bad Name", "x"), -1);
    cr_expect_eq(drover_response_field(&r, "Set-Cookie", "b=2"), 0);
    cr_expect(holds(&r.fields, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
    forget(&r);
}

/* Those that drover writes, or that would change how the message is framed. */
Test(api, reserved_fields)
{
    static const char *const names[] = {
        "Connection", "Content-Length", "Content-Range",    "Content-Type",
        "Date",       "ETag",           "Keep-Alive",       "Last-Modified",
        "Server",     "Trailer",        "Transfer-Encoding"};
    for (size_t i = 0; i < LENGTH(names); i++)
        for (int letters = 0; letters < 3; letters++) {
            struct drover_response r = response();
            char name[32];
            snprintf(name, sizeof name, "%s", names[i]);
            for (char *p = name; *p && letters > 0; p++)
                if ((letters == 1 && *p >= 'a') || (letters == 2 && *p >= 'A' && *p <= 'Z'))
                    *p ^= 0x20;
            expect_result(drover_response_field(&r, name, "0"), false, name);
            cr_expect_eq(r.fields.len, 0, "%s", name);
            forget(&r);
        }
}

/* ------------------------------------------------------------------------- type and validators */

static const struct {
    const char *value;
    bool good;
} values[] = {
    {"text/html", true},  {"a/b; charset=utf-8", true},
    {"\"x\"", true},      {"W/\"\xff\"", true},
    {"", true},           {"a\tb", true},
    {"a\r\nX: y", false}, {"a\n", false},
    {"\r", false},        {"\x7f", false},
    {"a\x02", false},     {"\"a\r\n\"", false},
};

/* What is refused leaves what was there; what is taken replaces it. */
static void check_value(int (*set)(struct drover_response *, const char *), struct buf *where,
                        struct drover_response *r)
{
    for (size_t i = 0; i < LENGTH(values); i++) {
        cr_expect_eq(set(r, "before"), 0);
        expect_result(set(r, values[i].value), values[i].good, values[i].value);
        cr_expect(holds(where, values[i].good ? values[i].value : "before"), "%s", values[i].value);
    }
}

Test(api, type_and_etag)
{
    struct drover_response r = response();
    check_value(drover_response_type, &r.type, &r);
    check_value(drover_response_etag, &r.etag, &r);
    forget(&r);
}

Test(api, modified)
{
    struct drover_response r = response();
    cr_expect_eq(drover_response_modified(&r, 0), 0);
    cr_expect(r.has_modified, "the Epoch is a date, too");
    cr_expect_eq(r.modified, 0);
    cr_expect_eq(drover_response_modified(&r, 784111777), 0);
    cr_expect_eq(r.modified, 784111777);
}

/* ---------------------------------------------------------------------------------- the body */

Test(api, body_is_appended_and_copied)
{
    struct drover_response r = response();
    char text[] = "ab";
    cr_expect_eq(drover_response_body(&r, text, 2), 0);
    memset(text, 'x', sizeof text);
    cr_expect_eq(drover_response_body(&r, "\0c", 2), 0);
    cr_expect_eq(drover_response_body(&r, NULL, 0), 0);
    cr_expect_eq(r.body.len, 4);
    cr_expect_arr_eq(r.body.p, "ab\0c", 4);
    cr_expect(r.has_body);
    forget(&r);
}

Test(api, an_empty_body_is_a_body)
{
    struct drover_response r = response();
    cr_expect_eq(drover_response_body(&r, "", 0), 0);
    cr_expect(r.has_body, "no page is made up for it");
    forget(&r);
}

Test(api, a_file_takes_the_place_of_the_body)
{
    struct drover_response r = response();
    int fd = make_file(10);
    drover_response_body(&r, "gathered", 8);
    cr_expect_eq(drover_response_file(&r, fd, 10), 0);
    cr_expect_eq(r.fd, fd);
    cr_expect_eq(r.size, 10);
    cr_expect_eq(r.body.len, 0);
    expect_result(drover_response_body(&r, "more", 4), false, "a body behind a file");
    cr_expect_eq(r.body.len, 0);
    forget(&r);
}

Test(api, of_two_files_the_first_is_closed)
{
    struct drover_response r = response();
    int before = count_fds();
    int first = make_file(1), second = make_file(2);
    cr_expect_eq(drover_response_file(&r, first, 1), 0);
    cr_expect_eq(drover_response_file(&r, second, 2), 0);
    cr_expect_lt(fcntl(first, F_GETFD), 0, "closed");
    cr_expect_geq(fcntl(second, F_GETFD), 0, "open");
    cr_expect_eq(r.size, 2);
    forget(&r);
    cr_expect_eq(count_fds(), before);
}

Test(api, no_file)
{
    struct drover_response r = response();
    expect_result(drover_response_file(&r, -1, 5), false, "-1");
    cr_expect_eq(r.fd, -1);
    cr_expect_not(r.has_body);
    forget(&r);
}

/* ------------------------------------------------------------------------------- the request */

static bool is(struct drover_span s, const char *text)
{
    return s.p && s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

Test(api, request)
{
    static struct drover_request request;
    const char bytes[] = "OPTIONS /a%20b?c=%20d HTTP/1.1\r\nHost: x\r\nA:  one \r\na: two\r\n"
                         "Empty:\r\n\r\n";
    cr_assert_eq(http_parse_head(&request.head, bytes, sizeof bytes - 1), (int)sizeof bytes - 1);
    request.path_length = 4;
    memcpy(request.path, "/a b", 5);
    cr_expect(is(drover_request_method(&request), "OPTIONS"));
    cr_expect(is(drover_request_path(&request), "/a b"));
    cr_expect_eq(drover_request_path(&request).p[4], '\0');
    cr_expect(is(drover_request_query(&request), "c=%20d"));
    cr_expect(is(drover_request_field(&request, "A"), "one"), "the first of them");
    cr_expect(is(drover_request_field(&request, "hOST"), "x"));
    cr_expect(is(drover_request_field(&request, "empty"), ""), "there, and empty");
    cr_expect_null(drover_request_field(&request, "Missing").p);
    cr_expect_null(drover_request_field(&request, "").p);
    cr_expect_null(drover_request_field(&request, "Hos").p);
}

/* -------------------------------------------------------------------------------- the helpers */

static const struct {
    const char *path;
    size_t size;
    const char *encoded; /* NULL: ENOBUFS */
} paths[] = {
    {"/", 2, "/"},
    {"/", 1, NULL},
    {"/", 0, NULL},
    {"", 1, ""},
    {"", 0, NULL},
    {"/a b", 7, "/a%20b"},
    {"/a b", 6, NULL},
    {"/\r\n", 8, "/%0D%0A"},
    {"/a?b#c%", 16, "/a%3Fb%23c%25"},
    {"/\xc3\xa4", 8, "/%C3%A4"},
};

Test(api, path_encode)
{
    for (size_t i = 0; i < LENGTH(paths); i++) {
        char out[32];
        memset(out, 'X', sizeof out);
        const char *encoded = paths[i].encoded;
        struct drover_span path = {.p = paths[i].path, .n = strlen(paths[i].path)};
        errno = 0;
        long n = drover_path_encode(path, out, paths[i].size);
        cr_expect_eq(n, encoded ? (long)strlen(encoded) : -1, "%s in %zu: %ld", paths[i].path,
                     paths[i].size, n);
        if (encoded)
            cr_expect_str_eq(out, encoded, "%s: %s", paths[i].path, out);
        else
            cr_expect_eq(errno, ENOBUFS, "%s: %m", paths[i].path);
        cr_expect_eq(out[paths[i].size], 'X', "%s: nothing is written past the room",
                     paths[i].path);
    }
}

Test(api, media_type)
{
    cr_expect_str_eq(drover_media_type("/a/b.html"), "text/html; charset=utf-8");
    cr_expect_not_null(drover_media_type(""));
    cr_expect_not_null(drover_media_type("no-suffix"));
}
