/*
 * store - what the service manager's store of descriptors is to hold: this server's own listening
 * sockets, under the names of their slots (sd_notify(3), FDSTORE=1). It gives them to the next
 * start, whatever became of this one, and clients wait in their queues meanwhile.
 *
 * What the manager has no room for is sent later; nothing here waits. Whether it keeps what it is
 * sent it does not say.
 */
#ifndef DROVER_MASTER_STORE_H
#define DROVER_MASTER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/notify.h"
#include "worker/doors.h"

struct store {
    const struct notify *notify; /* borrowed; NULL: there is no store */
    uint64_t room;               /* for so many descriptors, says the manager; 0: nothing */
    bool is_held;                /* another process is the main one: what this one sends would not
                                  * be believed, or undo what that has sent */
    bool is_stale;               /* it may hold sockets that are not served any more */
    int slots;                   /* of which it may hold some */
    int added, left;             /* messages: that add something, and of all that are still due */
};

/* As far as the manager has one. */
void store_open(struct store *store, const struct notify *notify);

/* Is there one? Then sockets outlive this server. */
bool store_is_open(const struct store *store);

/* Is there room for all that these doors have, as far as the manager has said? */
bool store_holds(const struct store *store, const struct doors *doors);

/* It is to hold what these doors have, but what is lent, and nothing else. */
void store_renew(struct store *store, const struct doors *doors);

/* To be called every turn: sends what is due. */
void store_tick(struct store *store, const struct doors *doors);

/* When it is to be called again at the latest, as `now`; CLOCK_NEVER. */
int64_t store_next(const struct store *store, int64_t now);

/* At the end: the slots from this one on are not served any more. From the last one down, so that
 * the kernel's order of the rest stays (see steer.h). */
void store_forget(const struct store *store, int slot);

#endif
