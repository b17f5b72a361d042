/*
 * target - where the clients connect to, and from.
 */
#ifndef DROVER_LOAD_TARGET_H
#define DROVER_LOAD_TARGET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "load/url.h"

union address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

struct target {
    union address address;
    socklen_t length;
    unsigned sources; /* that many addresses from 127.0.0.1 on; 0: the kernel's choice, and once
                         that has no port left, one after the other from 127.0.0.2 on */
    unsigned shift;   /* how often the next one was taken */
};

/*
 * Resolves the URL's host. Of several addresses the first IPv4 one is taken, else the first.
 * Returns NULL, or in words why it could not be done; static.
 */
const char *target_resolve(struct target *target, const struct url *url);

/* A unix socket's path, or @name for an abstract one. Returns as target_resolve() does. */
const char *target_unix(struct target *target, const char *path);

/*
 * Spreads the clients over n source addresses. Returns as target_resolve() does; only an IPv4
 * loopback target can be asked from other loopback addresses.
 */
const char *target_spread(struct target *target, unsigned n);

/*
 * The present source has no port left: goes on to the next one, for all clients. Returns false
 * where there is none to choose. The one that was left has ports again a minute later at most,
 * when its connections have gone out of TIME_WAIT, so it goes round and round.
 */
bool target_next_source(struct target *target);

/* Source addresses that have been in use. */
unsigned target_source_count(const struct target *target);

/*
 * A new non-blocking socket, bound to source address number `id` modulo the sources. Returns -1
 * and sets errno. A port is chosen only by connect(2), so one port serves many sources.
 */
int target_socket(const struct target *target, unsigned id);

/* connect(2) without waiting: 0 also when it is still under way, -1 with errno. */
int target_connect(const struct target *target, int fd);

#endif
