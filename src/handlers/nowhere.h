/*
 * nowhere - what answers requests for a host that no site has: 404.
 */
#ifndef DROVER_HANDLERS_NOWHERE_H
#define DROVER_HANDLERS_NOWHERE_H

#include <drover.h>

extern const struct drover_app nowhere_app;

#endif
