/*
 * idlers - clients that have been served once and now say nothing: a process that holds their
 * connections. It opens many at a time, where client.h's wait for each other, since a server whose
 * wait is linear would take a minute for 20,000 of them.
 */
#ifndef DROVER_LAB_MODELS_IDLERS_H
#define DROVER_LAB_MODELS_IDLERS_H

#include <stdint.h>
#include <sys/types.h>

#include "os/net.h"

/* Milliseconds for all of them: a fork each for 20,000 takes a few seconds. */
#define IDLERS_OPEN_MS 20000

struct idlers {
    pid_t pid;     /* 0: none */
    int told_fd;   /* a pipe from it; owned */
    uint32_t held; /* connections */
};

/*
 * Opens so many, each with one answer, `netns`: from that network namespace, -1: this one. Returns
 * 0; or -1 with errno set, when it cannot be done, or has not been within some time (ETIMEDOUT).
 * idlers_close() is due in either case.
 */
int idlers_open(struct idlers *idlers, const struct net_address *to, uint32_t count, int netns);

/* Ends them, without leaving ports in TIME_WAIT. */
void idlers_close(struct idlers *idlers);

#endif
