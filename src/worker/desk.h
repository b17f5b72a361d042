/*
 * desk - what a worker leaves lying where its standby finds it: which of its connections another
 * process can go on with, and which request it is at.
 *
 * In memory that the master, the worker and its standby share; one a row of the board. Without it a
 * worker's end is the end of all its connections: their sockets live on in the standby, which has
 * the same descriptor table (standby.h), but what each is for, only the dead knew.
 *
 * Custody. A byte a descriptor says who may read from and write to that connection. None has a
 * number that its standby knows as something else (pristine.h).
 *
 * By the worker:
 *   NONE -> BUSY                    accepted, or handed over
 *   BUSY -> FRESH, KEPT, GREETING   it rests: nothing of a next request was read
 *   BUSY -> HELD                    its answer stands ready and has not left; the request is still
 *                                   in `read`
 *   BUSY -> LASTING                 in the middle of what takes long: the application has it as a
 *                                   stream, or is to answer it later, or gives an answer by pieces
 *   LASTING -> BUSY                 no longer
 *   those four -> BUSY              claimed, before anything is done with it
 *   BUSY, LASTING -> NONE           before it is closed
 * By the standby:
 *   those four -> the same | TAKEN  it is the successor's
 *
 * Both ways out of the four are one compare-and-swap of the byte, so each connection has one owner
 * at every moment, wherever a process is stopped or killed. What is BUSY is in the middle: it stays
 * with the worker, and ends with it; so does what is LASTING, which the master alone tells apart,
 * since a worker that is superseded tells the application to end it. What is TAKEN a worker that
 * comes back never touches, but to close its own copy of the descriptor once tenure is PASSED.
 *
 * Tenure. One word says whose the desk is:
 *
 *   OWN -> PASSING       by the standby, which begins to take
 *   PASSING -> PASSED    by the successor, before it touches anything
 *   PASSING -> RETURNED  by the standby that cannot make one, or by the master when the standby has
 *                        ended: what was taken is the worker's again
 *   RETURNED -> OWN      by the worker, which has undone the taking; a new round begins
 *
 * Each is a compare-and-swap: of a successor that comes late and a master that gives up one wins,
 * and the other lets go. The word has a round as well, a new one with each clearing of the desk,
 * too, so that a successor that comes later still does not take another worker's for the one it
 * knew. A worker looks at it once a turn. tests/model has both words as a model that is checked
 * with all orders of steps, stops and kills.
 */
#ifndef DROVER_WORKER_DESK_H
#define DROVER_WORKER_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "http/ip.h"

enum custody {
    CUSTODY_NONE,         /* no connection of this worker */
    CUSTODY_FRESH,        /* waits for its first request */
    CUSTODY_KEPT,         /* waits for another one */
    CUSTODY_GREETING,     /* waits for a PROXY header */
    CUSTODY_HELD,         /* its answer leaves at the end of the turn */
    CUSTODY_BUSY,         /* in the middle of a request or an answer, or of being closed */
    CUSTODY_LASTING,      /* the same, of one that takes long */
    CUSTODY_TAKEN = 0x80, /* or-ed to one of the four that can be taken */
};

enum tenure {
    TENURE_OWN,
    TENURE_PASSING,
    TENURE_PASSED,
    TENURE_RETURNED,
};

/* A request whose answer is held back. */
struct desk_held {
    uint64_t request; /* as desk.request has it; in the first DESK_HELD_MAX bytes */
    uint32_t fd;
};

struct desk {
    uint32_t tenure;  /* round << 2 | enum tenure */
    uint32_t top;     /* one past the highest descriptor that ever had custody */
    uint64_t request; /* that is being dealt with: offset << 32 | length, in `read`, or in `line`
                       * from DESK_READ_SIZE on; 0: none */
    struct desk_held held[UNSENT_MAX];
    uint32_t held_count;
    uint8_t custody[DESK_FDS_MAX]; /* enum custody, by descriptor */
    char line[DESK_LINE_MAX];      /* of a request that is no longer in `read` */
    char read[DESK_READ_SIZE];     /* what is read from clients, a turn's held requests first */
};

/* The family of a client that a PROXY header says has no address: it came by a unix socket. */
#define DESK_FAMILY_UNIX 255

/* Those of a server. Zeroed: none. */
struct desks {
    struct desk *of; /* BOARD_ROWS of them; NULL: none */
    /* By row and descriptor: who a PROXY header says it is; family 0: there was none that named
     * somebody. NULL: no address is proxied. */
    struct http_address (*clients)[DESK_FDS_MAX];
};

/* Maps them, untouched: pages that nobody writes cost nothing. `proxied`: with the clients, added
 * to what there is, for processes that are forked from here on. -1 with errno set, and as before.
 */
int desks_open(struct desks *desks, bool proxied);
void desks_close(struct desks *desks);

/* For the master, before a worker is made that is to have it: nothing lies there. */
void desk_clear(struct desk *desk);

/* --------------------------------------------------------------------------- for the worker */

/* Each takes any descriptor; one from DESK_FDS_MAX on is nobody's to take, and so claimed. */

/* False: it was taken, now or before. */
static inline bool desk_claim_now(struct desk *desk, int fd)
{
    uint8_t *byte = &desk->custody[fd];
    uint8_t state = __atomic_load_n(byte,
                                    __ATOMIC_ACQUIRE); /* of TAKEN: tenure is read behind it */
    if (state == CUSTODY_BUSY || state == CUSTODY_LASTING)
        return true;
    return !(state & CUSTODY_TAKEN) &&
           __atomic_compare_exchange_n(byte, &state, CUSTODY_BUSY, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_ACQUIRE);
}

/* Whose is it all? Waits while that is open: true when it is this worker's, and all that was taken
 * is so again, in the state it had; false when it has been superseded. */
bool desk_settle(struct desk *desk);

/* Of one that was taken: once it is settled whose it is. */
bool desk_claim_late(struct desk *desk, int fd);

/* Before anything is done with a connection. False: it is the successor's for good, and not to be
 * touched; where that is still open, it waits. */
static inline bool desk_claim(struct desk *desk, int fd)
{
    return fd >= DESK_FDS_MAX || desk_claim_now(desk, fd) || desk_claim_late(desk, fd);
}

/* It is new here: BUSY. */
void desk_begin(struct desk *desk, int fd);

/* It rests, in a state that can be taken; it is watched for EPOLLIN already. Or it does not: BUSY,
 * LASTING. Claimed before. */
static inline void desk_rest(struct desk *desk, int fd, enum custody state)
{
    if (fd < DESK_FDS_MAX)
        __atomic_store_n(&desk->custody[fd], (uint8_t)state, __ATOMIC_RELEASE);
}

/* All that was held has left or was given up, and each of it was claimed for that: where one could
 * not be, the successor still reads what lies here. Returns where the next bytes are read to,
 * READ_BUFFER_SIZE of them. */
static inline char *desk_release_held(struct desk *desk)
{
    desk->held_count = 0;
    return desk->read;
}

/* It is about to be closed. Claimed before. */
static inline void desk_forget(struct desk *desk, int fd)
{
    if (fd < DESK_FDS_MAX)
        __atomic_store_n(&desk->custody[fd], CUSTODY_NONE, __ATOMIC_RELEASE);
}

/* For desk_note_request(): of bytes that are not in `read`, as much of them as fits is copied. */
void desk_note_line(struct desk *desk, const char *head, size_t length);

/* The request that application code is about to be called for; its head is not empty. */
static inline void desk_note_request(struct desk *desk, const char *head, size_t length)
{
    size_t offset = (uintptr_t)head - (uintptr_t)desk->read; /* it may be anywhere */
    if (offset < DESK_READ_SIZE)
        __atomic_store_n(&desk->request, (uint64_t)offset << 32 | length, __ATOMIC_RELEASE);
    else
        desk_note_line(desk, head, length);
}

/* For none any more. */
static inline void desk_note_none(struct desk *desk)
{
    __atomic_store_n(&desk->request, 0, __ATOMIC_RELEASE);
}

/* The answer to the request that was noted is held back: its bytes stay as they are, and it may
 * rest as HELD behind this. Returns where the next bytes are read to; NULL: they are not in `read`,
 * or there is no room for them, and the answer is to leave now. */
static inline char *desk_hold(struct desk *desk, int fd)
{
    uint64_t request = desk->request;
    uint64_t behind = (request >> 32) + (uint32_t)request;
    uint32_t count = desk->held_count;
    if (behind > DESK_HELD_MAX || count == UNSENT_MAX)
        return NULL;
    desk->held[count] = (struct desk_held){.request = request, .fd = (uint32_t)fd};
    /* Whoever is stopped here has an entry that does not count yet, and never half of one. */
    __atomic_store_n(&desk->held_count, count + 1, __ATOMIC_RELEASE);
    return desk->read + behind;
}

static inline enum tenure desk_tenure(const struct desk *desk)
{
    return (enum tenure)(__atomic_load_n(&desk->tenure, __ATOMIC_ACQUIRE) & 3);
}

static inline uint32_t desk_word(uint32_t round, enum tenure tenure)
{
    return round << 2 | (uint32_t)tenure;
}

/* Has it been so since this round began? */
static inline bool desk_is_own(const struct desk *desk, uint32_t round)
{
    return __atomic_load_n(&desk->tenure, __ATOMIC_ACQUIRE) == desk_word(round, TENURE_OWN);
}

/* -------------------------------------------------------- for the standby and the successor */

/* One step of the tenure, in the round that it is in. False: it was another. */
bool desk_step(struct desk *desk, enum tenure from, enum tenure to);

/* For the successor: its step only if the round is still the one that it was when its standby began
 * to take. */
uint32_t desk_round(const struct desk *desk);
bool desk_step_in(struct desk *desk, uint32_t round, enum tenure from, enum tenure to);

/* Takes all that can be taken. Returns how many. */
int desk_take(struct desk *desk);

/* The state that a connection was taken in; CUSTODY_NONE: it was not taken. */
static inline enum custody desk_taken(const struct desk *desk, int fd)
{
    uint8_t state = fd < DESK_FDS_MAX ? __atomic_load_n(&desk->custody[fd], __ATOMIC_ACQUIRE) : 0;
    return (enum custody)(state & CUSTODY_TAKEN ? state & ~CUSTODY_TAKEN : CUSTODY_NONE);
}

/* The request of one that was taken while HELD; false when there is none. */
bool desk_held_request(const struct desk *desk, int fd, const char **bytes, size_t *length);

/* ---------------------------------------------------------------------------- for the master */

/* How many connections could be taken now, and how many are LASTING. */
void desk_count(const struct desk *desk, int *resting, int *lasting);

/* The first line of the request that the worker was at when it ended, as printable text, cut where
 * it is too long; "" when it was at none. What lies there is not trusted. */
void desk_request(const struct desk *desk, char *text, size_t size);

#endif
