/*
 * host - a server of one model as its supervisor has it: the listener, the process, and all that
 * this one makes. They are a process group of their own, by which they are told apart and ended;
 * none outlives the supervisor (PR_SET_PDEATHSIG), and all are reaped by it, those whose parent has
 * ended before them, too (PR_SET_CHILD_SUBREAPER, which it has as long as a host is open).
 */
#ifndef DROVER_LAB_MODELS_HOST_H
#define DROVER_LAB_MODELS_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/kernel/wire.h"
#include "lab/models/model.h"
#include "lab/models/server.h"
#include "lab/trial/settings.h"
#include "os/net.h"

struct host {
    const struct model *model; /* borrowed */
    struct wire_link link;     /* owned: what is between it and its clients */
    struct net_address address;
    struct server_counts *counts; /* what it has done so far */
    pid_t pid;                    /* and the group; 0: none */
    char words[256];              /* why something failed */
    const char *lacks;            /* static: what this machine or user lacks for its link */

    /* private */
    int door;
    bool was_subreaper;
};

/* Starts it; it waits for connections then, of which it holds `capacity` at most. The struct may be
 * uninitialised; host_close() is due in either case. -1 with errno set, and why in host->words. */
int host_open(struct host *host, const struct model *model, const struct settings *settings,
              uint64_t capacity);
void host_close(struct host *host);

/* It has ended by itself, which none should; the reason is in host->words. */
bool host_has_ended(struct host *host);

/*
 * Waits until it has done what it was asked for: no request is answered for a few milliseconds, and
 * as many connections are open as `held` says. False when that has not come within some seconds.
 */
bool host_settle(const struct host *host, uint64_t held);

/* What all its processes have used so far. -1 with errno set, and why in host->words. */
int host_usage(struct host *host, struct server_usage *usage);

/* Bytes of memory that all its processes have resident; what they share counts once. 0 if that
 * cannot be known. The kernel's own, for sockets and tasks, is not in it. */
uint64_t host_resident(const struct host *host);

/* Connections that the kernel has turned away since its listener had no room. */
uint64_t host_drops(const struct host *host);

#endif
