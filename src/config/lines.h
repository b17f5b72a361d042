/*
 * lines - the text of a configuration file, line by line.
 *
 *   KEY = VALUE         white space at both ends, and around the =, does not count
 *   KEY = "VALUE"       as it is, white space and # too; \" \\ and \xNN for ", \ and any byte
 *   KEY = 'VALUE'       as it is, up to the next '
 *   [WORD NAME]         a section begins
 *   # words             a comment, as is what follows a # that has white space before it
 *
 * A line ends with LF or CRLF. Which keys there are is not known here.
 */
#ifndef DROVER_CONFIG_LINES_H
#define DROVER_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* `p` has n bytes and a NUL behind them, and is written to. `at` and `line` start at 0. */
struct lines {
    char *p;
    size_t n;
    size_t at;
    unsigned line; /* of the last one that was read */
};

/* A key and its value, or a section's word and its name, each with a NUL behind it, inside the
 * text. Columns count characters. */
struct line {
    bool is_section; /* it was to begin one, whatever is wrong with it */
    const char *key;
    unsigned key_column;
    const char *value; /* NULL: it is missing */
    unsigned value_column;
    char fault[160];
};

enum lines_result {
    LINES_END,
    LINES_PAIR,
    LINES_SECTION,
    LINES_FAULT, /* the line is in no form: `fault` says why, and value_column where */
};

/* The next line that is neither blank nor a comment. A fault ends that line and no more. */
enum lines_result lines_next(struct lines *lines, struct line *line);

#endif
