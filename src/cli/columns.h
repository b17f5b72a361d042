/*
 * columns - which of the counters that a board has for applications are whose.
 *
 * A worker counts in the columns of its application, and whoever works in its row next goes on
 * there. So an application keeps its columns from one configuration to the next, also as one that
 * is no longer there: counters that were another's would be wrong.
 */
#ifndef DROVER_CLI_COLUMNS_H
#define DROVER_CLI_COLUMNS_H

#include <drover.h>
#include <stddef.h>

/* All zero is the start. */
struct columns {
    size_t count;
    struct drover_metric metrics[DROVER_METRICS_MAX + 1]; /* ends with a NULL name */
    const struct drover_app *apps[DROVER_METRICS_MAX];    /* whose each is; borrowed */
    char names[DROVER_METRICS_MAX][64];
};

/*
 * Gives the application as many as it has metrics, or those that it has already; *at is the first.
 * A metric whose name another has is called SITE_NAME. NULL, or why it cannot have them.
 */
const char *columns_give(struct columns *columns, const struct drover_app *app, const char *site,
                         unsigned *at);

void columns_copy(struct columns *to, const struct columns *from);

#endif
