/*
 * address - the text of a listening address.
 *
 *   HOST:PORT   a name or number of IPv4, or a name; every address that a name has
 *   [V6]:PORT   a number of IPv6
 *   :PORT       all addresses, IPv6 and IPv4
 *   unix:/path  a socket file
 *   unix:@name  an abstract socket (unix(7))
 *   fd:NAME     the inherited sockets of that name (sd_listen_fds(3)); which they are, and so their
 *               addresses, only the start tells
 *
 * followed by any of ",backlog=N", ",defer=yes" or ",defer=no", and ",proxy". Port 0: the kernel
 * chooses.
 */
#ifndef DROVER_CONFIG_ADDRESS_H
#define DROVER_CONFIG_ADDRESS_H

#include <stddef.h>

#include "os/net.h"

/*
 * Reads one text into `list`, which has room for `room` addresses. Returns how many it gave, 0
 * when it is wrong, and then why, and what is allowed, in `why`.
 */
size_t address_parse(const char *text, struct net_address *list, size_t room, char *why,
                     size_t why_size);

#endif
