/*
 * site - the text of what only the static site is told: fields and error pages.
 */
#ifndef DROVER_CONFIG_SITE_H
#define DROVER_CONFIG_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/settings.h"

/*
 * Each returns whether the text is right; if not, `why` says what is wrong, or what is allowed. The
 * settings borrow from the text.
 */

/* The value of a field: no control bytes, and not empty. */
bool site_field_value(const char *text, char *why, size_t size);

/* "NAME: VALUE", which is added to those there are; not a field that drover or the site writes. */
bool site_field(const char *text, struct settings *settings, char *why, size_t size);

/* "STATUS=/PATH", 400 to 599; a status that is there already gets the new path. */
bool site_page(const char *text, struct settings *settings, char *why, size_t size);

/* "/PATH": a file below ROOT. */
bool site_path(const char *text, char *why, size_t size);

#endif
