#include "http/ip.h"

#include <arpa/inet.h> /* inet_ntop(3) and inet_pton(3) alone: text and bytes, no socket is near */
#include <string.h>

_Static_assert(IP_TEXT_SIZE >= INET6_ADDRSTRLEN, "the longest text fits");

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* Bits that the mapped addresses have in common. */
#define MAPPED_PREFIX (8 * (unsigned)sizeof mapped)

static unsigned bits_of(const struct http_address *address)
{
    return address->family == 4 ? 32 : 128;
}

struct http_address ip_unmapped(struct http_address address)
{
    if (address.family != 6 || memcmp(address.bytes, mapped, sizeof mapped) != 0)
        return address;
    struct http_address v4 = {.family = 4, .port = address.port};
    memcpy(v4.bytes, address.bytes + sizeof mapped, 4);
    return v4;
}

size_t ip_print(const struct http_address *address, char text[IP_TEXT_SIZE])
{
    struct http_address plain = ip_unmapped(*address);
    text[0] = '\0';
    if (plain.family != 0)
        inet_ntop(plain.family == 4 ? AF_INET : AF_INET6, plain.bytes, text, IP_TEXT_SIZE);
    return strlen(text);
}

bool ip_parse(struct span text, struct http_address *address)
{
    struct http_address found = {0};
    char copy[IP_TEXT_SIZE];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    bool is_v6 = strchr(copy, ':');
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, copy, found.bytes) != 1)
        return false;
    found.family = is_v6 ? 6 : 4;
    *address = found;
    return true;
}

/* Are the first bits of both the same? */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

static bool is_zero_behind(const struct http_address *address, unsigned bits)
{
    struct http_address masked = {0};
    unsigned whole = bits / 8;
    memcpy(masked.bytes, address->bytes, whole);
    if (bits % 8 != 0)
        masked.bytes[whole] = (uint8_t)(address->bytes[whole] & 0xff00 >> bits % 8);
    return memcmp(masked.bytes, address->bytes, sizeof masked.bytes) == 0;
}

static bool read_prefix(struct span text, unsigned bits, unsigned *prefix)
{
    uint64_t value;
    if (!span_to_u64(text, &value) || value > bits || (text.n > 1 && *text.p == '0'))
        return false;
    *prefix = (unsigned)value;
    return true;
}

/* A network of mapped addresses alone is one of IPv4. */
static void unmap_network(struct ip_network *network)
{
    struct http_address plain = ip_unmapped(network->address);
    if (plain.family == network->address.family || network->prefix < MAPPED_PREFIX)
        return;
    network->address = plain;
    network->prefix -= MAPPED_PREFIX;
}

const char *ip_network_parse(struct span text, struct ip_network *network)
{
    const char *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
    struct span address = {.p = text.p, .n = slash ? (size_t)(slash - text.p) : text.n};
    if (!ip_parse(address, &network->address))
        return "an IP network is an address, or an address, a slash and a number of bits";
    network->prefix = bits_of(&network->address);
    if (slash) {
        struct span digits = {.p = slash + 1, .n = text.n - address.n - 1};
        if (!read_prefix(digits, network->prefix, &network->prefix))
            return "behind the slash stands a number of bits, up to 32 for IPv4, 128 for IPv6";
        if (!is_zero_behind(&network->address, network->prefix))
            return "the address has bits set behind the prefix";
    }
    unmap_network(network);
    return NULL;
}

bool ip_network_has(const struct ip_network *network, const struct http_address *address)
{
    struct http_address plain = ip_unmapped(*address);
    return plain.family == network->address.family &&
           same_prefix(plain.bytes, network->address.bytes, network->prefix);
}
