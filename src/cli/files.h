/*
 * files - a static site as the settings have it.
 */
#ifndef DROVER_CLI_FILES_H
#define DROVER_CLI_FILES_H

#include "config/settings.h"
#include "handlers/static.h"

struct files {
    struct static_site site;
    struct site_field fields[SITE_FIELDS_MAX];
    struct site_page pages[SITE_PAGES_MAX];
    struct site_cache caches[SITE_CACHES_MAX];
    struct drover_app app; /* the site as an application; its context is the site above */
};

/* Fills in a zeroed one, which stays where it is. It borrows from the settings. `sharers`: sites of
 * the server, which share what it may keep in memory. */
void files_fill(struct files *files, const struct settings *settings, size_t sharers);
void files_free(struct files *files);

#endif
