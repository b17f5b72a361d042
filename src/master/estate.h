/*
 * estate - the sockets that a server is started with, by address and slot, and told apart by their
 * names (sd_listen_fds(3)), never by their order:
 *
 *   slotN, shared              this server's own: from the service manager's store of descriptors,
 *                              or from the master before it
 *   slotN@NAME, shared@NAME    lent ones, from the master before it
 *   outN, inN                  the ends of a slot's inbox, from the same
 *   upgrade, pidfile, control  the channel to the same, and what it holds
 *   admin, adminout, adminin   from the same: where its admin process listens, and the ends of that
 *                              one's inbox; without the channel `admin` is as any other
 *   any other                  lent by the service manager (systemd.socket(5)): several of one
 *                              address are its slots', a single one is shared by all workers
 */
#ifndef DROVER_MASTER_ESTATE_H
#define DROVER_MASTER_ESTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "os/inherit.h"
#include "os/net.h"
#include "worker/doors.h"

#define ESTATE_UPGRADE   "upgrade"
#define ESTATE_PIDFILE   "pidfile"
#define ESTATE_CONTROL   "control"
#define ESTATE_ADMIN     "admin"
#define ESTATE_ADMIN_OUT "adminout"
#define ESTATE_ADMIN_IN  "adminin"
#define ESTATE_SHARED    "shared"
#define ESTATE_SLOT      "slot"
#define ESTATE_OUT       "out"
#define ESTATE_IN        "in"

/* The longest name that is given here, with its NUL: "shared", "slot255", '@' and a name. */
#define ESTATE_NAME_SIZE (sizeof "slot255@" + NET_NAME_SIZE)

/* Sockets and their addresses. */
struct holding {
    struct doors doors;
    struct net_address addresses[ADDRESSES_MAX];
};

/* The descriptors are owned; -1: there is none. */
struct estate {
    struct holding own;
    struct holding lent;
    struct holding admin;
    bool is_upgrade;
    int channel; /* to the master before it */
    int pidfile;
    int control;
};

/* Takes what was inherited, and closes what is of no use here, with a line in the log. */
void estate_take(struct estate *estate, const struct inherit *inherit);

/* Nothing in it. */
void estate_init(struct estate *estate);

/* Writes the name of a slot's or, with -1, the shared socket; `lent` is its name, or "". */
void estate_name(char name[ESTATE_NAME_SIZE], int slot, const char *lent);

#endif
