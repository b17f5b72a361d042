/*
 * arguments - the command line of drover-load.
 */
#ifndef DROVER_LOAD_ARGUMENTS_H
#define DROVER_LOAD_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "load/option.h"

/* A number that was not given. */
#define ARGUMENTS_NONE UINT64_MAX

struct arguments {
    const char *url;       /* borrowed from argv */
    const char *unix_path; /* likewise; NULL: the URL's host and port */
    uint64_t clients;
    uint64_t per_minute; /* the rate of an open loop; 0: a closed loop */
    uint64_t requests;   /* or none */
    uint64_t pipeline;
    uint64_t sources; /* 0: the kernel's choice */
    uint64_t max_lost;
    uint64_t expect_status;
    uint64_t expect_length;   /* or none */
    uint64_t expect_checksum; /* or none */
    const char *expect_file;  /* or NULL */
    uint64_t duration_ms;     /* or none */
    uint64_t timeout_ms;
    uint64_t window_ms; /* 0: no windows */
    bool expect_same;
    bool close;
    bool json;
    bool quiet;
    bool help;
    bool version;
    struct option_fields fields; /* owned */
};

/*
 * Fills in the defaults and what the command line says. Returns 0; or -1 after it has told on
 * stderr which option is wrong, why, and what is allowed. With help or version the rest is not
 * checked.
 */
int arguments_read(struct arguments *arguments, int argc, char **argv);

void arguments_free(struct arguments *arguments);

/* The help text, on stdout. */
void arguments_help(void);

#endif
