/*
 * option - one option of the command line: a row of a table, and how its value is read.
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

/* Stores what the text says. Returns NULL, or what is wrong with it; static. */
const char *option_read(const struct option *option, void *into, const char *text);

/* Tells on stderr what is wrong with the text (NULL: it is missing), and what is allowed. */
void option_complain(const struct option *option, const char *text, const char *wrong);

#endif
