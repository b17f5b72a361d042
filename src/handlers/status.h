/*
 * status - how the server is: /healthz, /metrics (Prometheus text 0.0.4), /status.json, and a page.
 */
#ifndef DROVER_HANDLERS_STATUS_H
#define DROVER_HANDLERS_STATUS_H

#include <drover.h>

extern const struct drover_app status_app;

#endif
