/*
 * verb_options - the command line of the verbs that are for a server that runs.
 */
#ifndef DROVER_CLI_VERB_OPTIONS_H
#define DROVER_CLI_VERB_OPTIONS_H

#include <stdbool.h>

/* What a verb may have beside --control PATH and --help. */
enum {
    VERB_JSON = 1 << 0,    /* --json */
    VERB_NOW = 1 << 1,     /* --now */
    VERB_OPERAND = 1 << 2, /* one argument, which must be there */
};

struct verb_options {
    const char *program; /* "drover stop", before what is wrong */
    unsigned may_have;   /* a bit each */
    const char *control; /* borrowed of the arguments; NULL: was not given */
    const char *operand; /* the same */
    bool is_json, is_now, wants_help;
};

/* Fills it. Returns 0, or EX_USAGE, and stderr has why, unless help is wanted. */
int verb_options_parse(struct verb_options *options, int argc, char *const argv[]);

/* Lines for --control and --json. Static. */
const char *verb_options_help(void);

#endif
