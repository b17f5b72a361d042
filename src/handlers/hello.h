/*
 * hello - one short text for every request: the least that an application can do, for benchmarks.
 */
#ifndef DROVER_HANDLERS_HELLO_H
#define DROVER_HANDLERS_HELLO_H

#include <drover.h>

extern const struct drover_app hello_app;

#endif
