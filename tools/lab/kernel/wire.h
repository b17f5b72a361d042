/*
 * wire - what lies between a client and the workers: the loopback device, or a veth pair (veth(4))
 * between two network namespaces of the lab's own, one for the listeners and one for the client
 * (network_namespaces(7)). The packets of the pair take the whole way through both stacks.
 *
 * The namespaces have no name and no process: they are gone, and the pair with them, when the last
 * descriptor of them and the last socket in them are.
 */
#ifndef DROVER_LAB_KERNEL_WIRE_H
#define DROVER_LAB_KERNEL_WIRE_H

#include "lab/trial/settings.h"
#include "os/net.h"

struct wire_link {
    int home;   /* owned, as the next two; -1, all three, on loopback */
    int server; /* the namespace where the listeners are to be */
    int client; /* and the client's: its plan's netns */
};

/*
 * Makes it. wire_close() is due in either case. Returns 0, and then packets pass in both directions
 * at once, or -1 with errno set and the reason in words in *why, static: it needs CAP_SYS_ADMIN and
 * CAP_NET_ADMIN, and a kernel with veth. ETIMEDOUT: made, but not up in 5 s.
 */
int wire_open(struct wire_link *link, enum wire wire, const char **why);
void wire_close(struct wire_link *link);

/* Where to listen; the port is open. Backlog and the like are the caller's. */
void wire_address(const struct wire_link *link, struct net_address *address);

/*
 * A socket belongs for good to the namespace in which it was made (accepted ones to their
 * listener's), so only who makes listeners need be there, and only for that moment: this thread is
 * in the server's namespace between these two calls. Nothing on loopback. -1 with errno set.
 */
int wire_enter(const struct wire_link *link);
int wire_leave(const struct wire_link *link);

#endif
