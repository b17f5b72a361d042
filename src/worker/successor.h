/*
 * successor - how a worker that a standby has made (standby.h) goes on where another has stopped:
 * what it keeps of the descriptor table, and the connections that it resumes.
 */
#ifndef DROVER_WORKER_SUCCESSOR_H
#define DROVER_WORKER_SUCCESSOR_H

#include "os/fds.h"
#include "worker/desk.h"
#include "worker/standby.h"

/* What becomes of a descriptor. */
enum fate {
    FATE_KEPT,    /* was open when the standby was made, whatever the desk says of it */
    FATE_RESUMED, /* a connection that the worker before has left at rest, if it is one */
    FATE_CLOSED,  /* the rest: connections in the middle of something, an application's files */
};

/* `pristine`: open when the standby was made. */
enum fate successor_fate(const struct desk *left, const struct fds *pristine, int fd);

/* Closes what is not kept, and what has lost what was there (pristine.h); of what is kept nothing
 * is watched any more, nor locked. */
void successor_sweep(struct worker *w, const struct standby_order *order);

/* Goes on with the connections, once this worker is open for them. Returns how many there are. */
int successor_resume(struct worker *w, const struct standby_order *order);

#endif
