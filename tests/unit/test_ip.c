#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/ip.h"

#define ZONE_FREE_MAX "0000:0000:0000:0000:0000:ffff:255.255.255.255"

_Static_assert(sizeof ZONE_FREE_MAX == IP_TEXT_SIZE, "the longest text");

static const struct {
    const char *text;
    int family;
    const char *printed;
} addresses[] = {
    {"0.0.0.0", 4, "0.0.0.0"},
    {"192.0.2.1", 4, "192.0.2.1"},
    {"255.255.255.255", 4, "255.255.255.255"},
    {"::", 6, "::"},
    {"::1", 6, "::1"},
    {"2001:db8::1", 6, "2001:db8::1"},
    {"2001:DB8:0:0:0:0:0:1", 6, "2001:db8::1"},
    {"2001:db8:0:0:1:0:0:1", 6, "2001:db8::1:0:0:1"},
    {"1:2:3:4:5:6:7:8", 6, "1:2:3:4:5:6:7:8"},
    {"::ffff:192.0.2.1", 6, "192.0.2.1"},
    {"::ffff:c000:201", 6, "192.0.2.1"},
    {ZONE_FREE_MAX, 6, "255.255.255.255"},
    {"::fffe:c000:201", 6, "::fffe:c000:201"},
    {"1::ffff:c000:201", 6, "1::ffff:c000:201"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

Test(ip, text_to_address_to_text)
{
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct http_address address = {.port = 99};
        char text[IP_TEXT_SIZE];
        cr_expect(ip_parse(span_of(addresses[i].text), &address), "%s", addresses[i].text);
        cr_expect_eq(address.family, addresses[i].family, "%s", addresses[i].text);
        cr_expect_eq(address.port, 0, "%s", addresses[i].text);
        size_t n = ip_print(&address, text);
        cr_expect_str_eq(text, addresses[i].printed);
        cr_expect_eq(n, strlen(addresses[i].printed));
    }
}

Test(ip, no_address_is_no_text)
{
    char text[IP_TEXT_SIZE] = "x";
    cr_expect_eq(ip_print(&(struct http_address){0}, text), 0);
    cr_expect_str_eq(text, "");
}

Test(ip, bytes_in_network_order)
{
    static const uint8_t v4[16] = {192, 0, 2, 1};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xff};
    struct http_address address;
    cr_assert(ip_parse(SPAN("192.0.2.1"), &address));
    cr_expect_arr_eq(address.bytes, v4, sizeof v4, "nothing is behind the four bytes");
    cr_assert(ip_parse(SPAN("2001:db8::ff"), &address));
    cr_expect_arr_eq(address.bytes, v6, sizeof v6);
}

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct span no_addresses[] = {
    BYTES(""),
    BYTES("1"),
    BYTES("1.2.3"),
    BYTES("1.2.3.4.5"),
    BYTES("1.2.3.256"),
    BYTES("1.2.3.04"),
    BYTES("1.2.3.0x4"),
    BYTES("1.2.3.-4"),
    BYTES("1.2.3."),
    BYTES(".1.2.3"),
    BYTES(" 1.2.3.4"),
    BYTES("1.2.3.4 "),
    BYTES("1.2.3.4\0"),
    BYTES("1.2.3.4:80"),
    BYTES("1.2.3.4/32"),
    BYTES("localhost"),
    BYTES(":"),
    BYTES(":::"),
    BYTES("::1::2"),
    BYTES("1:2:3:4:5:6:7"),
    BYTES("1:2:3:4:5:6:7:8:9"),
    BYTES("::12345"),
    BYTES("::g"),
    BYTES("[::1]"),
    BYTES("fe80::1%eth0"),
    BYTES("::1\0"),
    BYTES("0" ZONE_FREE_MAX),
};

Test(ip, no_addresses)
{
    for (size_t i = 0; i < sizeof no_addresses / sizeof *no_addresses; i++) {
        struct http_address address = {.family = 6, .port = 7};
        cr_expect_not(ip_parse(no_addresses[i], &address), "%s", no_addresses[i].p);
        cr_expect(address.family == 6 && address.port == 7, "%s", no_addresses[i].p);
    }
}

Test(ip, unmapped_keeps_the_port)
{
    struct http_address mapped;
    cr_assert(ip_parse(SPAN("::ffff:192.0.2.1"), &mapped));
    mapped.port = 80;
    struct http_address plain = ip_unmapped(mapped);
    cr_expect_eq(plain.family, 4);
    cr_expect_eq(plain.port, 80);
    cr_expect_eq(plain.bytes[0], 192);
    cr_expect_eq(plain.bytes[4], 0);
}

static const struct {
    const char *network;
    const char *address;
    bool has;
} members[] = {
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.254/31", "192.0.2.255", true},
    {"192.0.2.254/31", "192.0.2.253", false},
    {"192.0.2.1/32", "192.0.2.1", true},
    {"192.0.2.1/32", "192.0.2.0", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "255.1.2.3", true},
    {"0.0.0.0/0", "::1", false},
    {"0.0.0.0/1", "127.255.255.255", true},
    {"0.0.0.0/1", "128.0.0.0", false},

    {"2001:db8::/32", "2001:db8:ffff::", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"::1", "::1", true},
    {"::1", "::2", false},
    {"::1/128", "::", false},
    {"fe80::/10", "febf:ffff::1", true},
    {"fe80::/10", "fec0::", false},
    {"::/0", "2001:db8::1", true},

    /* an IPv4-mapped address is one of IPv4 */
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "::ffff:11.1.2.3", false},
    {"::/0", "::ffff:10.1.2.3", false},
    {"::/0", "10.1.2.3", false},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.0.0.0", false},
    {"::ffff:0.0.0.0/96", "1.2.3.4", true},
    {"::ffff:192.0.2.1", "192.0.2.1", true},
};

Test(ip, members_of_networks)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct ip_network network;
        struct http_address address;
        const char *wrong = ip_network_parse(span_of(members[i].network), &network);
        cr_assert_null(wrong, "%s: %s", members[i].network, wrong);
        cr_assert(ip_parse(span_of(members[i].address), &address));
        cr_expect_eq(ip_network_has(&network, &address), members[i].has, "%s in %s",
                     members[i].address, members[i].network);
        cr_expect_not(ip_network_has(&network, &(struct http_address){0}), "%s has no address",
                      members[i].network);
    }
}

/* Every prefix of both families, each beside its boundary. Not 0xff, which ::/80 would be mapped
 * by. */
Test(ip, every_prefix)
{
    static const char *const starts[] = {"0.0.0.0", "::"};
    for (unsigned which = 0; which < 2; which++) {
        unsigned bits = which == 0 ? 32 : 128;
        for (unsigned prefix = 1; prefix <= bits; prefix++) {
            struct ip_network network;
            struct http_address address;
            char text[64];
            snprintf(text, sizeof text, "%s/%u", starts[which], prefix);
            cr_assert_null(ip_network_parse(span_of(text), &network));
            cr_assert(ip_parse(span_of(starts[which]), &address));
            unsigned last = prefix - 1;
            address.bytes[last / 8] = (uint8_t)(0x80 >> last % 8);
            cr_expect_not(ip_network_has(&network, &address), "%s: its last bit", text);
            address.bytes[last / 8] = (uint8_t)((0x80 >> last % 8) - 1);
            memset(address.bytes + last / 8 + 1, 0xfe, bits / 8 - last / 8 - 1);
            cr_expect(ip_network_has(&network, &address), "%s: bits behind it", text);
        }
    }
}

#define SHAPE "an IP network is an address, or an address, a slash and a number of bits"
#define BITS  "behind the slash stands a number of bits, up to 32 for IPv4, 128 for IPv6"
#define HOST  "the address has bits set behind the prefix"

static const struct {
    struct span text;
    const char *wrong;
} no_networks[] = {
    {BYTES(""), SHAPE},
    {BYTES("/"), SHAPE},
    {BYTES("/8"), SHAPE},
    {BYTES("10/8"), SHAPE},
    {BYTES("10.0.0.0 /8"), SHAPE},
    {BYTES("example.org/8"), SHAPE},
    {BYTES("[::1]/128"), SHAPE},
    {BYTES("10.0.0.0/"), BITS},
    {BYTES("10.0.0.0/33"), BITS},
    {BYTES("10.0.0.0/08"), BITS},
    {BYTES("10.0.0.0/00"), BITS},
    {BYTES("10.0.0.0/-1"), BITS},
    {BYTES("10.0.0.0/ 8"), BITS},
    {BYTES("10.0.0.0/8 "), BITS},
    {BYTES("10.0.0.0/8/8"), BITS},
    {BYTES("10.0.0.0/255.0.0.0"), BITS},
    {BYTES("10.0.0.0/18446744073709551624"), BITS},
    {BYTES("10.0.0.0/8\0"), BITS},
    {BYTES("::/129"), BITS},
    {BYTES("10.0.0.1/8"), HOST},
    {BYTES("10.128.0.0/8"), HOST},
    {BYTES("10.0.0.1/31"), HOST},
    {BYTES("10.0.0.1/0"), HOST},
    {BYTES("2001:db8::1/127"), HOST},
    {BYTES("2001:db8::/28"), HOST},
    {BYTES("::1/0"), HOST},
    {BYTES("::ffff:10.0.0.1/104"), HOST},
    {BYTES("::ffff:0:0/95"), HOST},
};

Test(ip, no_networks)
{
    for (size_t i = 0; i < sizeof no_networks / sizeof *no_networks; i++) {
        struct ip_network network;
        const char *wrong = ip_network_parse(no_networks[i].text, &network);
        cr_assert_not_null(wrong, "%s", no_networks[i].text.p);
        cr_expect_str_eq(wrong, no_networks[i].wrong, "%s: %s", no_networks[i].text.p, wrong);
    }
}
