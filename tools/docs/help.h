/*
 * help - what a program says of itself with --help, cut into blocks: the usage line, paragraphs,
 * and rows of a term and its text.
 */
#ifndef DROVER_DOCS_HELP_H
#define DROVER_DOCS_HELP_H

#include <stddef.h>

enum block_kind {
    BLOCK_USAGE, /* the line behind "usage: " */
    BLOCK_TEXT,  /* a paragraph, its lines joined */
    BLOCK_ITEM,  /* a term, two blanks at least, and its text */
};

struct block {
    enum block_kind kind;
    char *term; /* owned; of an item, else NULL */
    char *text; /* owned */
};

/* Zeroed: empty. */
struct help {
    struct block *blocks; /* owned */
    size_t count;
};

/* Cuts a text, and adds its blocks. Returns 0, or -1 with errno ENOMEM. */
int help_parse(struct help *help, const char *text);

/*
 * Runs a program, argv[0] is its path, and parses what it prints. Returns 0, or -1 with errno;
 * EPROTO: it did not exit with 0.
 */
int help_run(struct help *help, const char *const argv[]);

/* Leaves an empty one. */
void help_free(struct help *help);

#endif
