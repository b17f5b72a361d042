/*
 * top_loop - looks at a server again and again, and shows it: on the terminal, where keys are
 * taken, or as text, a frame each time.
 */
#ifndef DROVER_CLI_TOP_LOOP_H
#define DROVER_CLI_TOP_LOOP_H

#include <stdint.h>

#include "cli/ask.h"

struct top_options {
    struct request request;
    int64_t interval_ms;
    int64_t count; /* frames; 0: without end */
};

/*
 * Until it is left. Returns the status to exit with: 0 when that was wanted, or whoever reads the
 * text has gone; else stderr has why. The terminal is as it was. A signal that ends it is raised
 * again after that, and then this does not return.
 */
int top_run(const struct top_options *options);

#endif
