/*
 * setting - one value of an option, read by the option's type and bounds, and put where it belongs
 * in the settings.
 */
#ifndef DROVER_CONFIG_SETTING_H
#define DROVER_CONFIG_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "config/option.h"
#include "config/settings.h"

/* Bytes for what is wrong with a value, with the NUL. */
#define SETTING_WHAT_SIZE 384

/*
 * Sets or adds a value, from which the settings borrow. False when it is wrong: then `what` says
 * what is allowed, without the option's name and the value.
 */
bool setting_take(const struct option *o, const char *value, struct settings *s, char *what,
                  size_t size);

#endif
