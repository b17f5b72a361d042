/*
 * preset - a named set of measurements: which strategies or models, workloads and numbers of
 * workers answer one question.
 */
#ifndef DROVER_LAB_CLI_PRESET_H
#define DROVER_LAB_CLI_PRESET_H

#include <stdbool.h>

#include "lab/trial/settings.h"

struct preset {
    const char *name;
    const char *teaches;
    bool is_of_models;     /* of all of them; else of all strategies */
    const char *workloads; /* parted by commas */
    const char *workers;   /* likewise */
    const char *quick_workers;
    unsigned repeat, quick_repeat;
    struct settings settings; /* what it changes of them; the command line changes others */
};

/* All of them; the last one has no name. `all` makes them in this order. Those that follow one
 * another with the same name are one preset of several parts. */
extern const struct preset presets[];

/* The first part of it, or NULL. */
const struct preset *preset_find(const char *name);

/* Is this row, of presets[], a further part of the one before? */
bool preset_is_part(const struct preset *preset);

#endif
