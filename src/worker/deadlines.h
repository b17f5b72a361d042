/*
 * deadlines - when to give up on a connection.
 *
 * Each kind of timeout has one length, so a list in the order of arming is a list in the order of
 * expiry: arming, disarming and expiring are O(1), and nothing is allocated. Milliseconds.
 */
#ifndef DROVER_WORKER_DEADLINES_H
#define DROVER_WORKER_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

enum deadline_kind {
    DEADLINE_NONE, /* not armed */
    DEADLINE_HEADER,
    DEADLINE_BODY,
    DEADLINE_ANSWER,
    DEADLINE_SEND,
    DEADLINE_IDLE,
    DEADLINE_LINGER,
    DEADLINE_KINDS,
};

/* A member of what may expire. Zeroed: not armed. Three words, so that a connection with its own is
 * one cache line; as clock_ms(), 56 bits are two million years. */
struct deadline {
    struct deadline *previous;
    struct deadline *next;
    uint64_t at : 56;
    enum deadline_kind kind : 8;
};

#define DEADLINE_AT_MAX ((UINT64_C(1) << 56) - 1)

struct deadlines {
    int64_t length[DEADLINE_KINDS]; /* 0: this kind never expires */
    struct deadline *first[DEADLINE_KINDS];
    struct deadline *last[DEADLINE_KINDS];
};

static inline void deadlines_disarm(struct deadlines *all, struct deadline *one)
{
    if (one->kind == DEADLINE_NONE)
        return;
    if (one->previous)
        one->previous->next = one->next;
    else
        all->first[one->kind] = one->next;
    if (one->next)
        one->next->previous = one->previous;
    else
        all->last[one->kind] = one->previous;
    one->kind = DEADLINE_NONE;
}

/* Arms for now + the kind's length; what was armed before is forgotten. */
static inline void deadlines_arm(struct deadlines *all, struct deadline *one,
                                 enum deadline_kind kind, int64_t now)
{
    deadlines_disarm(all, one);
    if (kind == DEADLINE_NONE || all->length[kind] == 0)
        return;
    one->kind = kind;
    one->at = (uint64_t)(now + all->length[kind]) & DEADLINE_AT_MAX;
    one->next = NULL;
    one->previous = all->last[kind];
    if (one->previous)
        one->previous->next = one;
    else
        all->first[kind] = one;
    all->last[kind] = one;
}

/* The nearest deadline of all, CLOCK_NEVER when none is armed. */
int64_t deadlines_next(const struct deadlines *all);

/* Disarms and returns one that is due, its kind in *kind; NULL when none is. */
struct deadline *deadlines_due(struct deadlines *all, int64_t now, enum deadline_kind *kind);

#endif
