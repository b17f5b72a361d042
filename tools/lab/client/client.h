/*
 * client - the lab's load: a process of its own that opens connections, asks, and times the
 * answers from when each was meant to begin (an open loop: one that waits for its turn hides a
 * stall). It looks at an answer's length and its stamp alone, to cost less CPU than a server.
 *
 * Over loopback it pays for more than its own part, since the kernel does the listener's half of
 * the handshake, and wakes the worker, within the client's connect(2). Seen with one connection at
 * a time (Linux 6.18, perf record): 47 % of its time are that half, and 73 % where the worker's CPU
 * has to be woken, too.
 *
 * A plan has two parts. First `idle` connections are opened, asked once each so that it is known
 * who has accepted them, and kept; then client_start() returns. At client_go() those ask all at
 * once if it is a burst, and `seats` clients begin.
 */
#ifndef DROVER_LAB_CLIENT_CLIENT_H
#define DROVER_LAB_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "load/histogram.h"
#include "load/ledger.h"
#include "os/net.h"

/* No load goes on for longer; then it waits for the last answers as long as it has patience. */
#define CLIENT_DURATION_MAX_US INT64_C(60000000)

struct client_plan {
    struct net_address to;
    unsigned sources; /* source addresses 127.0.0.2 and on, by turns; 0: as the kernel chooses */
    bool asks;        /* sends requests; else it reads the greeting of a server that speaks first */

    unsigned idle; /* connections that are kept beside the others; needs `asks` */
    bool is_burst; /* at client_go() each of them asks once, at the same moment */

    unsigned seats;       /* connections at one time at most; 0: no more than the idle ones */
    uint64_t connections; /* in all; 0: as many as the time allows */
    int64_t duration_us;  /* none is due after that; 0: as many as `connections` says, within
                             CLIENT_DURATION_MAX_US */
    uint64_t per_minute;  /* connections that are due a minute (load/pace.h); 0: a closed loop */
    bool at_once;         /* of an open loop: all of `connections` are due at the start */

    unsigned requests; /* of one connection, one after the other; at least 1 */
    bool is_zipf;     /* 1 to 16 times `requests` of a connection instead, by Zipf's law, s = 1.2 */
    uint64_t cost_us; /* CPU time that a request asks for */

    int64_t late_us;     /* an answer after that is late; 0: none is */
    int64_t patience_us; /* without an answer after that it is lost (OUTCOME_SILENT) */

    int cpu;       /* that it is pinned to; -1: none */
    int netns;     /* descriptor of the network namespace that it enters; -1: none. Borrowed. */
    uint64_t seed; /* of Zipf's dice */

    /* Called in the client's process before each connection of a closed loop with one seat, outside
     * of its CPU time and latencies: a place to wait until the workers sleep. NULL: nothing. The
     * process has no descriptor of its maker's but the standard ones. */
    void (*before)(void *context);
    void *context;
};

/* Counts are of answers that were due: one a request, one a greeting. */
struct client_result {
    uint64_t connections;         /* that came to be; the idle ones are not counted */
    uint64_t served;              /* answered in time */
    uint64_t late;                /* answered, but too late */
    uint64_t lost[OUTCOME_COUNT]; /* by cause; [OUTCOME_ANSWERED] is 0 */
    uint64_t idle;                /* of the idle ones: how many are in */
    int64_t elapsed_us;           /* from client_go() to the last answer */
    uint64_t cpu_us;              /* of the client, from client_go() on; known at the end */
    int error;                    /* errno that ended it early; 0: none */
    char words[128];              /* what it was doing then */
    struct histogram answer;      /* us from when it was due to the answer's last byte */
    struct histogram accept;      /* us from when the connection was due to the worker's accept */
};

struct client;

/* The plan is borrowed until client_join(). Returns NULL with errno set when it cannot be started,
 * or its idle connections not be opened (the result's words are in *words, static). */
struct client *client_start(const struct client_plan *plan, const char **words);
void client_go(struct client *client);

/* Its process, to be accounted for. */
pid_t client_pid(const struct client *client);

/* What it has so far; it runs on. Borrowed until client_join(). */
const struct client_result *client_watch(const struct client *client);

/* Is it through within that time? */
bool client_is_through(struct client *client, int timeout_ms);

/* Waits until it is through. Its idle connections stay open until client_join(), so that their end
 * need not be part of what is measured. */
void client_wait(struct client *client);

/* Waits for its end and frees it; result may be NULL: then it is killed. Returns 0, or -1 with
 * errno set when it failed, whose words are in the result. */
int client_join(struct client *client, struct client_result *result);

#endif
