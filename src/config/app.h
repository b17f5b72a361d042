/*
 * app - whether an application's struct can be used, whoever filled it in.
 */
#ifndef DROVER_CONFIG_APP_H
#define DROVER_CONFIG_APP_H

#include <drover.h>
#include <stddef.h>

/*
 * Returns 0 when it can. Else EX_CONFIG, and in `why` which member is wrong, and what is allowed.
 * Its keys are looked at and not set: another configuration's values may stand there, in use.
 */
int app_check(const struct drover_app *app, char *why, size_t why_size);

#endif
