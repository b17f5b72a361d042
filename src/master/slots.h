/*
 * slots - opens the doors of the slots: one reuseport socket a slot and address.
 *
 * A listening socket is never closed while the server runs: what is half open or queued at it
 * would be reset.
 */
#ifndef DROVER_MASTER_SLOTS_H
#define DROVER_MASTER_SLOTS_H

#include <stddef.h>

#include "os/net.h"
#include "worker/doors.h"

/*
 * Binds every address and opens the doors of `slot_count` slots. Port 0 is replaced in `addresses`
 * by what the kernel chose. Returns 0, or the status to exit with, and in `why` which address it
 * was, what is wrong with it, and who holds it if that can be known. On failure nothing
 * stays open; after success slots_close() is due.
 */
int slots_open(struct doors *doors, struct net_address *addresses, int address_count,
               int slot_count, char *why, size_t why_size);

/* Opens the doors of one more slot. Returns 0, or -1 with errno set and nothing changed. */
int slots_add(struct doors *doors, const struct net_address *addresses);

/* The sockets of a slot's own, in the order of the addresses. Returns how many. */
size_t slots_own(const struct doors *doors, int slot, int fds[ADDRESSES_MAX]);

/* Closes all, and removes the files of unix sockets. */
void slots_close(struct doors *doors, const struct net_address *addresses);

#endif
