/*
 * slots - opens the doors of the slots: one reuseport socket a slot and address, and an inbox.
 *
 * A listening socket is never closed while the server runs and its address is served: what is half
 * open or queued at it would be reset.
 *
 * Where a slot cannot have a socket of its own, since the group is another user's or lent, it
 * shares that of a slot before it: both have it in epoll, level-triggered, and so does who adopts
 * either.
 */
#ifndef DROVER_MASTER_SLOTS_H
#define DROVER_MASTER_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "os/net.h"
#include "worker/doors.h"

/*
 * Opens what is not open yet of the doors of `slot_count` slots for these addresses; what was
 * carried over stays as it is. Port 0 is replaced in `addresses` by what the kernel chose. Returns
 * 0, or the status to exit with, and in `why` which address it was, what is wrong with it, and who
 * holds it if that can be known; nothing that was opened stays open then. `option`: that the
 * addresses are of, without its dashes.
 */
int slots_open_for(const char *option, struct doors *doors, struct net_address *addresses,
                   int address_count, int slot_count, char *why, size_t why_size);

static inline int slots_open(struct doors *doors, struct net_address *addresses, int address_count,
                             int slot_count, char *why, size_t why_size)
{
    return slots_open_for("listen", doors, addresses, address_count, slot_count, why, why_size);
}

/*
 * Takes what these doors have for the addresses that are among `have` over into others, which are
 * empty: both hold the same sockets from then on. The addresses get the ports that are bound.
 */
void slots_carry(struct doors *doors, struct net_address *addresses, int address_count,
                 const struct doors *from, const struct net_address *have);

/* The same for what is not open yet, from sockets that stay somebody else's: slots_close() leaves
 * them as they are. */
void slots_borrow(struct doors *doors, struct net_address *addresses, int address_count,
                  const struct doors *from, const struct net_address *have);

/* Sockets that were carried over get the backlog and `defer` that their addresses have now, once
 * those who had them before are to have them no longer. Returns 0, or -1 with errno set, and as
 * much done as could be. */
int slots_renew(const struct doors *doors, const struct net_address *addresses);

/* Opens the doors of one more slot. Returns 0, or -1 with errno set and nothing changed. */
int slots_add(struct doors *doors, const struct net_address *addresses);

/* The sockets of a slot's own, in the order of the addresses, and both ends of its inbox. Returns
 * how many. */
size_t slots_own(const struct doors *doors, int slot, int fds[ADDRESSES_MAX + INBOX_ENDS]);

/* Closes those that the others, which may be NULL, do not have, and removes the files of such unix
 * sockets. No doors are left. */
void slots_close(struct doors *doors, const struct net_address *addresses,
                 const struct doors *others);

/* Closes the same, and nothing else: for another process than the master. */
void slots_drop(struct doors *doors, const struct doors *others);

/* The same for a process that never looks at these doors again: they stay as they are, so that it
 * gets no copy of the pages that it shares with the master. */
void slots_leave(const struct doors *doors, const struct doors *others);

/* Which addresses the others do not have, a bit each. */
uint32_t slots_lost(const struct doors *doors, const struct doors *others);

#endif
