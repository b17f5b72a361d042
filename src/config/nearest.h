/*
 * nearest - which name was meant by one that was mistyped.
 */
#ifndef DROVER_CONFIG_NEAREST_H
#define DROVER_CONFIG_NEAREST_H

#include <stddef.h>

/* The name, of `count`, that is nearest to what was typed; NULL when none is near. */
const char *nearest_name(const char *typed, const char *const names[], size_t count);

#endif
