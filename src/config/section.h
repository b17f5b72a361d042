/*
 * section - one [site NAME] of a configuration file: a site, and which requests are for it.
 */
#ifndef DROVER_CONFIG_SECTION_H
#define DROVER_CONFIG_SECTION_H

#include <drover.h>
#include <stdbool.h>

#include "base/limits.h"
#include "base/span.h"
#include "config/faults.h"
#include "config/settings.h"

struct section {
    const char *name; /* borrowed from the file's text */
    struct place place;
    bool is_wrong;             /* its head, so what it lacks may stand elsewhere */
    bool app_is_unknown;       /* as in struct givens */
    bool requests_are_unknown; /* the same: a host or the prefix is wrong */
    /* Of these only what a site has: hosts, prefix, application, keys, and the static site's. Its
     * root is NULL as long as none was given. */
    struct settings settings;
    const struct drover_app *app; /* what answers; NULL as long as nobody has looked */
};

/* In the order of the file. All zero is the start. */
struct sections {
    size_t count;
    struct section *list[SITES_MAX]; /* owned */
};

/* Begins one, all at its default. NULL: there are too many, or memory ran out. */
struct section *sections_begin(struct sections *sections, const char *name,
                               const struct place *place);

/* The one of that name; NULL: there is none. */
const struct section *sections_find(const struct sections *sections, const char *name);

void sections_free(struct sections *sections);

/* Has it a name that a section may have? */
bool section_is_name(const char *name);

/* The prefix without a slash at its end: "" for all paths. */
struct span section_prefix(const struct section *section);

/* Are there requests that both are for? The host is in *host then, NULL: any. */
bool section_is_at_odds(const struct section *one, const struct section *other, const char **host);

#endif
