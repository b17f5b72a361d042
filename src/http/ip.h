/*
 * ip - IP addresses and networks as bytes and as text, without a socket near.
 *
 * An IPv4-mapped IPv6 address, ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2), is how a socket for both
 * shows a client of IPv4; text and networks take it for the IPv4 address that it is.
 */
#ifndef DROVER_HTTP_IP_H
#define DROVER_HTTP_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Zeroed: no address, as of a peer on a unix socket. */
struct http_address {
    uint8_t family;    /* 4, 6, or 0 for none */
    uint8_t bytes[16]; /* in network order; the first 4 alone for IPv4 */
    uint16_t port;     /* in host order; 0: not known */
};

/* Bytes of the longest text of an address, with its NUL. */
#define IP_TEXT_SIZE 46

/* Writes the address without its port as inet_ntop(3) has it, "192.0.2.1" or "2001:db8::1", and a
 * NUL. No address is "". Returns the length. */
size_t ip_print(const struct http_address *address, char text[IP_TEXT_SIZE]);

/*
 * Reads an address that is the whole text: four decimal numbers without leading zeros, or
 * RFC 4291, 2.2 without brackets or a zone. The port is 0.
 * Returns false, and leaves *address alone, on anything else.
 */
bool ip_parse(struct span text, struct http_address *address);

/* The IPv4 address in an IPv4-mapped one; any other as it is. The port is kept. */
struct http_address ip_unmapped(struct http_address address);

/* A network's bits behind the prefix are 0. */
struct ip_network {
    struct http_address address; /* IPv4 for one of IPv4-mapped addresses alone */
    unsigned prefix;             /* bits: 0 to 32, or to 128 */
};

/*
 * Reads "10.0.0.0/8", "2001:db8::/32", or an address alone for a network of one.
 * Returns NULL, or what is wrong: a static string to stand behind the text and a colon. *network
 * is undefined then.
 */
const char *ip_network_parse(struct span text, struct ip_network *network);

/* Is the address in the network? An IPv4 address, mapped or not, never is in one of IPv6. */
bool ip_network_has(const struct ip_network *network, const struct http_address *address);

#endif
