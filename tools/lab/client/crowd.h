/*
 * crowd - the load with many connections at a time, by epoll. One that has no answer for as long as
 * the plan has patience is given up (SILENT).
 */
#ifndef DROVER_LAB_CLIENT_CROWD_H
#define DROVER_LAB_CLIENT_CROWD_H

#include "lab/client/load.h"

/*
 * Runs the plan; load_start() is its own. `idle` are the connections that are held beside and take
 * part in a burst: borrowed; one that is lost is closed and becomes -1. Returns 0, or -1 after
 * load_fail().
 */
int crowd_run(struct load *load, int *idle, unsigned idle_count);

#endif
