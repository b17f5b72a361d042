#include <drover.h>
#include <errno.h>
#include <limits.h>

#include "support.h"
#include "worker/exchange.h"

static const struct drover_app app = {.name = "test", .when = DROVER_AT_HEAD};
static struct exchange_env env;

/* A response as the application is given it. */
static struct drover_response *response(void)
{
    if (!env.app)
        exchange_env_open(&env, &app);
    struct exchange *exchange = exchange_new(&env);
    cr_assert_not_null(exchange);
    return &exchange->response;
}

static void forget(struct drover_response *r)
{
    exchange_free(exchange_of_response(r));
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
        struct drover_response *r = response();
        char name[32];
        snprintf(name, sizeof name, "%d", statuses[i].status);
        expect_result(drover_response_status(r, statuses[i].status), statuses[i].good, name);
        cr_expect_eq(r->status, statuses[i].good ? statuses[i].status : 200, "%s", name);
        cr_expect_eq(drover_response_error(r) == NULL, statuses[i].good, "%s", name);
        forget(r);
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
        struct drover_response *r = response();
        const char *line = fields[i].line;
        expect_result(drover_response_field(r, fields[i].name, fields[i].value), line != NULL,
                      fields[i].name);
        cr_expect(holds(&r->fields, line ? line : ""), "%s: %s", fields[i].name, fields[i].value);
        forget(r);
    }
}

Test(api, fields_add_up)
{
    struct drover_response *r = response();
    cr_expect_eq(drover_response_field(r, "Set-Cookie", "a=1"), 0);
    cr_expect_eq(drover_response_field(r, "Bad Name", "x"), -1);
    cr_expect_eq(drover_response_field(r, "Set-Cookie", "b=2"), 0);
    cr_expect(holds(&r->fields, "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
    forget(r);
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
            struct drover_response *r = response();
            char name[32];
            snprintf(name, sizeof name, "%s", names[i]);
            for (char *p = name; *p && letters > 0; p++)
                if ((letters == 1 && *p >= 'a') || (letters == 2 && *p >= 'A' && *p <= 'Z'))
                    *p ^= 0x20;
            expect_result(drover_response_field(r, name, "0"), false, name);
            cr_expect_eq(r->fields.len, 0, "%s", name);
            forget(r);
        }
}

/* ------------------------------------------------------------------------- type and validators */

struct value {
    const char *value;
    bool good;
};

static const struct value types[] = {
    {"text/html", true},  {"a/b; charset=utf-8", true},
    {"", true},           {"a\tb", true},
    {"a\r\nX: y", false}, {"a\n", false},
    {"\r", false},        {"\x7f", false},
    {"a\x02", false},
};

/* RFC 9110, 8.8.3. */
static const struct value etags[] = {
    {"\"x\"", true},      {"\"\"", true},     {"W/\"\xff\"", true}, {"W/\"\"", true},
    {"", false},          {"\"", false},      {"W/\"", false},      {"x", false},
    {"W/x", false},       {"\"x", false},     {"x\"", false},       {"\"a\"b\"", false},
    {"\"a b\"", false},   {"w/\"x\"", false}, {"\"a\tb\"", false},  {"\"a\r\n\"", false},
    {"\"a\x7f\"", false}, {"*", false},
};

/* What is refused leaves what was there; what is taken replaces it. */
static void check_value(int (*set)(struct drover_response *, const char *), const char *before,
                        const struct value *values, size_t count, bool is_type)
{
    struct drover_response *r = response();
    const struct buf *where = is_type ? &r->type : &r->etag;
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(set(r, before), 0);
        expect_result(set(r, values[i].value), values[i].good, values[i].value);
        cr_expect(holds(where, values[i].good ? values[i].value : before), "%s", values[i].value);
    }
    forget(r);
}

Test(api, type_and_etag)
{
    check_value(drover_response_type, "before", types, LENGTH(types), true);
    check_value(drover_response_etag, "\"before\"", etags, LENGTH(etags), false);
}

Test(api, modified)
{
    struct drover_response *r = response();
    cr_expect_eq(drover_response_modified(r, 0), 0);
    cr_expect(r->has_modified, "the Epoch is a date, too");
    cr_expect_eq(r->modified, 0);
    cr_expect_eq(drover_response_modified(r, 784111777), 0);
    cr_expect_eq(r->modified, 784111777);
    forget(r);
}

/* ---------------------------------------------------------------------------------- the body */

Test(api, body_is_appended_and_copied)
{
    struct drover_response *r = response();
    char text[] = "ab";
    cr_expect_eq(drover_response_body(r, text, 2), 0);
    memset(text, 'x', sizeof text);
    cr_expect_eq(drover_response_body(r, "\0c", 2), 0);
    cr_expect_eq(drover_response_body(r, NULL, 0), 0);
    cr_expect_eq(r->body.len, 4);
    cr_expect_arr_eq(r->body.p, "ab\0c", 4);
    cr_expect_eq(r->source, SOURCE_BYTES);
    forget(r);
}

Test(api, an_empty_body_is_a_body)
{
    struct drover_response *r = response();
    cr_expect_eq(drover_response_body(r, "", 0), 0);
    cr_expect_eq(r->source, SOURCE_BYTES, "no page is made up for it");
    forget(r);
}

Test(api, a_file_takes_the_place_of_the_body)
{
    struct drover_response *r = response();
    int fd = make_file(10);
    drover_response_body(r, "gathered", 8);
    cr_expect_eq(drover_response_file(r, fd, 10), 0);
    cr_expect_eq(r->fd, fd);
    cr_expect_eq(r->size, 10);
    cr_expect_eq(r->body.len, 0);
    expect_result(drover_response_body(r, "more", 4), false, "a body behind a file");
    cr_expect_eq(r->body.len, 0);
    forget(r);
}

Test(api, of_two_files_the_first_is_closed)
{
    struct drover_response *r = response();
    int before = count_fds();
    int first = make_file(1), second = make_file(2);
    cr_expect_eq(drover_response_file(r, first, 1), 0);
    cr_expect_eq(drover_response_file(r, second, 2), 0);
    cr_expect_lt(fcntl(first, F_GETFD), 0, "closed");
    cr_expect_geq(fcntl(second, F_GETFD), 0, "open");
    cr_expect_eq(r->size, 2);
    forget(r);
    cr_expect_eq(count_fds(), before);
}

Test(api, no_file)
{
    struct drover_response *r = response();
    expect_result(drover_response_file(r, -1, 5), false, "-1");
    cr_expect_eq(r->fd, -1);
    cr_expect_eq(r->source, SOURCE_NONE);
    forget(r);
}

/* ----------------------------------------------------------------------------- what is misused */

static long pull_nothing(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    return DROVER_END;
}

static int status_404(struct drover_response *r)
{
    return drover_response_status(r, 404);
}

static int status_204(struct drover_response *r)
{
    return drover_response_status(r, 204);
}

static int bytes(struct drover_response *r)
{
    return drover_response_body(r, "a", 1);
}

static int file(struct drover_response *r)
{
    return drover_response_file(r, make_file(1), 1);
}

static int stream(struct drover_response *r)
{
    return drover_response_pull(r, -1, pull_nothing, NULL);
}

static int long_stream(struct drover_response *r)
{
    return drover_response_pull(r, -2, pull_nothing, NULL);
}

static int field(struct drover_response *r)
{
    return drover_response_field(r, "X", "y");
}

static int type(struct drover_response *r)
{
    return drover_response_type(r, "a/b");
}

static int etag(struct drover_response *r)
{
    return drover_response_etag(r, "\"a\"");
}

static int modified(struct drover_response *r)
{
    return drover_response_modified(r, 1);
}

static int defer(struct drover_response *r)
{
    return drover_response_defer(r);
}

static int attach(struct drover_response *r)
{
    return drover_response_attach(r, r, NULL);
}

static int leave(struct drover_response *r)
{
    r->is_sealed = true; /* as when the head has left */
    return 0;
}

static const struct {
    const char *name;
    int (*first)(struct drover_response *);
    int (*then)(struct drover_response *);
    int error; /* 0: that is fine */
} misuses[] = {
    {"two statuses", status_404, status_204, EALREADY},
    {"the same status twice", status_404, status_404, EALREADY},
    {"a body for 204", status_204, bytes, EINVAL},
    {"a file for 204", status_204, file, EINVAL},
    {"a stream for 204", status_204, stream, EINVAL},
    {"204 after a body", bytes, status_204, EINVAL},
    {"204 after a file", file, status_204, EINVAL},
    {"204 after a stream", stream, status_204, EINVAL},
    {"404 after a body", bytes, status_404, 0},
    {"a body after 404", status_404, bytes, 0},
    {"a file after a body", bytes, file, 0},
    {"a body after a file", file, bytes, EINVAL},
    {"a body after a stream", stream, bytes, EINVAL},
    {"a file after a stream", stream, file, EINVAL},
    {"a stream after a body", bytes, stream, EINVAL},
    {"a stream after a file", file, stream, EINVAL},
    {"two streams", stream, stream, EALREADY},
    {"a negative length", bytes, long_stream, EINVAL},
    {"two attached", attach, attach, EALREADY},
    {"a late status", leave, status_404, EALREADY},
    {"a late field", leave, field, EALREADY},
    {"a late type", leave, type, EALREADY},
    {"a late entity tag", leave, etag, EALREADY},
    {"a late time", leave, modified, EALREADY},
    {"a late body", leave, bytes, EALREADY},
    {"a late file", leave, file, EALREADY},
    {"a late delay", leave, defer, EALREADY},
};

Test(api, misuse)
{
    for (size_t i = 0; i < LENGTH(misuses); i++) {
        struct drover_response *r = response();
        int before = count_fds();
        cr_assert_eq(misuses[i].first(r), 0, "%s", misuses[i].name);
        cr_assert_null(drover_response_error(r), "%s", misuses[i].name);
        errno = 0;
        int result = misuses[i].then(r);
        int error = errno;
        cr_expect_eq(result, misuses[i].error ? -1 : 0, "%s", misuses[i].name);
        if (misuses[i].error)
            cr_expect_eq(error, misuses[i].error, "%s: %s", misuses[i].name, strerror(error));
        cr_expect_eq(drover_response_error(r) != NULL, misuses[i].error != 0, "%s",
                     misuses[i].name);
        forget(r);
        cr_expect_eq(count_fds(), before, "%s: a file stays open", misuses[i].name);
    }
}

Test(api, the_first_misuse_is_told)
{
    struct drover_response *r = response();
    drover_response_status(r, 1);
    char first[128];
    snprintf(first, sizeof first, "%s", drover_response_error(r));
    drover_response_field(r, "", "");
    cr_expect_str_eq(drover_response_error(r), first);
    forget(r);
}

/* ------------------------------------------------------------------------------ what is attached
 */

static int released;

static void release(void *state)
{
    cr_expect_eq(state, &released);
    released++;
}

Test(api, attached)
{
    struct drover_response *r = response();
    cr_expect_null(drover_response_attached(r));
    cr_expect_eq(drover_response_attach(r, &released, release), 0);
    cr_expect_eq(drover_response_attached(r), &released);
    exchange_reset(exchange_of_response(r));
    cr_expect_eq(released, 1);
    cr_expect_null(drover_response_attached(r));
    cr_expect_eq(drover_response_attach(r, &released, release), 0, "the next answer has its own");
    forget(r);
    cr_expect_eq(released, 2);
}

/* -------------------------------------------------------------------------------- the upgrade */

static const struct {
    const char *name;
    const char *line;
    const char *fields;
    bool good;
} upgrades[] = {
    {"asked for", "GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: echo\r\n", true},
    {"among others", "GET / HTTP/1.1", "Connection: a, upgrade\r\nUpgrade: b/1, Echo\r\n", true},
    {"in several fields", "GET / HTTP/1.1",
     "Connection: a\r\nUpgrade: b\r\nConnection: upgrade\r\nUpgrade: echo\r\n", true},
    {"not asked for", "GET / HTTP/1.1", "", false},
    {"another one", "GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: echo2\r\n", false},
    {"without Connection", "GET / HTTP/1.1", "Upgrade: echo\r\n", false},
    {"another Connection", "GET / HTTP/1.1", "Connection: x\r\nUpgrade: echo\r\n", false},
    {"in 1.0", "GET / HTTP/1.0", "Connection: Upgrade\r\nUpgrade: echo\r\n", false},
    {"with a body", "POST / HTTP/1.1",
     "Connection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 1\r\n", false},
    {"with chunks", "POST / HTTP/1.1",
     "Connection: Upgrade\r\nUpgrade: echo\r\nTransfer-Encoding: chunked\r\n", false},
};

Test(api, upgrade)
{
    static const struct drover_protocol protocol;
    for (size_t i = 0; i < LENGTH(upgrades); i++) {
        struct drover_response *r = response();
        char request[256];
        int n = snprintf(request, sizeof request, "%s\r\nHost: x\r\n%s\r\n", upgrades[i].line,
                         upgrades[i].fields);
        struct http_request *head = &exchange_of_response(r)->request.head;
        cr_assert_eq(http_parse_head(head, request, (size_t)n), n, "%s", upgrades[i].name);
        expect_result(drover_response_upgrade(r, "echo", &protocol, &released), upgrades[i].good,
                      upgrades[i].name);
        cr_expect_null(drover_response_error(r), "%s: the client's doing", upgrades[i].name);
        cr_expect_eq(r->protocol, upgrades[i].good ? &protocol : NULL, "%s", upgrades[i].name);
        if (upgrades[i].good) {
            cr_expect_eq(drover_response_upgrade(r, "echo", &protocol, NULL), -1);
            cr_expect_eq(errno, EALREADY);
            cr_expect_eq(drover_response_status(r, 200), -1);
            cr_expect_eq(drover_response_body(r, "a", 1), -1);
            cr_expect(holds(&r->fields, "Upgrade: echo\r\n"));
        }
        forget(r);
    }
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
