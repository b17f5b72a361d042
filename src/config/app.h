/*
 * app - whether an application's struct can be used, whoever filled it in.
 */
#ifndef DROVER_CONFIG_APP_H
#define DROVER_CONFIG_APP_H

#include <drover.h>
#include <stddef.h>

/*
 * Returns 0 when it can: then its keys stand at their defaults. Else EX_CONFIG, and in `why` which
 * member is wrong, and what is allowed.
 */
int app_check(const struct drover_app *app, char *why, size_t why_size);

#endif
