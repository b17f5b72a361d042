/*
 * forwarded - the client's address behind proxies, by X-Forwarded-For.
 *
 * Each proxy appends the address that it was reached from. Whatever stands before what the
 * outermost trusted proxy appended, the client may have written itself, so the list is read from
 * its end and only as far as trust goes (RFC 7239, 8.1 tells of the same for Forwarded).
 */
#ifndef DROVER_HTTP_FORWARDED_H
#define DROVER_HTTP_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "http/ip.h"
#include "http/parse.h"

/* Networks that can be trusted at most. */
#define FORWARDED_NETWORKS_MAX 32

/* Whose word is taken. Zeroed: nobody's. */
struct forwarded_rules {
    bool trusts_unix; /* a peer without an address, on a unix socket */
    size_t count;
    struct ip_network networks[FORWARDED_NETWORKS_MAX];
};

/*
 * Starts with the peer of the connection, and as long as the address so far is trusted,
 * takes the element before it; all X-Forwarded-For lines are one list. An
 * element is an address with or without a port, "192.0.2.1:567", "2001:db8::1" or
 * "[2001:db8::1]:567". A malformed one, and so an empty one, ends the walk at the address before.
 *
 * Returns the address where the walk ended: the first one that is not trusted, or the last one
 * there is. A port that was not told is 0. An IPv4-mapped address is returned as IPv4.  */
struct http_address forwarded_client(const struct http_request *request,
                                     const struct http_address *peer,
                                     const struct forwarded_rules *rules);

#endif
