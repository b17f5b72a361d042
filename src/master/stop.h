/*
 * stop - the end of the server, in order: it may go on accepting for a while (--lame-duck); then no
 * new client comes in, the queues are served, what runs is finished, and the workers leave.
 */
#ifndef DROVER_MASTER_STOP_H
#define DROVER_MASTER_STOP_H

#include "master/state.h"

/* On this, as in "SIGTERM". The second time at once. */
void stop_on(struct master *m, const char *cause);

/* Without an end to what runs. */
void stop_now(struct master *m, const char *cause);

/* To be called every turn: begins when the lame duck's time is over. */
void stop_tick(struct master *m);

#endif
