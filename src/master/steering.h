/*
 * steering - new connections go to the slots that serve, and past those that do not, where the
 * kernel lets us: by a program on the reuseport group of each address. While all serve there is
 * none, and the kernel's own hash spreads them.
 */
#ifndef DROVER_MASTER_STEERING_H
#define DROVER_MASTER_STEERING_H

#include "master/state.h"

/* After any change of the present plan or its doors. Does nothing before the server was announced,
 * nor while it stops. */
void steering_update(struct master *m);

/* Before slots are added: their sockets get nothing until they serve. */
void steering_pin(struct master *m);

/* Whatever another process has set is gone, and what is right is set. */
void steering_renew(struct master *m);

#endif
