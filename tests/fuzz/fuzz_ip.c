/* Addresses and networks. The input is the text of a network. Verdicts: good, bad. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/ip.h"

static bool same_address(const struct http_address *a, const struct http_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool parse_address(struct span text, struct http_address *address)
{
    char *copy = fuzz_copy(text);
    bool good = ip_parse((struct span){.p = copy, .n = text.n}, address);
    free(copy);
    return good;
}

static const char *parse_network(struct span text, struct ip_network *network)
{
    char *copy = fuzz_copy(text);
    const char *why = ip_network_parse((struct span){.p = copy, .n = text.n}, network);
    free(copy);
    return why;
}

/* What is printed is read as the same address, and printed the same way. */
static void check_print(const struct http_address *address)
{
    char *text = fuzz_room(IP_TEXT_SIZE);
    struct http_address again;
    struct http_address plain = ip_unmapped(*address);
    size_t n = ip_print(address, text);
    FUZZ_CHECK(n == strlen(text) && n > 0 && n < IP_TEXT_SIZE, "%zu bytes of text", n);
    FUZZ_CHECK(parse_address(span_of(text), &again), "%s is refused", text);
    FUZZ_CHECK(same_address(&again, &plain), "%s is another address", text);
    free(text);
}

/* An address alone is a network of one. */
static void check_address(const struct http_address *address, const char *why)
{
    FUZZ_CHECK(address->family == 4 || address->family == 6, "family %d", address->family);
    FUZZ_CHECK(address->port == 0, "port %d", address->port);
    FUZZ_CHECK(!why, "an address, but no network: %s", why);
    check_print(address);
}

static void check_bits(const struct ip_network *network)
{
    unsigned bits = network->address.family == 4 ? 32 : 128;
    FUZZ_CHECK(network->prefix <= bits, "prefix %u", network->prefix);
    for (unsigned bit = 0; bit < bits; bit++) {
        struct http_address other = network->address;
        other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        if (ip_unmapped(other).family != network->address.family)
            continue; /* it has become another's */
        FUZZ_CHECK(ip_network_has(network, &other) == (bit >= network->prefix),
                   "bit %u of prefix %u", bit, network->prefix);
    }
}

static void check_network(const struct ip_network *network)
{
    char address[IP_TEXT_SIZE];
    struct buf text = {0};
    struct ip_network again;
    ip_print(&network->address, address);
    buf_printf(&text, "%s/%u", address, network->prefix);
    FUZZ_CHECK(ip_network_has(network, &network->address), "it does not have its own address");
    FUZZ_CHECK(!parse_network(fuzz_bytes(&text), &again), "%s/%u is refused", address,
               network->prefix);
    FUZZ_CHECK(same_address(&again.address, &network->address) && again.prefix == network->prefix,
               "%s/%u is another network", address, network->prefix);
    buf_free(&text);
}

const char *fuzz_one(struct span input)
{
    struct http_address address;
    struct ip_network network;
    const char *why = parse_network(input, &network);
    FUZZ_CHECK(!why || *why, "no reason given");
    if (parse_address(input, &address))
        check_address(&address, why);
    if (!why) {
        check_network(&network);
        check_bits(&network);
    }
    return why ? "bad" : "good";
}
