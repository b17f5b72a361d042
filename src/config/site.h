/*
 * site - the text of what only a site is told: fields, error pages, cache rules, hosts, a prefix.
 */
#ifndef DROVER_CONFIG_SITE_H
#define DROVER_CONFIG_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
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

/* "PATTERN VALUE", the pattern of a file's name (fnmatch(3)), the value Cache-Control's. */
bool site_cache(const char *text, struct settings *settings, char *why, size_t size);

/* A host's name or an address as URLs have it, without a port, or "*.NAME" for all below NAME. It
 * is added to those there are. */
bool site_host(const char *text, struct settings *settings, char *why, size_t size);

/* The same without the dot at its end that stands for the root of the DNS; the star is kept. */
struct span site_host_name(const char *text);

/* "/", or "/PATH" of whole segments as they are after decoding; a slash at its end does not count.
 */
bool site_prefix(const char *text, char *why, size_t size);

#endif
