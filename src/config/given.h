/*
 * given - the values that were given, on the command line and in the file, and where.
 *
 * What stands on the command line goes before the file: a value there replaces the file's of the
 * same option. Of --set, --field, --error-page and --cache it replaces the one of the same key,
 * name, status or pattern; of --listen and --trust-proxy one is enough to replace all. What stands
 * in a section is replaced by nothing.
 */
#ifndef DROVER_CONFIG_GIVEN_H
#define DROVER_CONFIG_GIVEN_H

#include <stdbool.h>

#include "base/limits.h"
#include "config/faults.h"
#include "config/option.h"
#include "config/section.h"

struct given {
    const struct option *option;
    const char *value;             /* borrowed */
    struct place place;            /* of the value */
    const struct section *section; /* NULL: it stands in none */
    bool is_argument;              /* ROOT without an option before it */
};

/* All zero is the start. Free what it holds with givens_free(). */
struct givens {
    size_t count;
    size_t arguments; /* the first so many are the command line's */
    struct given list[CONFIG_VALUES_MAX];
    const char *file;         /* the configuration file; NULL: none */
    char *text;               /* what it says; NULL: nothing. The values borrow from it */
    bool file_is_empty;       /* without a byte */
    struct sections sections; /* of the file */
    bool app_is_unknown; /* it was given, and cannot be taken: what depends on it is not checked */
};

void givens_free(struct givens *givens);

/* Adds one; false when there are too many. */
bool givens_add(struct givens *givens, const struct given *one);

/* Is this, which the file says, replaced by what the command line says? */
bool givens_is_replaced(const struct givens *givens, const struct given *one);

/*
 * Was it taken over? All were that the file has not lost to the command line: of one option the
 * last counts, and each of a list was added.
 */
bool givens_applies(const struct givens *givens, size_t i);

/* Does one that was given stand? Neither replaced, nor followed by another in its place. */
bool givens_stands(const struct givens *givens, size_t i);

/* The one in the file, and in the same section, that stands for the same thing, which is once too
 * often; NULL: none. */
const struct given *givens_twice(const struct givens *givens, const struct given *one);

/* Where the value comes from that an option has; NULL: it is the default. In a section, or with
 * NULL outside of them. */
const struct given *givens_find(const struct givens *givens, const char *name);
const struct given *givens_find_in(const struct givens *givens, const struct section *section,
                                   const char *name);

/*
 * Adds a fault of a value: "--name value: WHAT" on the command line, "name = value: WHAT" in the
 * file. `status`: to exit with, when it is not the file's.
 */
void given_fault(const struct given *given, struct faults *faults, int status, const char *what);

#endif
