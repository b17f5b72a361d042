/*
 * prepared - an answer that was made once, to be sent many times: its bytes, but for those that are
 * of the moment (status line, Date, Connection), stand ready in one piece.
 *
 * Whoever made it and each response that uses it hold it; it goes with the last of them.
 */
#ifndef DROVER_WORKER_PREPARED_H
#define DROVER_WORKER_PREPARED_H

#include <drover.h>
#include <stdbool.h>
#include <time.h>

#include "base/span.h"

struct drover_prepared {
    unsigned holders;
    bool is_file; /* ranges of it are served */
    bool has_modified;
    time_t modified;
    struct span type; /* these point into `bytes` */
    struct span etag;
    struct span fields; /* field lines */
    struct span body;
    struct span ready; /* the head from Content-Type on, and the body */
    char bytes[];
};

/* One more holder. */
struct drover_prepared *prepared_hold(struct drover_prepared *prepared);

/* One less. NULL is allowed. */
void prepared_drop(struct drover_prepared *prepared);

#endif
