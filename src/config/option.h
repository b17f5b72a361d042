/*
 * option - the one table of what can be set: name, type, default, bounds, one line of help. A row
 * makes the long option, the file's key, its line in --help, and its error messages.
 */
#ifndef DROVER_CONFIG_OPTION_H
#define DROVER_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"

enum option_type {
    OPTION_CONFIG, /* -c FILE; setting_take() is not for it */
    OPTION_ADDRESS,
    OPTION_ADMIN,
    OPTION_TRUST,
    OPTION_WORKERS,
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_SIZE,
    OPTION_DURATION,
    OPTION_YES_NO,
    OPTION_ON_OFF,
    OPTION_LEVEL,
    OPTION_LOG,
    OPTION_ACCESS_LOG,
    OPTION_LOG_FORMAT,
    OPTION_ACCESS_FORMAT,
    OPTION_PREEMPTION,
    OPTION_APP,
    OPTION_SET,
    OPTION_FIELD_VALUE,
    OPTION_SITE_FIELD, /* may be repeated */
    OPTION_SITE_PAGE,  /* the same */
    OPTION_SITE_PATH,
    OPTION_SITE_CACHE, /* may be repeated; the command line's go before the file's */
    OPTION_HOST,       /* may be repeated */
    OPTION_PREFIX,
};

struct option {
    const char *name;
    enum option_type type;
    const char *argument; /* how --help calls the value */
    const char *fallback; /* the default; NULL: none */
    const char *shown;    /* the default, in words; NULL: as it is */
    int64_t min, max; /* of a number, of a size in bytes, of a duration in milliseconds; of a text
                         its bytes at most, 0: any */
    size_t offset;    /* in struct settings */
    const char *help;
};

/* Rows: the server's first, then those that only the static site has, then those that stand in
 * [site NAME] sections of a file and nowhere else. */
size_t option_count(void);
const struct option *option_at(size_t i);
bool option_is_site(const struct option *o);
bool option_is_section(const struct option *o);

/* May it stand in a section? The site's may, and what names an application. */
bool option_in_section(const struct option *o);

/* The option of that name, of n bytes; NULL: there is none. */
const struct option *option_find(const char *name, size_t n);

/* Is it an option of this program? drover_main() has an application, which is not the site. */
bool option_is_offered(const struct option *o, const struct settings *settings);

/* May it stand in a file? Not what names the file, nor --ready-fd: a descriptor is one start's. */
bool option_in_file(const struct option *o);

/* Has each value a place of its own, beside those that were given before it? */
bool option_is_list(const struct option *o);

/*
 * Do two values of one option stand for the same thing, so that one replaces the other? Values of a
 * list do when they name the same: --set by the key, --field by the name, --error-page by the
 * status, --cache by the pattern, a host by its name; an address and a network replace nothing.
 */
bool option_is_same(const struct option *o, const char *one, const char *other);

#endif
