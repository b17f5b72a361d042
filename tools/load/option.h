/*
 * option - the options of a command line: rows of a table, and how they are read.
 */
#ifndef DROVER_LOAD_OPTION_H
#define DROVER_LOAD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What a value is, and what it is stored as. */
enum option_kind {
    OPTION_FLAG,     /* none; bool */
    OPTION_NUMBER,   /* uint64_t */
    OPTION_DURATION, /* uint64_t: milliseconds */
    OPTION_RATE,     /* uint64_t: a minute */
    OPTION_CHECKSUM, /* uint64_t: of 32 bits */
    OPTION_TEXT,     /* const char *, borrowed */
    OPTION_FIELD,    /* struct option_fields: one more of them */
    OPTION_KIND_COUNT
};

struct option_fields {
    struct buf lines; /* owned: each with its CRLF */
    bool has_host;    /* one is a Host field */
};

struct option {
    const char *name;
    const char *value; /* as the help shows it; NULL for a flag */
    enum option_kind kind;
    size_t at; /* where it is stored: the offset in the struct that option_read() is given */
    uint64_t min, max;
    const char *help;
};

struct option_table {
    const char *program; /* as its messages begin */
    const struct option *options;
    size_t count;
};

/*
 * Reads a command line from argv[1] on: "--name=value", or "--name value", in any order, into the
 * struct that the table is made for; any other word, and all behind "--", goes to `word`, which
 * returns -1 after it has told what is wrong with it. NULL: no word is allowed. Returns 0, or -1
 * after it has told on stderr which option is wrong, why, and what is allowed.
 */
int option_table_read(const struct option_table *table, void *into, int argc, char **argv,
                      int (*word)(void *into, const char *word));

/* A line of help an option, on stdout. */
void option_table_help(const struct option_table *table);

#endif
