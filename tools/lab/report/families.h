/*
 * families - the strategies and models that were measured, in groups of a few that are alike, so
 * that a plot need not tell two dozen lines apart.
 *
 * A name that is in no family here, a new strategy's, is found at the end, among the others.
 */
#ifndef DROVER_LAB_REPORT_FAMILIES_H
#define DROVER_LAB_REPORT_FAMILIES_H

#include <stddef.h>

#include "lab/report/groups.h"

/* So many names of a family are told apart by colour and mark. */
#define FAMILY_SIZE_MAX 4
#define FAMILIES_MAX    32
#define CAST_MAX        ((size_t)FAMILIES_MAX * FAMILY_SIZE_MAX)

struct family {
    const char *title; /* static */
    const char *names[FAMILY_SIZE_MAX];
    size_t count; /* 1 at least */
};

struct families {
    struct family all[FAMILIES_MAX];
    size_t count;
    const char *names[CAST_MAX]; /* of all, in the same order; borrowed from the results */
    size_t name_count;
};

/* Those of a kind ("strategy", "model") that have been measured on a machine, or were skipped. */
void families_make(struct families *families, const struct groups *groups, unsigned machine,
                   const char *kind);

#endif
