/*
 * inbox - takes over the connections that workers which leave put into the inboxes of the slots
 * that this one serves: its own, and those it has adopted.
 *
 * It takes them beyond the limit at which new clients have to wait, since they are served already,
 * but not without end. Several may read the same inbox for a while.
 */
#ifndef DROVER_WORKER_INBOX_H
#define DROVER_WORKER_INBOX_H

#include "os/loop.h"
#include "worker/doors.h"
#include "worker/handover.h"
#include "worker/order.h"

struct inbox {
    struct loop *loop;         /* borrowed */
    const struct doors *doors; /* of all slots; borrowed */
    /* Can one more be taken? It is asked again every turn. */
    bool (*has_room)(void *context);
    /* Takes a socket over, with what is said of it. */
    void (*take)(void *context, int fd, const struct handover *what);
    void *context;

    /* private */
    struct slot_set serves;
    bool is_open;
    bool is_paused;
    int64_t paused_until; /* CLOCK_NEVER: until there is room */
    int64_t warned_at;    /* when a lack was last told */
    bool is_foreign_told;
    int64_t now;
};

/* Reads nothing yet. */
void inbox_init(struct inbox *inbox, struct loop *loop, const struct doors *doors,
                bool (*has_room)(void *context),
                void (*take)(void *context, int fd, const struct handover *what), void *context);

/* From now on it reads this slot's, too; or no longer. */
void inbox_add(struct inbox *inbox, int slot);
void inbox_remove(struct inbox *inbox, int slot);

/* Takes what is there at once, as far as there is room. */
void inbox_read(struct inbox *inbox);

/* To be called every turn: goes on after a pause that is over. */
void inbox_tick(struct inbox *inbox, int64_t now);

/* When a pause ends; CLOCK_NEVER. */
int64_t inbox_next(const struct inbox *inbox);

/* Others read them from here on. */
void inbox_leave(struct inbox *inbox);

#endif
