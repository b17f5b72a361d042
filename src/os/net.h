/*
 * net - listening sockets.
 *
 * An address is bound by its first socket without SO_REUSEPORT, so that a second server of the
 * same user cannot join in silence and take half of the clients. The option is set once that socket
 * listens, and not before: of two servers that have bound an address at the same moment, which
 * SO_REUSEADDR allows, one is refused by listen(2). Further sockets join then.
 */
#ifndef DROVER_OS_NET_H
#define DROVER_OS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The longest name of an inherited descriptor, with its NUL (sd_listen_fds(3)). */
#define NET_NAME_SIZE 256

/* The longest text of an address, with its NUL: "fd:" and a name; a path is shorter. */
#define NET_TEXT_SIZE (sizeof "fd:" + NET_NAME_SIZE)

struct net_address {
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
        struct sockaddr_un un;
    };
    socklen_t length;
    int backlog;   /* 0: as it is */
    bool defer;    /* wait for the client's first bytes: TCP_DEFER_ACCEPT, tcp(7) */
    bool proxy;    /* a PROXY header comes first on every connection; for whoever reads it */
    bool dual;     /* [::] that takes IPv4 clients too */
    bool any_port; /* port 0 was asked for; it stays true when the kernel has chosen one */
    /* Of a socket that was lent by whoever started this program, who listens there before and after
     * it: the name that it was given. "": it is bound here. Without a length it is a name alone. */
    char name[NET_NAME_SIZE];
};

/* Is it somebody else's socket, which is never shut, filtered or removed here? */
bool net_is_lent(const struct net_address *address);

/* Is it the name of an inherited socket, whose address is not known yet? */
bool net_is_name(const struct net_address *address);

/* Unix sockets cannot be a reuseport group: all workers share one socket. */
bool net_is_shared(const struct net_address *address);

/*
 * Makes the first socket of an address, bound but not yet listening, non-blocking and
 * close-on-exec. A dual address falls back to 0.0.0.0, in *address too, where the kernel has no
 * IPv6. A socket file that no server listens at any more is removed. Port 0 is replaced in
 * *address by the port that the kernel chose. Returns the descriptor, or -1 with errno set:
 * EADDRINUSE also when a server of the same user holds the address.
 */
int net_bind(struct net_address *address);

/* [::] for both families becomes 0.0.0.0, at the same port. */
void net_fall_back(struct net_address *address);

/* Makes a further socket of an address that net_bind() has bound. -1 with errno set on failure. */
int net_join(const struct net_address *address);

/*
 * Starts to listen; others may join from then on. `defer_seconds`: how long TCP_DEFER_ACCEPT waits
 * for a client's bytes. -1 with errno set, EADDRINUSE when another was faster.
 */
int net_listen(int fd, const struct net_address *address, int defer_seconds);

/* Gives a socket that listens the backlog and the TCP_DEFER_ACCEPT of this address, and all that
 * accepted sockets inherit; its queue stays. Returns 0, or -1 with errno set. */
int net_renew(int fd, const struct net_address *address, int defer_seconds);

/*
 * Learns a listener's address from the listener itself: one that was inherited. `proxy` is nothing
 * that a socket knows, and the backlog of a unix one neither (0).
 * Returns 0, or -1 with errno set and *address untouched: ENOTSOCK, EPROTOTYPE for what is no
 * stream, EINVAL for what does not listen, EAFNOSUPPORT for another family.
 */
int net_of_listener(int fd, struct net_address *address);

/* Is it open, a stream socket, and none that listens? */
bool net_is_connection(int fd);

/* Is it one place to listen at? The options, but for `dual`, are not compared. */
bool net_is_same(const struct net_address *a, const struct net_address *b);

/* The accept queue of a listener. */
struct net_queue {
    unsigned queued; /* connections that wait; it is full when there is one more than `limit` */
    unsigned limit;  /* the backlog, as far as net.core.somaxconn allows it; 0: not known */
    uint64_t drops;  /* packets that were turned away since it listens; modulo 2 to the 32nd */
};

/*
 * Asks the kernel, in two calls that wait for nothing. Of a unix socket it says no more than
 * whether somebody waits: `queued` is 0 or 1 then, and the others 0. A client for whose first bytes
 * TCP_DEFER_ACCEPT waits is not in the queue.
 * Returns 0, or -1 with errno set: EINVAL when a TCP socket does not listen.
 */
int net_queue(int fd, struct net_queue *queue);

/* Port 0 is "any". Unix addresses have none. */
void net_set_port(struct net_address *address, uint16_t port);

/*
 * From here on a listening TCP socket lets in whoever has begun, and drops who begins, without a
 * word: such a client tries again after a second, by when the socket is closed or another's. The
 * filter (SO_ATTACH_FILTER) belongs to the socket and not to the process, so whoever takes sockets
 * over calls net_admit_new() first; accepted sockets inherit it, where it does nothing. The dropped
 * ones count among net_queue()'s drops.
 * Returns 0, or -1 with errno set: EPERM where it is not permitted, which Linux 6.18 asks
 * CAP_NET_ADMIN for and older ones mostly nothing; EOPNOTSUPP for what is not TCP.
 */
int net_drop_new(int fd);

/* Takes the filter away again, without privilege; none is a success. -1 with errno set on failure.
 */
int net_admit_new(int fd);

/* False: the socket file of this unix address is gone, and nobody can connect to who listens there.
 */
bool net_is_reachable(const struct net_address *address);

/* Removes the socket file of a unix address; nothing for the others. */
void net_unlink(const struct net_address *address);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name", of a name alone "fd:NAME". The zone of a
 * link-local address is its number, as in "[fe80::1%2]:80". */
void net_text(const struct net_address *address, char text[NET_TEXT_SIZE]);

/*
 * Which process listens at this TCP port or unix address, as far as /proc lets this user see.
 * Returns its pid, and what it runs in `name`; 0 if it cannot be known.
 */
pid_t net_holder(const struct net_address *address, char *name, size_t size);

#endif
