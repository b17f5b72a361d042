/*
 * rows - what may stand on a command line: a row for each command, option and other word.
 */
#ifndef DROVER_DOCS_ROWS_H
#define DROVER_DOCS_ROWS_H

#include <stdbool.h>

enum row_kind {
    ROW_COMMAND, /* the command itself, before what belongs to it */
    ROW_FLAG,    /* an option without a value; the rest are values */
    ROW_ANY,     /* one that nobody else knows */
    ROW_FILE,
    ROW_FOLDER,
    ROW_USER,
    ROW_GROUP,
    ROW_CONTROL, /* a control socket that is there, or a file */
    ROW_WORDS,
};

#define ROW_WORDS_SIZE 2048
#define ROW_HELP_SIZE  96

/* Borrowed, while the function runs that it is given to. */
struct row {
    const char *program;
    const char *command;  /* NULL: the program has none */
    const char *name;     /* "--listen", "-c"; NULL: a word that is no option */
    const char *argument; /* as the help calls the value; NULL: none */
    enum row_kind kind;
    bool also_files; /* beside the words */
    bool may_repeat;
    char words[ROW_WORDS_SIZE]; /* with blanks between them */
    char help[ROW_HELP_SIZE];   /* in one line */
};

/*
 * Calls fn for each row of drover, drover-load and drover-lab, the programs in the directory BUILD,
 * until it returns -1. Returns 0, or -1; what failed here was told.
 */
int rows_each(const char *build, int (*fn)(void *context, const struct row *row), void *context);

#endif
