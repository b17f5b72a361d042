/*
 * prepared - an answer that was made once, to be sent many times: its bytes stand ready in one
 * piece, from the status line to the body's end, and only the time in them has to be told anew.
 *
 * Whoever made it and each response that uses it hold it; it goes with the last of them.
 */
#ifndef DROVER_WORKER_PREPARED_H
#define DROVER_WORKER_PREPARED_H

#include <drover.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/span.h"

struct exchange_env;

struct drover_prepared {
    unsigned holders;
    bool is_file; /* ranges of it are served */
    bool has_modified;
    time_t modified;
    struct span type; /* these point into `bytes` */
    struct span etag;
    struct span fields; /* field lines */
    struct span body;
    struct span rest; /* the head from Content-Type on, and the body */
    char *start;      /* all of it: what is in front of the rest, which is exchange_env.start */
    size_t length;
    time_t told; /* the time that is in it */
    char bytes[];
};

/* All of it as it is now, for a client that needs no word about its connection. Later the time in
 * it is told anew: whoever has had the first half of a date may get the second half of another. */
struct span prepared_whole(struct drover_prepared *prepared, const struct exchange_env *env);

/* One more holder. */
static inline struct drover_prepared *prepared_hold(struct drover_prepared *prepared)
{
    prepared->holders++;
    return prepared;
}

/* One less. NULL is allowed. */
static inline void prepared_drop(struct drover_prepared *prepared)
{
    if (prepared && --prepared->holders == 0)
        free(prepared);
}

#endif
