/*
 * dial - where connections of the load go to, and which address they come from: one source address
 * after the other, so that the ports of none run out.
 */
#ifndef DROVER_LAB_CLIENT_DIAL_H
#define DROVER_LAB_CLIENT_DIAL_H

#include "os/net.h"

struct dial {
    const struct net_address *to; /* borrowed */
    unsigned sources;             /* 127.0.0.2 and on; 0: as the kernel chooses */

    /* private */
    unsigned next; /* the source whose turn it is */
    int spare;     /* a socket that was connected before; -1: none */
};

/* Source addresses are used if `to` is of the IPv4 loopback net; elsewhere there is but one. */
void dial_init(struct dial *dial, const struct net_address *to, unsigned sources);

/* A socket that is to be connected; flags: SOCK_NONBLOCK or 0. -1 with errno set. */
int dial_socket(struct dial *dial, int flags);

/* connect(2). -1 with errno set, EINPROGRESS of a non-blocking one too; may be called again after
 * EINTR, and goes on then. */
int dial_connect(const struct dial *dial, int fd);

/*
 * For one connection at a time there is a cheaper way than a new socket for each, whose descriptor
 * and inode cost a client a fifth of a connection (Linux 6.18, loopback, a greeting: 9.8 us with a
 * new one each, 7.9 us with one that is connected again and again). dial_take() returns the one
 * that was put back, or a new one, in blocking mode; -1 with errno set. dial_put_back() ends its
 * connection as dial_hang_up() does, and keeps the socket (connect(2), AF_UNSPEC); its next
 * connection has another port.
 */
int dial_take(struct dial *dial);
void dial_put_back(struct dial *dial, int fd);

/* The whole answer has come: closes at once and without TIME_WAIT (SO_LINGER, socket(7)), so that
 * thousands of connections a second leave nothing behind them. */
void dial_hang_up(int fd);

#endif
