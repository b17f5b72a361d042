/*
 * heads - request heads as browsers send them, to measure with.
 */
#ifndef DROVER_BENCH_HEADS_H
#define DROVER_BENCH_HEADS_H

#include "base/span.h"

struct bench_head {
    const char *name;
    struct span bytes; /* static, one whole head */
};

#define BENCH_HEADS 7

extern const struct bench_head bench_heads[BENCH_HEADS];

#endif
