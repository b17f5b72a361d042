/*
 * choice - what the command line of run, all and expect has chosen beside what is measured.
 */
#ifndef DROVER_LAB_CLI_CHOICE_H
#define DROVER_LAB_CLI_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/trial/settings.h"
#include "load/option.h"

/* Numbers of workers, and workloads, in one list at most. */
#define CHOICE_LIST_MAX 16
/* Names on one command line: more than there are strategies and models. */
#define CHOICE_NAMES_MAX 64

struct choice {
    unsigned workers[CHOICE_LIST_MAX];
    size_t worker_count; /* 0: as the preset or the workload has it */
    const char *workloads[CHOICE_LIST_MAX];
    size_t workload_count;
    const char *names[CHOICE_NAMES_MAX]; /* borrowed from argv */
    size_t name_count;
    struct settings settings;
    uint64_t repeat; /* 0: not given */
    const char *out;
    const char *page; /* of `all`: the report */
    bool is_quick;
    bool help;

    const char *workers_text, *workload_text; /* the lists, as they are written */

    /* private: until they are read */
    const char *drain_text, *net_text;
    uint64_t backlog;
    char words[256]; /* owned: the lists, cut at their commas */
};

/*
 * Reads a command's line; argv[0] is its word. Returns 0, or -1 after it has told on stderr what is
 * wrong and what is allowed. The lists' names are not looked up. The choice must stay where it is.
 */
int choice_read(struct choice *choice, int argc, char **argv);

/* Reads the two lists from their texts; NULL: an empty one. As choice_read() returns. */
int choice_read_lists(struct choice *choice);

/* The help's lines for the options, on stdout. */
void choice_help(void);

#endif
