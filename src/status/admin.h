/*
 * admin - what the admin process answers: /healthz, /readyz, /metrics, /status.json and the page
 * /status, each made of a snapshot that is taken for it.
 */
#ifndef DROVER_STATUS_ADMIN_H
#define DROVER_STATUS_ADMIN_H

#include <drover.h>

#include "base/buf.h"
#include "status/metrics.h"
#include "status/snapshot.h"

/* What the application works with. */
struct admin_view {
    const struct board *board;   /* borrowed */
    struct metrics_floor *floor; /* borrowed */

    /* private; zeroed at first */
    struct snapshot *snapshot; /* owned */
    struct buf text;
};

/* Borrows the view for as long as it runs. */
struct drover_app admin_app(struct admin_view *view);

void admin_view_free(struct admin_view *view);

#endif
