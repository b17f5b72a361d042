#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/proxy.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* The bytes stand alone on the heap, so that a sanitizer sees a read behind them. */
static int outcome(const char *bytes, size_t n, struct proxy_header *header)
{
    char *copy = malloc(n ? n : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes, n);
    int result = proxy_parse(copy, n, header);
    free(copy);
    return result;
}

/*
 * Feeds every prefix: all of them must be 0 until the outcome is known, which then stays. Returns
 * the first length that had an outcome, 0 if none had.
 */
static size_t feed(const char *name, struct span bytes, int *result)
{
    struct proxy_header header;
    size_t known = 0;
    *result = 0;
    for (size_t n = 0; n <= bytes.n; n++) {
        int now = outcome(bytes.p, n, &header);
        if (known == 0 && now != 0) {
            known = n;
            *result = now;
        }
        cr_assert_eq(now, *result, "%s: %d at %zu bytes, %d at %zu", name, *result, known, now, n);
    }
    return known;
}

/* "192.0.2.1:80", "2001:db8::1:80" or "none". */
static const char *text_of(const struct http_address *address, char out[64])
{
    char ip[IP_TEXT_SIZE];
    if (address->family == 0)
        return "none";
    ip_print(address, ip);
    snprintf(out, 64, "%s:%u", ip, (unsigned)address->port);
    return out;
}

static void check(const char *name, struct span bytes, bool is_local, const char *source,
                  const char *destination)
{
    struct proxy_header header;
    char text[64];
    int result;
    struct buf b = {0};
    memset(&header, 0xa5, sizeof header);
    buf_span(&b, bytes);
    buf_lit(&b, "GET / HTTP/1.1\r\n"); /* is left alone */
    size_t known = feed(name, (struct span){b.p, b.len}, &result);
    cr_expect_eq(known, bytes.n, "%s: known at %zu", name, known);
    cr_expect_eq(result, (int)bytes.n, "%s: %d", name, result);
    outcome(b.p, b.len, &header);
    cr_expect_eq(header.is_local, is_local, "%s", name);
    cr_expect_str_eq(text_of(&header.source, text), source, "%s: source %s", name, text);
    cr_expect_str_eq(text_of(&header.destination, text), destination, "%s: to %s", name, text);
    buf_free(&b);
}

static void check_bad(const char *name, struct span bytes)
{
    int result;
    size_t known = feed(name, bytes, &result);
    cr_expect_eq(result, -1, "%s: %d", name, result);
    cr_expect_eq(known, bytes.n, "%s: known at %zu of %zu", name, known, bytes.n);
}

#define V6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct {
    const char *line;
    const char *source;
    const char *destination;
} lines[] = {
    {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324", "198.51.100.2:443"},
    {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0", "255.255.255.255:65535"},
    {"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1:1", "::1:2"},
    {"PROXY TCP6 2001:DB8::A :: 1 2\r\n", "2001:db8::a:1", ":::2"},
    {"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1:1", "::1:2"},
    {"PROXY TCP6 " V6 " " V6 " 65535 65535\r\n", V6 ":65535", V6 ":65535"},
};

Test(proxy, lines)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check(lines[i].line, span_of(lines[i].line), false, lines[i].source, lines[i].destination);
}

static const struct span unknown[] = {
    BYTES("PROXY UNKNOWN\r\n"),
    BYTES("PROXY UNKNOWN \r\n"),
    BYTES("PROXY UNKNOWN " V6 " " V6 " 65535 65535\r\n"),
    BYTES("PROXY UNKNOWN what\tever\0it is \xff\r\n"),
};

Test(proxy, unknown_is_local)
{
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        check(unknown[i].p, unknown[i], true, "none", "none");
}

#define TCP4 "PROXY TCP4 1.2.3.4 5.6.7.8"

/* Each row ends with the byte that decides: one byte less, and nothing is known yet. */
static const struct span bad_lines[] = {
    BYTES("G"),
    BYTES("\0"),
    BYTES("\n"),
    BYTES("p"),
    BYTES("PROXX"),
    BYTES("PROXY\t"),
    BYTES("PROXY  "),
    BYTES("PROXY\r"),
    BYTES("PROXY \r"),
    BYTES("PROXY t"),
    BYTES("PROXY UD"),
    BYTES("PROXY TCP5"),
    BYTES("PROXY TCP "),
    BYTES("PROXY TCP44"),
    BYTES("PROXY TCP4  "),
    BYTES("PROXY TCP4\r"),
    BYTES("PROXY UNKNOWNX"),
    BYTES("PROXY UNKNOWN\n"),
    BYTES("PROXY UNKNOWN\t"),
    BYTES("PROXY UNKNOWN a\n"),
    BYTES("PROXY UNKNOWN a\rb"),
    BYTES("PROXY UNKNOWN\rb"),
    BYTES("PROXY TCP4 1.2.3.4  "),
    BYTES("PROXY TCP4 1.2.3.4\t"),
    BYTES("PROXY TCP4 1.2.3.4\r"),
    BYTES("PROXY TCP4 1.2.3.a"),
    BYTES("PROXY TCP4 :"),
    BYTES("PROXY TCP4 1.2.3 "),
    BYTES("PROXY TCP4 1.2.3.256 "),
    BYTES("PROXY TCP4 1.2.3.04 "),
    BYTES("PROXY TCP4 1.2.3.4 1.2.3 "),
    BYTES("PROXY TCP4 1.2.3.4\0"),
    BYTES("PROXY TCP6 1.2.3.4 "),
    BYTES("PROXY TCP6 :: 1.2.3.4 "),
    BYTES("PROXY TCP6 ::1::2 "),
    BYTES("PROXY TCP6 ["),
    BYTES("PROXY TCP6 ::g"),
    BYTES("PROXY TCP6 fe80::1%"),
    BYTES("PROXY TCP6 0000:0000:0000:0000:0000:0000:0000:0000:0000:0000 "),
    BYTES(TCP4 "\r"),
    BYTES(TCP4 "  "),
    BYTES(TCP4 " -"),
    BYTES(TCP4 " +"),
    BYTES(TCP4 " 01 "),
    BYTES(TCP4 " 00 "),
    BYTES(TCP4 " 65536 "),
    BYTES(TCP4 " 18446744073709551617 "),
    BYTES(TCP4 " 1x"),
    BYTES(TCP4 " 1\t"),
    BYTES(TCP4 " 1\r"),
    BYTES(TCP4 " 1 \r"),
    BYTES(TCP4 " 1 2 "),
    BYTES(TCP4 " 1 2\n"),
    BYTES(TCP4 " 1 65536\r"),
    BYTES(TCP4 " 1 02\r"),
    BYTES(TCP4 " 1 2\r\r"),
    BYTES(TCP4 " 1 2\rG"),
};

Test(proxy, the_first_wrong_byte_of_a_line_decides)
{
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++)
        check_bad(bad_lines[i].p, bad_lines[i]);
}

/* An UNKNOWN line of so many bytes with its CRLF. */
static struct buf long_line(size_t length)
{
    struct buf b = {0};
    buf_lit(&b, "PROXY UNKNOWN ");
    while (b.len < length - 2)
        buf_lit(&b, "x");
    buf_lit(&b, "\r\n");
    cr_assert_not(b.failed);
    return b;
}

Test(proxy, line_at_its_limit)
{
    int result;
    struct buf b = long_line(PROXY_LINE_MAX);
    check("the longest line", (struct span){b.p, b.len}, true, "none", "none");
    buf_free(&b);
    b = long_line(PROXY_LINE_MAX + 1);
    size_t known = feed("one byte more", (struct span){b.p, b.len}, &result);
    cr_expect_eq(result, -1);
    cr_expect_eq(known, PROXY_LINE_MAX, "as its LF has not come by then: %zu", known);
    buf_free(&b);
    b = long_line(1000);
    known = feed("endless", (struct span){b.p, b.len}, &result);
    cr_expect_eq(result, -1);
    cr_expect_eq(known, PROXY_LINE_MAX, "%zu", known);
    buf_free(&b);
}

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define LOCAL     SIGNATURE "\x20"
#define PROXY     SIGNATURE "\x21"
#define INET      "\x11"
#define INET6     "\x21"
#define UNIX      "\x31"
#define V4_BLOCK  "\xc0\0\2\1\xc6\x33\x64\2\xdc\4\1\xbb"
#define V6_BLOCK                             \
    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
    "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\xff\xff\0\0"
#define V4_SOURCE "192.0.2.1:56324"
#define V4_TARGET "198.51.100.2:443"
#define NAME_TLV  "\2\0\3abc"

static const struct {
    const char *name;
    struct span bytes;
    bool is_local;
    const char *source;
    const char *destination;
} binaries[] = {
    {"IPv4", BYTES(PROXY INET "\0\x0c" V4_BLOCK), false, V4_SOURCE, V4_TARGET},
    {"IPv6", BYTES(PROXY INET6 "\0\x24" V6_BLOCK), false, "2001:db8::1:65535", "2001:db8::2:0"},
    {"a TLV", BYTES(PROXY INET "\0\x12" V4_BLOCK NAME_TLV), false, V4_SOURCE, V4_TARGET},
    {"an empty TLV", BYTES(PROXY INET "\0\x0f" V4_BLOCK "\4\0\0"), false, V4_SOURCE, V4_TARGET},
    {"two TLVs", BYTES(PROXY INET "\0\x15" V4_BLOCK NAME_TLV "\4\0\0"), false, V4_SOURCE,
     V4_TARGET},
    {"a type that nobody knows", BYTES(PROXY INET "\0\x10" V4_BLOCK "\xff\0\1x"), false, V4_SOURCE,
     V4_TARGET},
    {"unspecified", BYTES(PROXY "\0\0\0"), true, "none", "none"},
    {"unspecified, with a block", BYTES(PROXY "\0\0\3xyz"), true, "none", "none"},
    {"datagrams of IPv4", BYTES(PROXY "\x12\0\x0c" V4_BLOCK), true, "none", "none"},
    {"datagrams of IPv6", BYTES(PROXY "\x22\0\x24" V6_BLOCK), true, "none", "none"},
    {"datagrams of unix sockets", BYTES(PROXY "\x32\0\0"), true, "none", "none"},
    {"LOCAL", BYTES(LOCAL "\0\0\0"), true, "none", "none"},
    {"LOCAL with addresses", BYTES(LOCAL INET "\0\x0c" V4_BLOCK), true, "none", "none"},
    {"LOCAL with a block that is too short", BYTES(LOCAL INET "\0\1x"), true, "none", "none"},
    {"LOCAL of an unknown family", BYTES(LOCAL "\xff\0\0"), true, "none", "none"},
};

Test(proxy, binaries)
{
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        check(binaries[i].name, binaries[i].bytes, binaries[i].is_local, binaries[i].source,
              binaries[i].destination);
}

static const struct {
    const char *name;
    struct span bytes;
} bad_binaries[] = {
    {"an empty line and a request", BYTES("\r\nG")},
    {"signature without its NUL", BYTES("\r\n\r\n\r")},
    {"signature that ends otherwise", BYTES("\r\n\r\n\0\r\nQUIT\r")},
    {"version 1", BYTES(SIGNATURE "\x11")},
    {"version 3", BYTES(SIGNATURE "\x31")},
    {"version 0", BYTES(SIGNATURE "\1")},
    {"an unknown command", BYTES(SIGNATURE "\x22")},
    {"the last command", BYTES(SIGNATURE "\x2f")},
    {"an unknown transport of IPv6", BYTES(PROXY "\x23")},
    {"an unknown transport of unix sockets", BYTES(PROXY "\x33")},
    {"family without transport", BYTES(PROXY "\x10")},
    {"transport without family", BYTES(PROXY "\1")},
    {"an unknown family", BYTES(PROXY "\x41")},
    {"an unknown transport", BYTES(PROXY "\x13")},
    {"no addresses", BYTES(PROXY INET "\0\0")},
    {"IPv4 addresses too short by one", BYTES(PROXY INET "\0\x0b")},
    {"IPv6 addresses too short by one", BYTES(PROXY INET6 "\0\x23")},
    {"IPv6 addresses as short as IPv4", BYTES(PROXY INET6 "\0\x0c")},
    {"unix addresses too short by one", BYTES(PROXY UNIX "\0\xd7")},
    {"longer than the bound by one", BYTES(PROXY INET "\x08\x01")},
    {"LOCAL longer than the bound by one", BYTES(LOCAL "\0\x08\x01")},
    {"longest that can be said", BYTES(PROXY INET "\xff\xff")},
    {"one byte behind a TLV", BYTES(PROXY INET "\0\x10" V4_BLOCK "\4\0\0")},
    {"two bytes behind a TLV", BYTES(PROXY INET "\0\x11" V4_BLOCK "\4\0\0")},
    {"TLV one byte too long", BYTES(PROXY INET "\0\x11" V4_BLOCK "\2\0\3")},
    {"TLV of the longest length", BYTES(PROXY INET "\0\x12" V4_BLOCK "\2\xff\xff")},
    {"second TLV one byte too long", BYTES(PROXY INET "\0\x15" V4_BLOCK NAME_TLV "\4\0\1")},
    {"sum too short", BYTES(PROXY INET "\0\x12" V4_BLOCK "\3\0\3")},
    {"sum too long", BYTES(PROXY INET "\0\x14" V4_BLOCK "\3\0\5")},
    {"two sums", BYTES(PROXY INET "\0\x1a" V4_BLOCK "\3\0\4xxxx\3\0\4")},
    {"wrong sum", BYTES(PROXY INET "\0\x13" V4_BLOCK "\3\0\4xxxx")},
    {"sum of zeros", BYTES(PROXY INET "\0\x13" V4_BLOCK "\3\0\4\0\0\0\0")},
};

Test(proxy, the_first_wrong_byte_of_a_binary_decides)
{
    for (size_t i = 0; i < sizeof bad_binaries / sizeof *bad_binaries; i++)
        check_bad(bad_binaries[i].name, bad_binaries[i].bytes);
}

static void add_header(struct buf *b, struct span start, size_t block)
{
    const char length[2] = {(char)(block >> 8), (char)block};
    buf_span(b, start);
    buf_add(b, length, sizeof length);
}

Test(proxy, a_unix_socket_has_no_address)
{
    struct buf b = {0};
    add_header(&b, (struct span)BYTES(PROXY UNIX), 216);
    for (int i = 0; i < 2; i++)
        buf_printf(&b, "%-108s", "/run/front.sock");
    check("unix", (struct span){b.p, b.len}, false, "none", "none");
    buf_free(&b);
}

/* An IPv4 header of so many bytes by one TLV. */
static struct buf long_binary(size_t length)
{
    struct buf b = {0};
    size_t n = length - 16 - 12 - 3;
    add_header(&b, (struct span)BYTES(PROXY INET), length - 16);
    buf_span(&b, (struct span)BYTES(V4_BLOCK));
    buf_printf(&b, "%c%c%c%*s", 4, (int)(n >> 8), (int)(n & 0xff), (int)n, "");
    cr_assert_eq(b.len, length);
    return b;
}

Test(proxy, binary_at_its_limit)
{
    int result;
    struct buf b = long_binary(PROXY_HEADER_MAX);
    check("the longest header", (struct span){b.p, b.len}, false, V4_SOURCE, V4_TARGET);
    buf_free(&b);
    b = long_binary(PROXY_HEADER_MAX + 1);
    size_t known = feed("one byte more", (struct span){b.p, b.len}, &result);
    cr_expect_eq(result, -1);
    cr_expect_eq(known, 16, "%zu", known);
    buf_free(&b);
}

/* Bit by bit, as RFC 9260, appendix A has it. */
static uint32_t crc32c(const char *p, size_t n)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < n * 8; i++) {
        uint32_t bit = ((unsigned char)p[i / 8] >> i % 8 & 1) ^ (crc & 1);
        crc = crc >> 1 ^ (bit ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* An IPv4 header with its sum between two other TLVs. Returns the sum's offset. */
static size_t summed(struct buf *b)
{
    add_header(b, (struct span)BYTES(PROXY INET), 12 + 6 + 7 + 3);
    buf_span(b, (struct span)BYTES(V4_BLOCK NAME_TLV "\3\0\4\0\0\0\0\4\0\0"));
    size_t at = 16 + 12 + 6 + 3;
    uint32_t crc = crc32c(b->p, b->len);
    for (size_t i = 0; i < 4; i++)
        b->p[at + i] = (char)(crc >> (24 - 8 * i));
    return at;
}

Test(proxy, a_right_sum)
{
    struct buf b = {0};
    cr_assert_eq(crc32c("123456789", 9), 0xe3069283, "the check value that catalogues give");
    summed(&b);
    check("with a sum", (struct span){b.p, b.len}, false, V4_SOURCE, V4_TARGET);
    buf_free(&b);
}

/* Any bit of the addresses, the sum and the TLVs' values that is turned is noticed. */
Test(proxy, a_wrong_sum)
{
    struct buf b = {0};
    size_t at = summed(&b);
    size_t n = b.len - 3;
    for (size_t bit = 16 * 8; bit < n * 8; bit++) {
        struct proxy_header header;
        size_t byte = bit / 8;
        if ((byte >= 28 && byte < 31) || (byte >= at - 3 && byte < at))
            continue; /* the start of a TLV: malformed anyway */
        b.p[byte] = (char)(b.p[byte] ^ 1 << bit % 8);
        cr_expect_eq(outcome(b.p, b.len - 1, &header), 0, "not before all has come");
        cr_expect_eq(outcome(b.p, b.len, &header), -1, "bit %zu", bit);
        b.p[byte] = (char)(b.p[byte] ^ 1 << bit % 8);
    }
    buf_free(&b);
}
