/*
 * configuration - one reading of all there is to configure: what a generation of workers runs with.
 *
 * Each is read anew from the start's command line and from the file that it names, and stands for
 * itself: an old and a new one live side by side while one generation replaces the other. Who runs
 * workers with one frees it when the last of them has ended, and another one's keys were applied.
 */
#ifndef DROVER_CONFIG_CONFIGURATION_H
#define DROVER_CONFIG_CONFIGURATION_H

#include <drover.h>
#include <stddef.h>

#include "config/settings.h"
#include "worker/sites.h"

/* Bytes for all that is wrong with one, a line an error, with the NUL. */
#define CONFIGURATION_WHY_SIZE 16384

/* What read() gave holds this as its first member: what the settings borrow from lies behind it. */
struct configuration {
    struct settings settings;
    const struct drover_app *app;       /* what answers where no site does */
    const struct sites *sites;          /* all applications, that one first; never NULL */
    const struct settings *const *told; /* what each of them is told, in the same order */
    const char *stale; /* a module whose file has changed since this process has loaded it, which
                        * runs what it was then; NULL: none */
};

/* How many applications there are; each of them; and the settings that have its keys. */
size_t configuration_app_count(const struct configuration *c);
const struct drover_app *configuration_app(const struct configuration *c, size_t i);
const struct settings *configuration_told(const struct configuration *c, size_t i);

/* How a configuration is read: at the start, and anew at each reload. */
struct configuration_source {
    void *context;
    /*
     * Reads it all anew: arguments and file. Changes nothing that a configuration in use has. NULL:
     * it cannot be used; then the status to exit with is in *status, and in `why` what is wrong, a
     * line an error.
     */
    struct configuration *(*read)(void *context, int *status, char *why, size_t why_size);
    void (*free)(struct configuration *configuration); /* NULL is allowed */
};

/*
 * Sets the applications' keys to what this configuration says, and all others to their defaults.
 * They are variables of the process: two configurations of one application share them, so this is
 * called before a worker is forked if another one's were applied since. Texts are borrowed from
 * the configuration. 0, or -1 with the reason; nothing fails that read() has not checked.
 */
int configuration_apply(const struct configuration *c, char *why, size_t why_size);

/* Keys that hold from the master's start on. */
#define CONFIGURATION_FIXED_MAX 2

/* Those of them that a reload from one to the other would change and cannot. Returns how many. */
size_t configuration_fixed(const struct configuration *present, const struct configuration *next,
                           const char *keys[CONFIGURATION_FIXED_MAX]);

#endif
