/*
 * acceptor - which doors a worker watches, and taking clients in from them.
 *
 * It watches its own slot's doors, those of slots it has adopted, and the shared ones. While it is
 * paused, since it is full or out of descriptors, it watches none, and clients wait in the queues.
 * Who is full lets them wait for as long as it takes. But where descriptors have lacked for
 * SHED_AFTER_MS, by a fault somewhere or by other processes, those at the heads of the queues are
 * turned away, one by one, on a descriptor that is kept for that.
 */
#ifndef DROVER_WORKER_ACCEPTOR_H
#define DROVER_WORKER_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "os/loop.h"
#include "worker/doors.h"

struct acceptor {
    struct loop *loop;   /* borrowed */
    struct doors *doors; /* of all slots; borrowed */
    /* Takes over an accepted, non-blocking socket that has come in at this door. The acceptor may
     * be told to leave, or to shut, before that. */
    void (*take)(void *context, int fd, int door);
    /* It has paused or left, and clients wait at a shared door, which only it was told of; may be
     * NULL. */
    void (*on_strand)(void *context);
    /* It accepts nothing for a while, or does again; may be NULL. */
    void (*on_pause)(void *context, bool is_paused);
    /* Says no to a client, over a non-blocking socket that the acceptor closes; NULL: no word. */
    void (*on_shed)(void *context, int fd);
    void *context;
    int room;     /* connections that may still be taken; the owner counts up when one ends; less
                   * than 0: acceptor_charge() */
    int in_vain;  /* doors of this turn at which nobody was any more; the owner begins at 0 */
    bool is_open; /* it accepts, or will when a pause is over, or has queues to serve still */

    /* private */
    uint32_t addresses; /* that it accepts at, a bit each */
    uint32_t kept;      /* of which these are not shut */
    bool is_shutting;
    bool is_settling;  /* handshakes are waited for */
    bool has_taken;    /* since the last turn */
    int64_t quiet_at;  /* when they have ended, unless more are seen */
    int64_t settle_by; /* and at the latest */
    bool serves[SLOTS_MAX];
    bool is_paused;
    int64_t paused_until; /* CLOCK_NEVER: until there is room */
    int full_room;        /* `room` while there are no connections */
    int spare;            /* a descriptor to give up; -1: not even that one could be had */
    int64_t lack_since;   /* of descriptors; CLOCK_NEVER: none lacks */
    int64_t lack_seen;    /* the last try that showed it */
    int64_t warned_at;    /* when a lack was last told */
    bool is_told;         /* and its end was not yet */
    uint64_t shed;        /* clients turned away since the lack was first told */
    int64_t strand_at;    /* when a strand may be told next */
    bool is_strand_due;   /* there may be one that was not told */
    int64_t now;
};

/* Watches nothing yet. */
void acceptor_init(struct acceptor *a, struct loop *loop, struct doors *doors, int room,
                   void (*take)(void *context, int fd, int door), void *context);

/* Gives back what it owns; the doors stay as they are. A zeroed one owns nothing. */
void acceptor_free(struct acceptor *a);

/* From now on it accepts for this slot, too; or no longer. */
void acceptor_add(struct acceptor *a, int slot);
void acceptor_remove(struct acceptor *a, int slot);

/* Watches the shared doors; and anew, since a wake-up may have been lost with another process. */
void acceptor_rearm(struct acceptor *a);

/* A connection came in by no door: there is room for one less. */
void acceptor_charge(struct acceptor *a);

/* To be called every turn: goes on after a pause that is over. */
void acceptor_tick(struct acceptor *a, int64_t now);

/* When a pause or the settling ends; CLOCK_NEVER. */
int64_t acceptor_next(const struct acceptor *a);

/* Others accept from here on: watches nothing any more. Takes who waits at a shared door, as far as
 * there is room, since nobody else may have been told of them. */
void acceptor_leave(struct acceptor *a);

/*
 * Nobody accepts at these addresses from here on, and others do at the rest, which are not watched
 * any more: takes what is queued, as far as there is room now and whenever there is some, and then
 * shuts their doors for every process, but those of `kept`, which others have. is_open tells when
 * that is done.
 *
 * `is_filtered`: no new handshake begins, so it goes on until those that are under way have ended:
 * until SHUT_QUIET_MS have passed without a client, at most SHUT_QUIET_MAX_MS.
 */
void acceptor_shut(struct acceptor *a, uint32_t addresses, uint32_t kept, bool is_filtered);

/* A bit for every address. */
#define EVERY_ADDRESS UINT32_MAX

#endif
