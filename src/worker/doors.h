/*
 * doors - where clients come in to each slot: its listening sockets, where the kernel puts new
 * connections, and its inbox, where workers that leave put theirs.
 *
 * One reuseport socket a slot and address; a unix address has a single one, shared by all workers,
 * and so has one whose single socket was inherited. A slot that cannot have a socket of its own, as
 * where the group is another user's, has the same one as a slot before it. The master opens them
 * all and keeps them for life; every worker inherits them, and gets those that are made later by
 * SCM_RIGHTS.
 */
#ifndef DROVER_WORKER_DOORS_H
#define DROVER_WORKER_DOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

enum inbox_end {
    INBOX_OUT, /* what was put in comes out here: whoever serves the slot reads it */
    INBOX_IN,  /* for every other worker */
    INBOX_ENDS,
};

struct doors {
    int slot_count;
    int address_count;
    bool is_proxied[ADDRESSES_MAX];    /* by address: a PROXY header comes first */
    bool is_lent[ADDRESSES_MAX];       /* by address: others listen there, too; see net.h */
    int shared[ADDRESSES_MAX];         /* by address; -1: each slot has its own */
    int own[SLOTS_MAX][ADDRESSES_MAX]; /* by slot and address; -1: there is none */
    int joined[ADDRESSES_MAX]; /* by address: sockets in its reuseport group, those of the first
                                * slots, in this order; the further slots share them; -1: the order
                                * is not known, and some slots have none */
    int inbox[SLOTS_MAX][INBOX_ENDS]; /* a SOCK_SEQPACKET pair; -1: there is none */
};

/* No slots, no sockets. */
void doors_init(struct doors *doors);

/* Closes every socket, and leaves no slots. */
void doors_close(struct doors *doors);

/* Does a PROXY header come first on what this socket brings? */
bool doors_is_proxied(const struct doors *doors, int door);

/* The address that this socket is at, a bit; 0: none. */
uint32_t doors_address(const struct doors *doors, int door);

/* The sockets of a slot that was made after this process: its own, in the order of the addresses,
 * and then the ends of its inbox. They belong to the doors from here on; what has no place there is
 * closed. */
void doors_learn(struct doors *doors, int slot, const int *fds, size_t count);

/* Calls back for each socket of a slot's own, at the addresses of this set, a bit each. */
void doors_each(const struct doors *doors, int slot, uint32_t addresses,
                void (*fn)(int fd, void *context), void *context);

#endif
