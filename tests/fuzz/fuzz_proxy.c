/* The PROXY protocol's header. The input is what a proxy sends. Verdicts: good, bad, more. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/proxy.h"

/* Bytes up to which every prefix is tried; of what is longer, as many are. */
#define PREFIXES 300

static int parse(struct span bytes, struct proxy_header *header)
{
    char *copy = fuzz_copy(bytes);
    int result = proxy_parse(copy, bytes.n, header);
    free(copy);
    return result;
}

/* What is known of a prefix is known of all that is longer: nothing, then the outcome. */
static void check_prefixes(struct span input, int whole)
{
    struct proxy_header header;
    size_t step = input.n / PREFIXES + 1;
    bool known = false;
    for (size_t n = 0; n < input.n; n += step) {
        int result = parse((struct span){.p = input.p, .n = n}, &header);
        known |= result != 0;
        FUZZ_CHECK(result == (known ? whole : 0), "%d for %zu bytes, but %d for all %zu", result, n,
                   whole, input.n);
        FUZZ_CHECK(whole <= 0 || known == (n >= (size_t)whole),
                   "a header of %d bytes had the outcome %d at %zu", whole, result, n);
    }
    if (whole > 1)
        FUZZ_CHECK(parse((struct span){.p = input.p, .n = (size_t)whole - 1}, &header) == 0,
                   "whole without its last byte");
}

static bool same_address(const struct http_address *a, const struct http_address *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void check_header(const struct proxy_header *header)
{
    const struct http_address none = {0};
    FUZZ_CHECK(header->source.family == header->destination.family, "two families");
    FUZZ_CHECK(!header->is_local || (same_address(&header->source, &none) &&
                                     same_address(&header->destination, &none)),
               "a local connection has addresses");
}

static void check_printed(const struct buf *text, const struct proxy_header *header)
{
    struct proxy_header again;
    struct span bytes = fuzz_bytes(text);
    int result = parse(bytes, &again);
    FUZZ_CHECK(result == (int)bytes.n, "%d for %s, %zu bytes", result, fuzz_show(bytes), bytes.n);
    FUZZ_CHECK(again.is_local == header->is_local, "is_local");
    FUZZ_CHECK(same_address(&again.source, &header->source), "source in %s", fuzz_show(bytes));
    FUZZ_CHECK(same_address(&again.destination, &header->destination), "destination in %s",
               fuzz_show(bytes));
}

/* Version 1 has no unix sockets. */
static void check_line(const struct proxy_header *header)
{
    char source[INET6_ADDRSTRLEN];
    char destination[INET6_ADDRSTRLEN];
    struct buf text = {0};
    int family = header->source.family == 4 ? AF_INET : AF_INET6;
    if (header->is_local) {
        buf_lit(&text, "PROXY UNKNOWN\r\n");
    } else if (header->source.family != 0) {
        inet_ntop(family, header->source.bytes, source, sizeof source);
        inet_ntop(family, header->destination.bytes, destination, sizeof destination);
        buf_printf(&text, "PROXY TCP%d %s %s %d %d\r\n", header->source.family, source, destination,
                   header->source.port, header->destination.port);
    }
    if (text.len > 0)
        check_printed(&text, header);
    buf_free(&text);
}

/* A bit at a time, as RFC 9260 has it. */
static uint32_t crc32c(struct span bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= (unsigned char)bytes.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void put_u16(struct buf *out, unsigned value)
{
    buf_add(out, (char[]){(char)(value >> 8), (char)value}, 2);
}

static void put_address(struct buf *out, const struct http_address *address)
{
    if (address->family == 0) /* of a unix socket: not looked at */
        buf_add(out, (char[108]){"/run/a"}, 108);
    else
        buf_add(out, address->bytes, address->family == 4 ? 4 : 16);
}

static void print_binary(struct buf *out, const struct proxy_header *header)
{
    static const unsigned sizes[] = {[0] = 216, [4] = 12, [6] = 36};
    static const char forms[] = {[0] = 0x31, [4] = 0x11, [6] = 0x21};
    unsigned family = header->source.family;
    buf_lit(out, "\r\n\r\n\0\r\nQUIT\n");
    buf_add(out, (char[]){header->is_local ? 0x20 : 0x21, header->is_local ? 0 : forms[family]}, 2);
    put_u16(out, sizes[family] + 7);
    put_address(out, &header->source);
    put_address(out, &header->destination);
    if (family != 0) {
        put_u16(out, header->source.port);
        put_u16(out, header->destination.port);
    }
    buf_lit(out, "\x03\0\x04\0\0\0\0"); /* the TLV of the sum */
}

/* Version 2 with a sum, which is of the header with zeros for it. */
static void check_binary(const struct proxy_header *header)
{
    struct proxy_header again;
    struct buf text = {0};
    print_binary(&text, header);
    uint32_t crc = htonl(crc32c(fuzz_bytes(&text)));
    memcpy(text.p + text.len - sizeof crc, &crc, sizeof crc);
    check_printed(&text, header);
    text.p[text.len - 1] ^= 1;
    FUZZ_CHECK(header->is_local || parse(fuzz_bytes(&text), &again) == -1, "a wrong sum is taken");
    buf_free(&text);
}

const char *fuzz_one(struct span input)
{
    struct proxy_header header;
    int result = parse(input, &header);
    FUZZ_CHECK(result >= -1 && result <= (int)input.n, "%d of %zu bytes", result, input.n);
    FUZZ_CHECK(result <= PROXY_HEADER_MAX, "%d bytes", result);
    check_prefixes(input, result);
    if (result > 0) {
        check_header(&header);
        check_line(&header);
        check_binary(&header);
    }
    return result > 0 ? "good" : result < 0 ? "bad" : "more";
}
