#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "http/forwarded.h"

/* 10.0.0.0/8, 192.0.2.7 and 2001:db8::/32 are trusted; the peer's port is 1000. */
static const struct {
    const char *name;
    const char *peer;
    const char *fields[4];
    const char *client;
} rows[] = {
    {"no field", "10.0.0.1", {0}, "10.0.0.1 1000"},
    {"another field", "10.0.0.1", {"Forwarded-For: 1.2.3.4"}, "10.0.0.1 1000"},
    {"one client", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4 0"},
    {"name in lower case", "10.0.0.1", {"x-forwarded-for: 1.2.3.4"}, "1.2.3.4 0"},
    {"peer is not trusted", "11.0.0.1", {"X-Forwarded-For: 1.2.3.4"}, "11.0.0.1 1000"},
    {"peer is mapped", "::ffff:10.0.0.1", {"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4 0"},
    {"peer is mapped and not trusted",
     "::ffff:11.0.0.1",
     {"X-Forwarded-For: 1.2.3.4"},
     "11.0.0.1 1000"},
    {"peer of IPv6", "2001:db8::1", {"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4 0"},
    {"peer on a unix socket", "", {"X-Forwarded-For: 1.2.3.4"}, " 1000"},

    {"the client lies", "10.0.0.1", {"X-Forwarded-For: 9.9.9.9, 1.2.3.4"}, "1.2.3.4 0"},
    {"the client lies of a trusted one",
     "10.0.0.1",
     {"X-Forwarded-For: 10.9.9.9, 1.2.3.4"},
     "1.2.3.4 0"},
    {"through two proxies",
     "10.0.0.1",
     {"X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.0.0.2"},
     "1.2.3.4 0"},
    {"through all networks",
     "10.0.0.1",
     {"X-Forwarded-For: 1.2.3.4, 2001:db8::5, 192.0.2.7,10.0.0.2"},
     "1.2.3.4 0"},
    {"all are trusted", "10.0.0.1", {"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3 0"},
    {"mapped in the list",
     "10.0.0.1",
     {"X-Forwarded-For: ::ffff:1.2.3.4, ::ffff:10.0.0.2"},
     "1.2.3.4 0"},

    {"two lines",
     "10.0.0.1",
     {"X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 10.0.0.2"},
     "1.2.3.4 0"},
    {"two lines, the last one decides",
     "10.0.0.1",
     {"X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 1.2.3.4"},
     "1.2.3.4 0"},
    {"lines between",
     "10.0.0.1",
     {"X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X: 8.8.8.8", "X-Forwarded-For: 10.0.0.3, 10.0.0.2"},
     "1.2.3.4 0"},

    {"port", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:567"}, "1.2.3.4 567"},
    {"port of a proxy", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4, 10.0.0.2:80"}, "1.2.3.4 0"},
    {"largest port", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:65535"}, "1.2.3.4 65535"},
    {"IPv6", "10.0.0.1", {"X-Forwarded-For: ::1"}, "::1 0"},
    {"IPv6 with what looks like a port", "10.0.0.1", {"X-Forwarded-For: ::a:1:80"}, "::a:1:80 0"},
    {"IPv6 in brackets", "10.0.0.1", {"X-Forwarded-For: [::1]"}, "::1 0"},
    {"IPv6 with a port", "10.0.0.1", {"X-Forwarded-For: [::1]:80"}, "::1 80"},
    {"mapped in brackets", "10.0.0.1", {"X-Forwarded-For: [::ffff:1.2.3.4]:80"}, "1.2.3.4 80"},
    {"mapped without brackets", "10.0.0.1", {"X-Forwarded-For: ::ffff:1.2.3.4"}, "1.2.3.4 0"},
    {"blanks around",
     "10.0.0.1",
     {"X-Forwarded-For: 9.9.9.9 ,\t1.2.3.4 \t, \t10.0.0.2"},
     "1.2.3.4 0"},

    /* the walk ends */
    {"a name", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4, example.org"}, "10.0.0.1 1000"},
    {"unknown", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.2"}, "10.0.0.2 0"},
    {"empty field", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4", "X-Forwarded-For:"}, "10.0.0.1 1000"},
    {"comma behind", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4,"}, "10.0.0.1 1000"},
    {"comma before",
     "10.0.0.1",
     {"X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: ,10.0.0.2"},
     "10.0.0.2 0"},
    {"two commas", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4,,10.0.0.2"}, "10.0.0.2 0"},
    {"two words", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4 5.6.7.8"}, "10.0.0.1 1000"},
    {"in quotes", "10.0.0.1", {"X-Forwarded-For: \"1.2.3.4\""}, "10.0.0.1 1000"},
    {"comma in quotes", "10.0.0.1", {"X-Forwarded-For: \"9.9.9.9, 1.2.3.4"}, "1.2.3.4 0"},
    {"with a mask", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4/32"}, "10.0.0.1 1000"},
    {"empty port", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:"}, "10.0.0.1 1000"},
    {"port too large", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:65536"}, "10.0.0.1 1000"},
    {"port of six digits", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:000080"}, "10.0.0.1 1000"},
    {"port of letters", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:http"}, "10.0.0.1 1000"},
    {"port with a sign", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:+80"}, "10.0.0.1 1000"},
    {"two ports", "10.0.0.1", {"X-Forwarded-For: 1.2.3.4:1:2"}, "10.0.0.1 1000"},
    {"port without an address", "10.0.0.1", {"X-Forwarded-For: :80"}, "10.0.0.1 1000"},
    {"open bracket", "10.0.0.1", {"X-Forwarded-For: [::1"}, "10.0.0.1 1000"},
    {"empty brackets", "10.0.0.1", {"X-Forwarded-For: []"}, "10.0.0.1 1000"},
    {"bracket alone", "10.0.0.1", {"X-Forwarded-For: ["}, "10.0.0.1 1000"},
    {"closing bracket alone", "10.0.0.1", {"X-Forwarded-For: ::1]"}, "10.0.0.1 1000"},
    {"IPv4 in brackets", "10.0.0.1", {"X-Forwarded-For: [1.2.3.4]:80"}, "10.0.0.1 1000"},
    {"no colon behind the bracket", "10.0.0.1", {"X-Forwarded-For: [::1]80"}, "10.0.0.1 1000"},
    {"no port behind the bracket", "10.0.0.1", {"X-Forwarded-For: [::1]:"}, "10.0.0.1 1000"},
    {"zone", "10.0.0.1", {"X-Forwarded-For: fe80::1%eth0"}, "10.0.0.1 1000"},
};

static void parse(struct http_request *request, struct buf *b, const char *const fields[4])
{
    buf_lit(b, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < 4 && fields[i]; i++)
        buf_printf(b, "%s\r\n", fields[i]);
    buf_lit(b, "\r\n");
    cr_assert_eq(http_parse_head(request, b->p, b->len), (int)b->len);
}

static struct http_address peer_of(const char *text)
{
    struct http_address peer = {0};
    cr_assert(*text == '\0' || ip_parse(span_of(text), &peer));
    peer.port = 1000;
    return peer;
}

static const char *text_of(const struct http_address *address, char out[64])
{
    char ip[IP_TEXT_SIZE];
    ip_print(address, ip);
    snprintf(out, 64, "%s %u", ip, (unsigned)address->port);
    return out;
}

Test(forwarded, table)
{
    struct forwarded_rules rules = {.count = 3};
    cr_assert_null(ip_network_parse(SPAN("10.0.0.0/8"), &rules.networks[0]));
    cr_assert_null(ip_network_parse(SPAN("192.0.2.7"), &rules.networks[1]));
    cr_assert_null(ip_network_parse(SPAN("2001:db8::/32"), &rules.networks[2]));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_request request;
        struct buf b = {0};
        char text[64];
        parse(&request, &b, rows[i].fields);
        struct http_address peer = peer_of(rows[i].peer);
        struct http_address client = forwarded_client(&request, &peer, &rules);
        cr_expect_str_eq(text_of(&client, text), rows[i].client, "%s: %s", rows[i].name, text);
        buf_free(&b);
    }
}

Test(forwarded, nobody_is_trusted)
{
    static const char *const fields[4] = {"X-Forwarded-For: 1.2.3.4"};
    struct http_request request;
    struct buf b = {0};
    char text[64];
    parse(&request, &b, fields);
    struct http_address peer = peer_of("10.0.0.1");
    struct forwarded_rules nobody = {0};
    struct http_address client = forwarded_client(&request, &peer, &nobody);
    cr_expect_str_eq(text_of(&client, text), "10.0.0.1 1000");
    buf_free(&b);
}

Test(forwarded, as_many_fields_as_a_head_has)
{
    struct http_request request;
    struct forwarded_rules rules = {.count = 1};
    struct buf b = {0};
    char text[64];
    cr_assert_null(ip_network_parse(SPAN("0.0.0.0/0"), &rules.networks[0]));
    buf_lit(&b, "GET / HTTP/1.0\r\n");
    for (int i = 0; i < HTTP_FIELDS_MAX; i++)
        buf_printf(&b, "X-Forwarded-For: 10.0.%d.1, 10.0.%d.2\r\n", i, i);
    buf_lit(&b, "\r\n");
    cr_assert_eq(http_parse_head(&request, b.p, b.len), (int)b.len);
    struct http_address peer = peer_of("10.0.0.1");
    struct http_address client = forwarded_client(&request, &peer, &rules);
    cr_expect_str_eq(text_of(&client, text), "10.0.0.1 0", "%s", text);
    buf_free(&b);
}
