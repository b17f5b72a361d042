/*
 * preset - a named set of measurements: which strategies or models, workloads and numbers of
 * workers answer one question.
 */
#ifndef DROVER_LAB_CLI_PRESET_H
#define DROVER_LAB_CLI_PRESET_H

#include <stdbool.h>

struct preset {
    const char *name;
    const char *teaches;
    bool is_of_models;     /* of all of them; else of all strategies */
    const char *workloads; /* parted by commas */
    const char *workers;   /* likewise */
    const char *quick_workers;
    unsigned repeat, quick_repeat;
};

/* All of them; the last one has no name. `all` makes them in this order. */
extern const struct preset presets[];

const struct preset *preset_find(const char *name);

#endif
