/*
 * unsent - answers of this turn of the loop that stood ready, and leave together at its end.
 *
 * Each send may wake its client; where that runs on the same processor, clients that are woken
 * together find more to read, and ask for more, at once. Nothing but look-ups is done between the
 * first answer and its sending: before the application is called for anything else, a handler, a
 * body, a stream, a watched descriptor or a post, all leave.
 */
#ifndef DROVER_WORKER_UNSENT_H
#define DROVER_WORKER_UNSENT_H

#include <stdint.h>

#include "base/limits.h"
#include "worker/prepared.h"

struct conn;
struct desk;

/* Zeroed: none. */
struct unsent {
    struct desk *desk; /* borrowed; NULL: nobody else could send them */
    bool is_taken;     /* some were not sent: their connections are the successor's */
    int count;
    int tried; /* the first so many: their clients did not take them whole */
    struct unsent_one {
        struct conn *conn;
        struct drover_prepared *answer; /* held */
        size_t sent;                    /* bytes that have left */
        bool is_broken;                 /* the connection is gone */
    } list[UNSENT_MAX];
};

static inline bool unsent_has_room(const struct unsent *all)
{
    return all->count < UNSENT_MAX;
}

/* Takes over the hold on the answer. There is room. */
void unsent_add(struct unsent *all, struct conn *conn, struct drover_prepared *answer);

/* Sends them. What stays in the list is what did not leave whole. Returns how many bytes left.
 *
 * Each connection is claimed before a byte leaves, and rests again only when all have: so a request
 * that lies on the desk was not answered, and is answered once, by whoever gets it. */
uint64_t unsent_send(struct unsent *all, const struct exchange_env *env);

/* The connection closes. */
void unsent_forget(struct unsent *all, const struct conn *conn);

#endif
