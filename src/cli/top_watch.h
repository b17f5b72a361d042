/*
 * top_watch - the server that is looked at: its board, and where to look when it has gone, since
 * it was upgraded or has ended. It is looked for by a child, so a server that does not answer holds
 * nobody up.
 */
#ifndef DROVER_CLI_TOP_WATCH_H
#define DROVER_CLI_TOP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/look.h"
#include "cli/top_errand.h"
#include "status/snapshot.h"

struct watch {
    struct request request;
    const struct board *board;
    struct errand search;            /* search.fd is to be waited for while search.pid is not 0 */
    int64_t search_at;               /* private: the earliest time of the next one */
    bool is_gone;                    /* private: at the last look */
    char absence[ERRAND_WORDS + 64]; /* why there is none; "": there is one */
};

/* Finds it, and waits for that. 0, or the status to exit with, and stderr has why. */
int watch_open(struct watch *watch, const struct request *request);
void watch_close(struct watch *watch);

/* Takes a snapshot, and begins to look for another server when this one is gone, or does not move.
 * Of one that is gone only its past is told: it has no workers. `now` as clock_ms(). */
void watch_look(struct watch *watch, int64_t now, struct snapshot *snapshot);

/* What search.fd has. True when another server is there now. */
bool watch_found(struct watch *watch);

#endif
