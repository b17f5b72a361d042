/*
 * dial - where connections of the load go to, and which address they come from: one source address
 * after the other, so that the ports of none run out.
 */
#ifndef DROVER_LAB_DIAL_H
#define DROVER_LAB_DIAL_H

#include "os/net.h"

struct dial {
    const struct net_address *to; /* borrowed */
    unsigned sources;             /* 127.0.0.2 and on; 0: as the kernel chooses */
    unsigned next;                /* private: whose turn it is */
};

/* Source addresses are used if `to` is of the IPv4 loopback net; elsewhere there is but one. */
void dial_init(struct dial *dial, const struct net_address *to, unsigned sources);

/* A socket that is to be connected; flags: SOCK_NONBLOCK or 0. -1 with errno set. */
int dial_socket(struct dial *dial, int flags);

/* connect(2). -1 with errno set, EINPROGRESS of a non-blocking one too; may be called again after
 * EINTR, and goes on then. */
int dial_connect(const struct dial *dial, int fd);

/* The whole answer has come: closes at once and without TIME_WAIT (SO_LINGER, socket(7)), so that
 * thousands of connections a second leave nothing behind them. */
void dial_hang_up(int fd);

#endif
