/*
 * report - what a worker tells its master: see order.h.
 */
#ifndef DROVER_WORKER_REPORT_H
#define DROVER_WORKER_REPORT_H

#include "worker/order.h"

/* At once; never waits. -1 when the master does not read, or is gone. */
int report_send(int channel, enum report_kind kind, int count, const char *why);

/* The start fails for this reason, which the master logs with what it does about it. Returns the
 * status. */
int report_failed(int channel, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
