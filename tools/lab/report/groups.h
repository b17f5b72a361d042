/*
 * groups - measurements that are repeats of one another: the same machine, kind, name, workload,
 * phase, number of workers and settings.
 */
#ifndef DROVER_LAB_REPORT_GROUPS_H
#define DROVER_LAB_REPORT_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "lab/report/results.h"

/* What may be chosen of a trial, as far as two of them are not repeats when it differs. */
enum setting {
    SETTING_DRAIN,
    SETTING_NET,
    SETTING_PINNED,
    SETTING_DEFER,
    SETTING_BACKLOG,
    SETTING_COUNT
};

struct group {
    const struct result **rows; /* borrowed from the results; those that were skipped among them */
    size_t count;
    char settings[64]; /* in words: what is not as it is mostly: "veth, pinned"; "" mostly */
    bool is_odd;       /* settings that are not the default, so it is no part of a curve */

    /* private */
    char *key;
    size_t order;
    bool tells_drain;
};

struct groups {
    struct group *all; /* owned: in the order in which the results have them */
    size_t count;
    bool failed; /* out of memory */
};

/* A group that is looked for. */
struct query {
    unsigned machine;
    const char *kind, *name, *workload;
    const char *phase; /* NULL: any */
    unsigned workers;  /* 0: any */
};

/* The name of a setting's field; static. */
const char *setting_field(enum setting setting);

/* Makes them of all measurements; the results must outlive them. Settings whose bit (1 << setting)
 * is in `blind` do not tell two apart. Returns false without memory; groups_free() is due either
 * way. */
bool groups_make(struct groups *groups, const struct results *results, unsigned blind);
void groups_free(struct groups *groups);

/* The one with default settings, else the first one, that has figures; NULL. */
const struct group *groups_find(const struct groups *groups, const struct query *query);

/* The same group of other groups, made with the same `blind`: to compare two files. NULL. */
const struct group *groups_twin(const struct groups *groups, const struct group *group);

/* Figures that repeats have; NAN when none has it. The spread is half of the range, in the figure's
 * own unit; NAN of fewer than two. "lost" is the sum over all causes. */
double group_median(const struct group *group, const char *field);
double group_half_range(const struct group *group, const char *field);
size_t group_runs(const struct group *group, const char *field);

/* Why there are no figures at all; NULL: there are some. */
const char *group_skipped(const struct group *group);

#endif
