/*
 * settings - what can be chosen of a trial beside what is tried.
 */
#ifndef DROVER_LAB_TRIAL_SETTINGS_H
#define DROVER_LAB_TRIAL_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* Workers of one trial at most. */
#define LAB_WORKERS_MAX 128

/* The backlog where none is asked for: more than any load here opens at one time. */
#define LAB_BACKLOG 4096

enum drain {
    DRAIN_DEFAULT, /* as the strategy is mostly used: edge-triggered ones drain */
    DRAIN_NO,      /* one accept a wake-up */
    DRAIN_YES,     /* accept until EAGAIN */
};

enum wire {
    WIRE_LOOPBACK,
    WIRE_VETH, /* a veth pair into a network namespace, where the client is */
};

struct settings {
    enum drain drain;
    enum wire wire;
    bool is_deferred; /* TCP_DEFER_ACCEPT, tcp(7): a worker is woken by the request */
    bool is_pinned;   /* worker n to CPU n modulo their number, the client to the last one */
    int backlog;      /* listen(2); 0: LAB_BACKLOG */
    uint64_t seed;    /* of everything that is drawn */
};

static inline int settings_backlog(const struct settings *settings)
{
    return settings->backlog > 0 ? settings->backlog : LAB_BACKLOG;
}

#endif
