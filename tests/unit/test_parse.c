#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/field.h"
#include "http/parse.h"

/* The bytes stand alone on the heap, so that a sanitizer sees a read behind them. */
static int outcome(const char *bytes, size_t n)
{
    struct http_request request;
    char *copy = malloc(n ? n : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, n);
    int result = http_parse_head(&request, copy, n);
    free(copy);
    return result;
}

/*
 * Feeds every prefix that a reader could have, `step` bytes apart but for the last ones. All of
 * them must be 0 until the outcome is known, which then stays. Returns the first length that had
 * an outcome, 0 if none had.
 */
static size_t feed(const char *name, struct span bytes, size_t step, int *result)
{
    size_t known = 0;
    *result = 0;
    for (size_t n = 0; n <= bytes.n; n += bytes.n - n > 300 + step ? step : 1) {
        int now = outcome(bytes.p, n);
        if (known == 0 && now != 0)
            known = n;
        if (known == n)
            *result = now;
        cr_assert_eq(now, *result, "%s: %d at %zu bytes, %d at %zu", name, *result, known, now, n);
    }
    return known;
}

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define HOST "Host: a\r\n"
#define LINE "GET / HTTP/1.1\r\n"

/* Each row ends with the byte that decides: one byte less, and nothing is known yet. */
static const struct {
    const char *name;
    struct span bytes;
    int status;
} bad[] = {
    {"LF alone", BYTES("\n"), 400},
    {"CR alone", BYTES("\rG"), 400},
    {"a second empty line", BYTES("\r\n\r"), 400},
    {"TLS", BYTES("\x16"), 400},
    {"NUL", BYTES("\0"), 400},
    {"blank first", BYTES(" "), 400},
    {"control byte in the method", BYTES("GE\x7f"), 400},
    {"separator in the method", BYTES("GET/"), 400},
    {"high byte in the method", BYTES("G\xc3"), 400},
    {"method alone", BYTES("GET\r"), 400},
    {"two blanks before the target", BYTES("GET  "), 400},
    {"tab for a blank", BYTES("GET\t"), 400},
    {"HTTP/0.9", BYTES("GET /\r"), 400},
    {"two blanks behind the target", BYTES("GET /  "), 400},
    {"blank in the target", BYTES("GET /a b"), 400},
    {"control byte in the target", BYTES("GET /a\x01"), 400},
    {"NUL in the target", BYTES("GET /a\0"), 400},
    {"DEL in the target", BYTES("GET /a\x7f"), 400},
    {"high byte in the target", BYTES("GET /\xc3"), 400},
    {"tab in the target", BYTES("GET /a\t"), 400},
    {"fragment", BYTES("GET /a#"), 400},
    {"LF in the target", BYTES("GET /a\n"), 400},
    {"version in lower case", BYTES("GET / h"), 400},
    {"version of another protocol", BYTES("GET / HTTQ"), 400},
    {"version without a slash", BYTES("GET / HTTP1"), 400},
    {"major not a digit", BYTES("GET / HTTP/x"), 400},
    {"major of two digits", BYTES("GET / HTTP/10"), 400},
    {"no minor", BYTES("GET / HTTP/1\r"), 400},
    {"minor of two digits", BYTES("GET / HTTP/1.10"), 400},
    {"blank behind the version", BYTES("GET / HTTP/1.1 "), 400},
    {"LF without CR behind the version", BYTES("GET / HTTP/1.1\n"), 400},
    {"CR without LF behind the version", BYTES("GET / HTTP/1.1\rH"), 400},
    {"wrong version, then a byte more", BYTES("GET / HTTP/2.0 "), 400},

    {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n"), 505},
    {"HTTP/0.9 by name", BYTES("GET / HTTP/0.9\r\n"), 505},
    {"HTTP/1.2", BYTES("GET / HTTP/1.2\r\n"), 505},
    {"HTTP/2.1", BYTES("GET / HTTP/2.1\r\n"), 505},
    {"HTTP/3.0", BYTES("GET / HTTP/3.0\r\n"), 505},
    {"the version before the target", BYTES("GET a HTTP/9.9\r\n"), 505},

    {"target without a slash", BYTES("GET a HTTP/1.1\r\n"), 400},
    {"query alone", BYTES("GET ?a HTTP/1.1\r\n"), 400},
    {"* for GET", BYTES("GET * HTTP/1.1\r\n"), 400},
    {"* for an unknown method", BYTES("BREW * HTTP/1.1\r\n"), 400},
    {"* and more", BYTES("OPTIONS *a HTTP/1.1\r\n"), 400},
    {"other scheme", BYTES("GET ftp://a/ HTTP/1.1\r\n"), 400},
    {"scheme alone", BYTES("GET http:// HTTP/1.1\r\n"), 400},
    {"scheme with one slash", BYTES("GET http:/a HTTP/1.1\r\n"), 400},
    {"no authority", BYTES("GET http:///a HTTP/1.1\r\n"), 400},
    {"no authority but a query", BYTES("GET http://?a HTTP/1.1\r\n"), 400},
    {"no host but a port", BYTES("GET http://:80/ HTTP/1.1\r\n"), 400},
    {"user", BYTES("GET http://u@a/ HTTP/1.1\r\n"), 400},
    {"user and password", BYTES("GET http://u:1@a/ HTTP/1.1\r\n"), 400},
    {"port not a number", BYTES("GET http://a:b/ HTTP/1.1\r\n"), 400},
    {"two ports", BYTES("GET http://a:1:2/ HTTP/1.1\r\n"), 400},
    {"backslash for the path", BYTES("GET http://a\\b/ HTTP/1.1\r\n"), 400},
    {"authority for GET", BYTES("GET a:80 HTTP/1.1\r\n"), 400},
    {"path for CONNECT", BYTES("CONNECT / HTTP/1.1\r\n"), 400},
    {"URI for CONNECT", BYTES("CONNECT http://a:80/ HTTP/1.1\r\n"), 400},
    {"CONNECT without a port", BYTES("CONNECT a HTTP/1.1\r\n"), 400},
    {"CONNECT with an empty port", BYTES("CONNECT a: HTTP/1.1\r\n"), 400},
    {"CONNECT without a host", BYTES("CONNECT :80 HTTP/1.1\r\n"), 400},
    {"* for CONNECT", BYTES("CONNECT * HTTP/1.1\r\n"), 400},

    {"blank before the first field", BYTES(LINE " "), 400},
    {"empty name", BYTES(LINE ":"), 400},
    {"blank before the colon", BYTES(LINE "Host "), 400},
    {"tab before the colon", BYTES(LINE "Host\t"), 400},
    {"no colon", BYTES(LINE "Host\r"), 400},
    {"no colon, LF", BYTES(LINE "Host\n"), 400},
    {"LF for the end", BYTES(LINE HOST "\n"), 400},
    {"CR alone for the end", BYTES(LINE HOST "\rG"), 400},
    {"two CRs for the end", BYTES(LINE HOST "\r\r"), 400},
    {"high byte in a name", BYTES(LINE "a\xe9"), 400},
    {"quote in a name", BYTES(LINE "a\""), 400},
    {"NUL in a name", BYTES(LINE "a\0"), 400},
    {"NUL in a value", BYTES(LINE "a: b\0"), 400},
    {"control byte in a value", BYTES(LINE "a: b\x0b"), 400},
    {"DEL in a value", BYTES(LINE "a: b\x7f"), 400},
    {"bare LF in a value", BYTES(LINE "a: b\n"), 400},
    {"bare CR in a value", BYTES(LINE "a: b\rc"), 400},
    {"CR CR LF", BYTES(LINE "a: b\r\r"), 400},
    {"folded by a blank", BYTES(LINE "a: b\r\n "), 400},
    {"folded by a tab", BYTES(LINE "a: b\r\n\t"), 400},

    {"no Host", BYTES(LINE "\r\n"), 400},
    {"no Host beside an absolute target", BYTES("GET http://a/ HTTP/1.1\r\n\r\n"), 400},
    {"two Hosts", BYTES(LINE HOST HOST), 400},
    {"two Hosts, the second empty", BYTES(LINE HOST "Host:\r\n"), 400},
    {"two Hosts in 1.0", BYTES("GET / HTTP/1.0\r\n" HOST "hOST: b\r\n"), 400},
    {"Host is a list", BYTES(LINE "Host: a, b\r\n"), 400},
    {"Host with a comma", BYTES(LINE "Host: a,b\r\n"), 400},
    {"Host with a slash", BYTES(LINE "Host: a/b\r\n"), 400},
    {"Host with a user", BYTES(LINE "Host: u@a\r\n"), 400},
    {"Host is a URI", BYTES(LINE "Host: http://a\r\n"), 400},
    {"Host with a blank", BYTES(LINE "Host: a b\r\n"), 400},
    {"Host with a high byte", BYTES(LINE "Host: \xc3\xa4\r\n"), 400},
    {"Host with half an escape", BYTES(LINE "Host: a%4\r\n"), 400},
    {"Host with a wrong escape", BYTES(LINE "Host: a%4g\r\n"), 400},
    {"Host is a port", BYTES(LINE "Host: :80\r\n"), 400},
    {"Host with a port of letters", BYTES(LINE "Host: a:http\r\n"), 400},
    {"Host with a negative port", BYTES(LINE "Host: a:-1\r\n"), 400},
    {"Host with an open bracket", BYTES(LINE "Host: [::1\r\n"), 400},
    {"Host with empty brackets", BYTES(LINE "Host: []\r\n"), 400},
    {"Host is no v6 address", BYTES(LINE "Host: [::1::2]\r\n"), 400},
    {"Host is a v6 address with a zone", BYTES(LINE "Host: [fe80::1%25eth0]\r\n"), 400},
    {"Host has more behind its bracket", BYTES(LINE "Host: [::1]a\r\n"), 400},
    {"Host is a v6 address without brackets", BYTES(LINE "Host: ::1\r\n"), 400},
    {"Host is as long as the longest v6 address and a NUL",
     BYTES(LINE "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0]\r\n"), 400},
    {"Host is a very long v6 address",
     BYTES(LINE "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]\r\n"), 400},

    {"length empty", BYTES(LINE "Content-Length:\r\n"), 400},
    {"length of letters", BYTES(LINE "Content-Length: x\r\n"), 400},
    {"length with a sign", BYTES(LINE "Content-Length: +5\r\n"), 400},
    {"length negative", BYTES(LINE "Content-Length: -5\r\n"), 400},
    {"length in hex", BYTES(LINE "Content-Length: 0x5\r\n"), 400},
    {"length with a fraction", BYTES(LINE "Content-Length: 5.0\r\n"), 400},
    {"length of two words", BYTES(LINE "Content-Length: 5 5\r\n"), 400},
    {"length overflows", BYTES(LINE "Content-Length: 18446744073709551616\r\n"), 400},
    {"lengths differ", BYTES(LINE "Content-Length: 5\r\ncontent-length: 6\r\n"), 400},
    {"lengths differ in a list", BYTES(LINE "Content-Length: 5, 6\r\n"), 400},
    {"length list ends with a comma", BYTES(LINE "Content-Length: 5,\r\n"), 400},
    {"length list starts with a comma", BYTES(LINE "Content-Length: ,5\r\n"), 400},
    {"length list has a hole", BYTES(LINE "Content-Length: 5,,5\r\n"), 400},

    {"coding empty", BYTES(LINE "Transfer-Encoding:\r\n"), 400},
    {"coding of commas", BYTES(LINE "Transfer-Encoding: ,,,,,,,\r\n"), 400},
    {"chunked and a comma", BYTES(LINE "Transfer-Encoding: chunked,\r\n"), 400},
    {"chunked twice", BYTES(LINE "Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"chunked in two lines",
     BYTES(LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"gzip", BYTES(LINE "Transfer-Encoding: gzip\r\n"), 501},
    {"gzip, chunked", BYTES(LINE "Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"chunked, gzip", BYTES(LINE "Transfer-Encoding: chunked, gzip\r\n"), 501},
    {"chunked, then identity",
     BYTES(LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 501},
    {"identity", BYTES(LINE "Transfer-Encoding: identity\r\n"), 501},
    {"a parameter", BYTES(LINE "Transfer-Encoding: chunked;a=b\r\n"), 501},
    {"in quotes", BYTES(LINE "Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"xchunked", BYTES(LINE "Transfer-Encoding: xchunked\r\n"), 501},
    {"chunked in 1.0", BYTES("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"length, then chunked", BYTES(LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
     400},
    {"chunked, then length", BYTES(LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
     400},
    {"length, then gzip", BYTES(LINE "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n"), 400},
};

Test(parse, the_first_wrong_byte_decides)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int result;
        size_t known = feed(bad[i].name, bad[i].bytes, 1, &result);
        cr_expect_eq(result, -bad[i].status, "%s: %d", bad[i].name, result);
        cr_expect_eq(known, bad[i].bytes.n, "%s: known at %zu of %zu bytes", bad[i].name, known,
                     bad[i].bytes.n);
    }
}

Test(parse, what_follows_the_wrong_byte_does_not_matter)
{
    static const struct span tails[] = {BYTES("\r\n\r\n"), BYTES("\n"), BYTES("\0"), BYTES("x: ")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
            struct buf b = {0};
            buf_span(&b, bad[i].bytes);
            buf_span(&b, tails[k]);
            cr_expect_eq(outcome(b.p, b.len), -bad[i].status, "%s, tail %zu", bad[i].name, k);
            buf_free(&b);
        }
    }
}

/* What a good head says; the flags that are not named are false, but for keep_alive. */
struct good {
    const char *name;
    const char *bytes;
    enum http_method method;
    const char *path;
    const char *query;
    const char *authority;
    bool old; /* HTTP/1.0 */
    bool close;
    bool chunked;
    bool expect_continue;
    bool expect_unknown;
    uint64_t length;
};

static const struct good good[] = {
    {"smallest", LINE HOST "\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"empty line before", "\r\n" LINE HOST "\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"HEAD", "HEAD /a HTTP/1.1\r\n" HOST "\r\n", HTTP_HEAD, "/a", "", .authority = "a"},
    {"POST", "POST /a HTTP/1.1\r\n" HOST "\r\n", HTTP_POST, "/a", "", .authority = "a"},
    {"PUT", "PUT /a HTTP/1.1\r\n" HOST "\r\n", HTTP_PUT, "/a", "", .authority = "a"},
    {"DELETE", "DELETE /a HTTP/1.1\r\n" HOST "\r\n", HTTP_DELETE, "/a", "", .authority = "a"},
    {"PATCH", "PATCH /a HTTP/1.1\r\n" HOST "\r\n", HTTP_PATCH, "/a", "", .authority = "a"},
    {"OPTIONS", "OPTIONS /a HTTP/1.1\r\n" HOST "\r\n", HTTP_OPTIONS, "/a", "", .authority = "a"},
    {"TRACE", "TRACE /a HTTP/1.1\r\n" HOST "\r\n", HTTP_TRACE, "/a", "", .authority = "a"},
    {"method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_UNKNOWN, "/", "",
     .authority = "a"},
    {"method one byte longer", "GETS / HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_UNKNOWN, "/", "",
     .authority = "a"},
    {"method of every sign", "!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" HOST "\r\n",
     HTTP_METHOD_UNKNOWN, "/", "", .authority = "a"},

    {"query", "GET /a?b=c HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/a", "b=c", .authority = "a"},
    {"query empty", "GET /a? HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/a", "", .authority = "a"},
    {"query with a question mark", "GET /?a?b HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/", "a?b",
     .authority = "a"},
    {"path of two slashes", "GET //a HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "//a", "",
     .authority = "a"},
    {"target of every sign", "GET /!\"$%&'()*+,-.:;<=>@[\\]^_`{|}~ HTTP/1.1\r\n" HOST "\r\n",
     HTTP_GET, "/!\"$%&'()*+,-.:;<=>@[\\]^_`{|}~", "", .authority = "a"},
    {"absolute", "GET http://b/c?d HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/c", "d",
     .authority = "b"},
    {"absolute, then an empty Host", "GET http://b/ HTTP/1.1\r\nHost:\r\n\r\n", HTTP_GET, "/", "",
     .authority = "b"},
    {"absolute with TLS", "GET HTTPS://b:1/ HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/", "",
     .authority = "b:1"},
    {"absolute without a path", "GET hTTp://b HTTP/1.1\r\n" HOST "\r\n", HTTP_GET, "/", "",
     .authority = "b"},
    {"absolute without a path but a query", "GET http://b?c/d HTTP/1.1\r\n" HOST "\r\n", HTTP_GET,
     "/", "c/d", .authority = "b"},
    {"absolute in 1.0", "GET http://b/ HTTP/1.0\r\n\r\n", HTTP_GET, "/", "", .authority = "b",
     .old = true, .close = true},
    {"*", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HTTP_OPTIONS, "", "", .authority = "a"},
    {"CONNECT", "CONNECT b:443 HTTP/1.1\r\n" HOST "\r\n", HTTP_CONNECT, "", "",
     .authority = "b:443"},
    {"CONNECT to v6", "CONNECT [::1]:443 HTTP/1.1\r\n" HOST "\r\n", HTTP_CONNECT, "", "",
     .authority = "[::1]:443"},

    {"Host empty", LINE "Host:\r\n\r\n", HTTP_GET, "/", "", .authority = ""},
    {"Host of blanks", LINE "Host: \t \r\n\r\n", HTTP_GET, "/", "", .authority = ""},
    {"Host in capitals, with blanks", LINE "HOST: \t a\t \r\n\r\n", HTTP_GET, "/", "",
     .authority = "a"},
    {"Host without a blank", LINE "Host:a\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"Host with a port", LINE "Host: a.b:8080\r\n\r\n", HTTP_GET, "/", "", .authority = "a.b:8080"},
    {"Host with an empty port", LINE "Host: a:\r\n\r\n", HTTP_GET, "/", "", .authority = "a:"},
    {"Host is an IPv4 address", LINE "Host: 127.0.0.1:1\r\n\r\n", HTTP_GET, "/", "",
     .authority = "127.0.0.1:1"},
    {"Host is an IPv6 address", LINE "Host: [::1]\r\n\r\n", HTTP_GET, "/", "",
     .authority = "[::1]"},
    {"Host is an IPv6 address with a port", LINE "Host: [fe80::1]:1\r\n\r\n", HTTP_GET, "/", "",
     .authority = "[fe80::1]:1"},
    {"Host is an IPv6 address with an IPv4 one", LINE "Host: [::ffff:1.2.3.4]\r\n\r\n", HTTP_GET,
     "/", "", .authority = "[::ffff:1.2.3.4]"},
    {"Host of every sign", LINE "Host: aZ09-._~!$&'()*+;=%4a\r\n\r\n", HTTP_GET, "/", "",
     .authority = "aZ09-._~!$&'()*+;=%4a"},
    {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", HTTP_GET, "/", "", .authority = "", .old = true,
     .close = true},

    {"close", LINE HOST "Connection: close\r\n\r\n", HTTP_GET, "/", "", .authority = "a",
     .close = true},
    {"close in capitals in a list", LINE HOST "Connection: x, CLOSE\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .close = true},
    {"close in a second line", LINE HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n",
     HTTP_GET, "/", "", .authority = "a", .close = true},
    {"close before keep-alive", LINE HOST "Connection: close, keep-alive\r\n\r\n", HTTP_GET, "/",
     "", .authority = "a", .close = true},
    {"a longer word than close", LINE HOST "Connection: closed\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a"},
    {"keep-alive", LINE HOST "Connection: keep-alive\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"keep-alive in 1.0", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_GET, "/", "",
     .authority = "", .old = true},
    {"close wins in 1.0", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HTTP_GET, "/",
     "", .authority = "", .old = true, .close = true},

    {"length", LINE HOST "Content-Length: 5\r\n\r\n", HTTP_GET, "/", "", .authority = "a",
     .length = 5},
    {"length 0", LINE HOST "Content-Length: 0\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"length with zeros", LINE HOST "Content-Length: 005\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .length = 5},
    {"largest length", LINE HOST "Content-Length: 18446744073709551615\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .length = UINT64_MAX},
    {"same length twice in a list", LINE HOST "Content-Length: 5 ,\t5\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .length = 5},
    {"same length in two lines", LINE HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
     HTTP_GET, "/", "", .authority = "a", .length = 5},
    {"chunked", LINE HOST "Transfer-Encoding: chunked\r\n\r\n", HTTP_GET, "/", "", .authority = "a",
     .chunked = true},
    {"chunked in capitals", LINE HOST "TRANSFER-ENCODING:CHUNKED \r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .chunked = true},

    {"expects 100", LINE HOST "Expect: 100-Continue\r\n\r\n", HTTP_GET, "/", "", .authority = "a",
     .expect_continue = true},
    {"expects something", LINE HOST "Expect: beer\r\n\r\n", HTTP_GET, "/", "", .authority = "a",
     .expect_unknown = true},
    {"expects both", LINE HOST "Expect: 100-continue, beer\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a", .expect_continue = true, .expect_unknown = true},
    {"expects nothing", LINE HOST "Expect:\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"expects in 1.0", "GET / HTTP/1.0\r\nExpect: 100-continue, beer\r\n\r\n", HTTP_GET, "/", "",
     .authority = "", .old = true, .close = true},

    {"high bytes and tabs in a value", LINE HOST "x: \xff\t\x80 ~!\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a"},
    {"empty value", LINE HOST "x:\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"colon in a value", LINE HOST "x: :y:\r\n\r\n", HTTP_GET, "/", "", .authority = "a"},
    {"name of every sign", LINE HOST "!#$%&'*+-.^_`|~09azAZ: y\r\n\r\n", HTTP_GET, "/", "",
     .authority = "a"},
    {"a name that starts like one", LINE HOST "Hosts: b\r\nContent-Length-X: y\r\n\r\n", HTTP_GET,
     "/", "", .authority = "a"},
};

static void check_good(const struct good *want, const struct http_request *r)
{
    const char *name = want->name;
    cr_expect_eq(r->method, want->method, "%s: method %d", name, (int)r->method);
    cr_expect_eq(r->minor, want->old ? 0 : 1, "%s: minor %d", name, r->minor);
    cr_expect(span_eq(r->path, span_of(want->path)), "%s: path %.*s", name, (int)r->path.n,
              r->path.p);
    cr_expect(span_eq(r->query, span_of(want->query)), "%s: query %.*s", name, (int)r->query.n,
              r->query.p);
    cr_expect(span_eq(r->authority, span_of(want->authority)), "%s: authority %.*s", name,
              (int)r->authority.n, r->authority.p);
    cr_expect_eq(r->keep_alive, !want->close, "%s: keep_alive", name);
    cr_expect_eq(r->chunked, want->chunked, "%s: chunked", name);
    cr_expect_eq(r->expect_continue, want->expect_continue, "%s: expect_continue", name);
    cr_expect_eq(r->expect_unknown, want->expect_unknown, "%s: expect_unknown", name);
    cr_expect_eq(r->content_length, want->length, "%s: content_length", name);
}

Test(parse, good_heads)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct http_request request;
        struct span bytes = span_of(good[i].bytes);
        int result;
        memset(&request, 0xa5, sizeof request); /* nothing may be left from before */
        feed(good[i].name, bytes, 1, &result);
        cr_expect_eq(result, (int)bytes.n, "%s: %d", good[i].name, result);
        if (http_parse_head(&request, bytes.p, bytes.n) == (int)bytes.n)
            check_good(&good[i], &request);
    }
}

Test(parse, target_and_method_as_sent)
{
    static const char bytes[] = "BREW http://b/c?d HTTP/1.1\r\n" HOST "\r\n";
    struct http_request r;
    cr_assert_gt(http_parse_head(&r, bytes, sizeof bytes - 1), 0);
    cr_expect(span_eq(r.method_name, SPAN("BREW")));
    cr_expect(span_eq(r.target, SPAN("http://b/c?d")));
    cr_expect_eq(r.target.p, bytes + 5, "borrowed, not copied");
}

Test(parse, fields_in_their_order)
{
    static const char bytes[] = LINE HOST
        "Accept: x\r\nCookie:\t a=\"b\" \t\r\nACCEPT:y\r\nempty: \t\r\n\r\n";
    struct http_request r;
    cr_assert_eq(http_parse_head(&r, bytes, sizeof bytes - 1), (int)sizeof bytes - 1);
    cr_assert_eq(r.field_count, 5);
    cr_expect(span_eq(r.fields[0].name, SPAN("Host")));
    cr_expect(span_eq(r.fields[2].value, SPAN("a=\"b\"")));
    cr_expect(span_eq(r.fields[3].name, SPAN("ACCEPT")));
    cr_expect_eq(r.fields[4].value.n, 0);
    cr_expect_eq(http_request_field(&r, SPAN("accept")), &r.fields[1], "the first of two");
    cr_expect_null(http_request_field(&r, SPAN("accep")));
    cr_expect_null(http_request_field(&r, SPAN("")));
}

Test(parse, pipelined)
{
    static const char first[] = "POST /1 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n";
    static const char both[] = "POST /1 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
                               "GET /2 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n";
    struct http_request r;
    int n = http_parse_head(&r, both, sizeof both - 1);
    cr_assert_eq(n, (int)sizeof first - 1);
    cr_expect(span_eq(r.path, SPAN("/1")));
    cr_expect(r.keep_alive);
    cr_assert_eq(http_parse_head(&r, both + n, sizeof both - 1 - (size_t)n),
                 (int)(sizeof both - sizeof first));
    cr_expect(span_eq(r.path, SPAN("/2")));
    cr_expect(span_eq(r.authority, SPAN("b")));
    cr_expect_not(r.keep_alive);
}

/* The second request is bad: the first one does not notice. */
Test(parse, pipelined_with_a_bad_one)
{
    static const char bytes[] = LINE HOST "\r\n\x16\x03\x01";
    cr_expect_eq(outcome(bytes, sizeof bytes - 1), (int)sizeof bytes - 4);
}

/* Every byte of a head replaced by every other: whatever the outcome, no split changes it. */
Test(parse, no_split_changes_the_outcome)
{
    static const char bytes[] =
        "\r\nPUT http://a/?b HTTP/1.1\r\nHost:a\r\nContent-Length:1,1\r\n\r\n";
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof bytes];
            char name[32];
            int result;
            memcpy(changed, bytes, sizeof bytes);
            changed[i] = (char)byte;
            snprintf(name, sizeof name, "byte %zu is %d", i, byte);
            size_t known = feed(name, (struct span){changed, sizeof bytes - 1}, 1, &result);
            if (result > 0)
                cr_assert_eq((size_t)result, known, "%s: whole before its end", name);
        }
    }
}

/* Values are looked at in words: every byte, at every place of more than two words. */
Test(parse, every_byte_of_a_value)
{
    static const char bytes[] = LINE HOST "x: 0123456789abcdef0123\r\n\r\n";
    const size_t value = sizeof LINE HOST "x: " - 1;
    for (size_t i = value; i < value + 20; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof bytes];
            char name[32];
            int result;
            bool allowed = byte == '\t' || (byte >= ' ' && byte != 0x7f);
            memcpy(changed, bytes, sizeof bytes);
            changed[i] = (char)byte;
            snprintf(name, sizeof name, "byte %zu is %d", i - value, byte);
            size_t known = feed(name, (struct span){changed, sizeof bytes - 1}, 1, &result);
            cr_assert_eq(result, allowed ? (int)sizeof bytes - 1 : -400, "%s: %d", name, result);
            cr_assert_eq(known,
                         allowed        ? sizeof bytes - 1
                         : byte == '\r' ? i + 2
                                        : i + 1,
                         "%s: known at %zu", name, known);
        }
    }
}

static void fill(struct buf *b, char byte, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add(b, &byte, 1);
}

/* A head whose request line has so many bytes, CRLF not counted. */
static struct buf long_line(size_t length)
{
    struct buf b = {0};
    buf_lit(&b, "GET /");
    fill(&b, 'a', length - sizeof "GET / HTTP/1.1" + 1);
    buf_lit(&b, " HTTP/1.1\r\n" HOST "\r\n");
    cr_assert_not(b.failed);
    return b;
}

#define FEED(name, b, result) feed((name), (struct span){(b).p, (b).len}, 997, (result))

Test(parse, request_line_at_its_limit)
{
    struct buf b = long_line(HTTP_REQUEST_LINE_MAX);
    int result;
    FEED("the longest line", b, &result);
    cr_expect_eq(result, (int)b.len, "%d", result);
    buf_free(&b);
    b = long_line(HTTP_REQUEST_LINE_MAX + 1);
    FEED("one byte more", b, &result);
    cr_expect_eq(result, -414, "%d", result);
    buf_free(&b);
}

static const struct {
    const char *name;
    const char *start;
    char filler;
} endless[] = {
    {"endless method", "", 'A'},
    {"endless target", "GET /", 'a'},
    {"endless target behind an empty line", "\r\nGET /", 'a'},
    {"endless target of no form", "GET a", 'a'},
};

Test(parse, no_line_end_within_the_limit)
{
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct buf b = {0};
        int result;
        buf_str(&b, endless[i].start);
        size_t skipped = *endless[i].start == '\r' ? 2 : 0;
        fill(&b, endless[i].filler, HTTP_REQUEST_LINE_MAX - b.len + skipped - 1);
        cr_expect_eq(outcome(b.p, b.len), 0, "%s: below the limit", endless[i].name);
        fill(&b, endless[i].filler, 1);
        cr_expect_eq(outcome(b.p, b.len), -414, "%s: at the limit", endless[i].name);
        fill(&b, endless[i].filler, HTTP_HEAD_MAX);
        FEED(endless[i].name, b, &result);
        cr_expect_eq(result, -414, "%s: %d", endless[i].name, result);
        buf_free(&b);
    }
}

/* A head of so many bytes, by long fields; the last one takes what is left. */
static struct buf long_head(const char *start, size_t length)
{
    struct buf b = {0};
    buf_str(&b, start);
    buf_lit(&b, HOST);
    while (length - b.len > HTTP_FIELD_MAX) {
        buf_lit(&b, "x: ");
        fill(&b, 'y', HTTP_FIELD_MAX / 2);
        buf_lit(&b, "\r\n");
    }
    buf_lit(&b, "x: ");
    fill(&b, 'y', length - b.len - 4);
    buf_lit(&b, "\r\n\r\n");
    cr_assert_not(b.failed);
    cr_assert_eq(b.len, length);
    return b;
}

Test(parse, head_at_its_limit)
{
    static const char *const starts[] = {LINE, "\r\n" LINE};
    for (size_t i = 0; i < 2; i++) {
        struct buf b = long_head(starts[i], HTTP_HEAD_MAX);
        int result;
        FEED("the longest head", b, &result);
        cr_expect_eq(result, HTTP_HEAD_MAX, "%zu: %d", i, result);
        buf_free(&b);
        b = long_head(starts[i], HTTP_HEAD_MAX + 1);
        FEED("one byte more", b, &result);
        cr_expect_eq(result, -431, "%zu: %d", i, result);
        buf_free(&b);
    }
}

Test(parse, a_full_buffer_is_never_waited_for)
{
    struct buf b = long_head(LINE, HTTP_HEAD_MAX + 1);
    cr_expect_eq(outcome(b.p, HTTP_HEAD_MAX - 1), 0);
    cr_expect_eq(outcome(b.p, HTTP_HEAD_MAX), -431);
    buf_free(&b);
}

/* A head with one field line of so many bytes, CRLF not counted. */
static struct buf long_field(const char *start, char filler, const char *rest, size_t length)
{
    struct buf b = {0};
    buf_lit(&b, LINE HOST);
    buf_str(&b, start);
    fill(&b, filler, length - strlen(start) - strlen(rest));
    buf_str(&b, rest);
    buf_lit(&b, "\r\n\r\n");
    cr_assert_not(b.failed);
    return b;
}

static const struct {
    const char *name;
    const char *start;
    char filler;
    const char *rest;
} long_fields[] = {
    {"a long value", "x: ", 'y', ""},
    {"a long value without a blank", "x:", 'y', ""},
    {"a long value of tabs", "x: y", '\t', "y"},
    {"blanks before a value", "x:", ' ', "y"},
    {"blanks behind a value", "x: y", ' ', ""},
    {"blanks alone", "x:", ' ', ""},
    {"a long name", "", 'x', ": y"},
    {"a long name, no value", "", 'x', ":"},
};

#define LONG_FIELD(i, length) \
    long_field(long_fields[i].start, long_fields[i].filler, long_fields[i].rest, (length))

Test(parse, field_line_at_its_limit)
{
    for (size_t i = 0; i < sizeof long_fields / sizeof *long_fields; i++) {
        const char *name = long_fields[i].name;
        struct buf b = LONG_FIELD(i, HTTP_FIELD_MAX);
        int result;
        FEED(name, b, &result);
        cr_expect_eq(result, (int)b.len, "%s: %d", name, result);
        buf_free(&b);
        b = LONG_FIELD(i, HTTP_FIELD_MAX + 1);
        size_t known = FEED(name, b, &result);
        cr_expect_eq(result, -431, "%s, one byte more: %d", name, result);
        cr_expect_eq(known, b.len - 4, "%s, one byte more: known at %zu", name, known);
        buf_free(&b);
    }
}

Test(parse, a_field_line_without_end)
{
    static const char *const starts[] = {"", "x", "x:", "x: y"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct buf b = long_field(starts[i], 'z', "", HTTP_FIELD_MAX + 1);
        int result;
        fill(&b, 'z', 200); /* so few that FEED comes to each of them */
        size_t known = FEED(starts[i], b, &result);
        cr_expect_eq(result, -431, "%s: %d", starts[i], result);
        fill(&b, 'z', HTTP_HEAD_MAX);
        cr_expect_eq(outcome(b.p, b.len), -431, "%s: more than a head", starts[i]);
        cr_expect_eq(known, strlen(LINE HOST) + HTTP_FIELD_MAX + 1, "%s: known at %zu", starts[i],
                     known);
        buf_free(&b);
    }
}

/* The byte behind the longest line: a CR ends it, whatever else it is makes the line too long. */
Test(parse, the_byte_behind_the_longest_field_line)
{
    for (int byte = 0; byte < 256; byte++) {
        struct buf b = LONG_FIELD(0, HTTP_FIELD_MAX);
        b.p[b.len - 4] = (char)byte;
        cr_expect_eq(outcome(b.p, b.len - 4), 0, "%d: the line so far", byte);
        cr_expect_eq(outcome(b.p, b.len - 3), byte == '\r' ? 0 : -431, "%d", byte);
        cr_expect_eq(outcome(b.p, b.len), byte == '\r' ? (int)b.len : -431, "%d: all", byte);
        buf_free(&b);
    }
}

Test(parse, a_wrong_byte_in_the_longest_field_line)
{
    struct buf b = LONG_FIELD(0, HTTP_FIELD_MAX + 1);
    b.p[b.len - 6] = '\x01';
    cr_expect_eq(outcome(b.p, b.len), -400, "it comes before the byte that is one too many");
    b.p[b.len - 6] = '\r';
    cr_expect_eq(outcome(b.p, b.len), -400, "no LF behind the CR");
    buf_free(&b);
}

Test(parse, a_last_field_at_the_end_of_the_head)
{
    struct buf b = long_head(LINE, HTTP_HEAD_MAX - HTTP_FIELD_MAX / 2);
    b.len -= 2;
    buf_lit(&b, "x:");
    fill(&b, 'z', HTTP_FIELD_MAX);
    cr_expect_eq(outcome(b.p, HTTP_HEAD_MAX - 1), 0);
    cr_expect_eq(outcome(b.p, HTTP_HEAD_MAX), -431, "the head is full, its field is not");
    buf_free(&b);
}

static struct buf many_fields(size_t count)
{
    struct buf b = {0};
    buf_lit(&b, LINE HOST);
    for (size_t i = 1; i < count; i++)
        buf_lit(&b, "x: y\r\n");
    buf_lit(&b, "\r\n");
    return b;
}

Test(parse, fields_at_their_limit)
{
    struct buf b = many_fields(HTTP_FIELDS_MAX);
    struct http_request r;
    int result;
    FEED("all fields", b, &result);
    cr_expect_eq(result, (int)b.len, "%d", result);
    cr_assert_gt(http_parse_head(&r, b.p, b.len), 0);
    cr_expect_eq(r.field_count, HTTP_FIELDS_MAX);
    buf_free(&b);
    b = many_fields(HTTP_FIELDS_MAX + 1);
    size_t known = FEED("one more", b, &result);
    cr_expect_eq(result, -431, "%d", result);
    cr_expect_eq(known, b.len - sizeof ": y\r\n\r\n" + 1, "known at its first byte, not %zu",
                 known);
    buf_free(&b);
}

Test(parse, no_bytes)
{
    struct http_request r;
    cr_expect_eq(http_parse_head(&r, NULL, 0), 0);
}

static bool is_token_byte(int byte)
{
    return byte > 0x20 && byte < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", byte);
}

Test(parse, is_token)
{
    cr_expect(http_is_token(SPAN("a-b")));
    cr_expect_not(http_is_token(SPAN("")));
    cr_expect_not(http_is_token(SPAN("a b")));
    cr_expect_not(http_is_token(SPAN("a\0")));
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        cr_expect_eq(http_is_token((struct span){&c, 1}), is_token_byte(byte), "byte %d", byte);
    }
}

/* A long token is read in words: no byte may hide behind its neighbour in one. */
Test(parse, every_pair_of_bytes_in_a_long_token)
{
    for (size_t at = 0; at < 16; at++) {
        for (int pair = 0; pair < 0x10000; pair++) {
            char token[] = "a-long-Token-of-letters";
            int first = pair >> 8;
            int second = pair & 0xff;
            token[at] = (char)first;
            token[at + 1] = (char)second;
            cr_assert_eq(http_is_token((struct span){token, sizeof token - 1}),
                         is_token_byte(first) && is_token_byte(second), "%d, %d at %zu", first,
                         second, at);
        }
    }
}

/* The same for a target: what is wrong in it, or ends it, is seen wherever it stands. */
Test(parse, every_pair_of_bytes_in_a_long_target)
{
    static const char bytes[] = "GET /a-long-target/of~letters HTTP/1.1\r\n" HOST "\r\n";
    for (size_t at = strlen("GET /"); at < strlen("GET /a-long-target"); at++) {
        for (int pair = 0; pair < 0x10000; pair++) {
            struct http_request r;
            char changed[sizeof bytes];
            int first = pair >> 8;
            int second = pair & 0xff;
            bool want = first > ' ' && first < 0x7f && first != '#' && second > ' ' &&
                        second < 0x7f && second != '#';
            memcpy(changed, bytes, sizeof bytes);
            changed[at] = (char)first;
            changed[at + 1] = (char)second;
            cr_assert_eq(http_parse_head(&r, changed, sizeof bytes - 1),
                         want ? (int)sizeof bytes - 1 : -400, "%d, %d at %zu", first, second, at);
        }
    }
}

/* ----------------------------------------------------------------- conditions, and ranges */

static bool has_conditions(const char *fields, size_t length)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\n";
    struct http_request request;
    char bytes[512];
    size_t n = sizeof start - 1;
    memcpy(bytes, start, n);
    memcpy(bytes + n, fields, length);
    memcpy(bytes + n + length, ": x\r\n\r\n", 7);
    memset(&request, 0xff, sizeof request); /* as another request may have left it */
    int result = http_parse_head(&request, bytes, n + length + 7);
    cr_assert_eq(result, (int)(n + length + 7), "%.*s: %d", (int)length, fields, result);
    return request.has_conditions;
}

static const char *const conditions[] = {
    "Range", "If-Match", "If-Range", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"};

#define CONDITIONS (sizeof conditions / sizeof *conditions)

Test(parse, conditions_in_any_case)
{
    for (size_t i = 0; i < CONDITIONS; i++) {
        size_t length = strlen(conditions[i]);
        cr_assert(has_conditions(conditions[i], length), "%s", conditions[i]);
        for (unsigned mask = 1; mask < 1U << length; mask = mask * 3 + 1) {
            char name[32];
            for (size_t k = 0; k <= length; k++)
                name[k] = mask >> k & 1 ? (char)toupper(conditions[i][k])
                                        : (char)tolower(conditions[i][k]);
            cr_assert(has_conditions(name, length), "%s", name);
        }
    }
}

/* Every name of the same length that one byte tells apart. */
Test(parse, names_that_are_no_conditions)
{
    for (size_t i = 0; i < CONDITIONS; i++) {
        size_t length = strlen(conditions[i]);
        for (size_t at = 0; at < length; at++)
            for (int byte = 0; byte < 256; byte++) {
                char name[32];
                memcpy(name, conditions[i], length);
                name[at] = (char)byte;
                if (is_token_byte(byte))
                    cr_assert_eq(has_conditions(name, length),
                                 tolower(byte) == tolower(conditions[i][at]), "%.*s", (int)length,
                                 name);
            }
    }
}

Test(parse, fields_that_are_no_conditions)
{
    static const char *const names[] = {
        "If",     "Rang",       "Ranges",         "X-Range",  "Range-",  "If-Matche",
        "If-Mat", "If-Ranges",  "If-None-Matchx", "Accept",   "Cookies", "If-Modified-Sinc",
        "Origin", "User-Agent", "Accept-Ranges",  "Referer",  "If-None", "If-Unmodified-Sinces",
        "DNT",    "X-If-Match", "X-If-Range",     "XIf-Match"};
    cr_assert_not(has_conditions("X", 1));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_not(has_conditions(names[i], strlen(names[i])), "%s", names[i]);
}

/* Wherever it stands. */
Test(parse, conditions_among_other_fields)
{
    static const char *const fields[] = {"Range: bytes=0-0\r\nAccept", "Accept: x\r\nRange",
                                         "A: b\r\nif-range: x\r\nC", "Range:\r\nRange"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        cr_expect(has_conditions(fields[i], strlen(fields[i])), "%s", fields[i]);
    cr_expect_not(has_conditions("A: Range\r\nB", strlen("A: Range\r\nB")), "a value");
}
