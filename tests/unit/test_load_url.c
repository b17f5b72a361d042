#include "load/url.h"

#include <criterion/criterion.h>

static void expect_span(struct span got, const char *wanted, const char *url)
{
    cr_expect(span_eq(got, span_of(wanted)), "%s: '%.*s', not '%s'", url, (int)got.n, got.p,
              wanted);
}

Test(load_url, parts)
{
    static const struct {
        const char *text, *authority, *host, *path;
        uint16_t port;
    } cases[] = {
        {"http://a", "a", "a", "", 80},
        {"http://a/", "a", "a", "/", 80},
        {"http://a:8080/x/y?z", "a:8080", "a", "/x/y?z", 8080},
        {"http://127.0.0.1:1?q", "127.0.0.1:1", "127.0.0.1", "?q", 1},
        {"http://[::1]:65535/", "[::1]:65535", "::1", "/", 65535},
        {"http://[::1]", "[::1]", "::1", "", 80},
        {"http://a/b:c@d", "a", "a", "/b:c@d", 80},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const __typeof__(*cases) *c = &cases[i];
        struct url url;
        cr_assert_null(url_parse(&url, c->text), "%s", c->text);
        expect_span(url.authority, c->authority, c->text);
        expect_span(url.host, c->host, c->text);
        expect_span(url.path, c->path, c->text);
        cr_expect_eq(url.port, c->port, "%s: port %u", c->text, (unsigned)url.port);
    }
}

Test(load_url, refused)
{
    static const char *const cases[] = {
        "",
        "a",
        "https://a/",
        "http://",
        "http:///x",
        "http://:80",
        "http://a:",
        "http://a:0",
        "http://a:65536",
        "http://a:8x",
        "http://[::1",
        "http://[]",
        "http://[::1]8",
        "http://u@a/",
        "http://a/b c",
        "http://a/\r\nX: y",
        "http://a/\x7f",
        "http://a/\xc3\xa9",
        "http://a/#b",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct url url;
        cr_expect_not_null(url_parse(&url, cases[i]), "%s", cases[i]);
    }
}
