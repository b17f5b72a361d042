/*
 * verdict - whether a server is healthy, and whether it is ready, as the probes of an orchestrator
 * or a balancer ask, with the reason in a line.
 *
 * Healthy: its master looks after it. One that is not is to be started anew. Ready: new requests
 * may be sent to it. One that is not starts, stops, or has a queue that nobody serves.
 */
#ifndef DROVER_STATUS_VERDICT_H
#define DROVER_STATUS_VERDICT_H

#include "base/buf.h"
#include "status/snapshot.h"

/* Each appends a line, which says why where the verdict is false. */
bool verdict_healthy(const struct snapshot *snapshot, struct buf *why);
bool verdict_ready(const struct snapshot *snapshot, struct buf *why);

#endif
