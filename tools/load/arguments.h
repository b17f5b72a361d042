/*
 * arguments - the command line of drover-load.
 */
#ifndef DROVER_LOAD_ARGUMENTS_H
#define DROVER_LOAD_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct arguments {
    const char *url;       /* borrowed from argv */
    const char *unix_path; /* likewise; NULL: the URL's host and port */
    uint64_t clients;
    uint64_t requests; /* UINT64_MAX: no limit */
    uint64_t sources;
    uint64_t max_lost;
    uint64_t expect_status;
    uint64_t expect_length; /* UINT64_MAX: any */
    uint64_t duration_ms;   /* UINT64_MAX: no limit */
    uint64_t timeout_ms;
    bool close;
    bool json;
    bool quiet;
    bool help;
    bool version;
    bool has_host;     /* `fields` holds a Host field */
    struct buf fields; /* owned: lines of the request's head, each with its CRLF */
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
