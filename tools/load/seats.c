#include "load/seats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A client whose connects fail in a row waits that long, so as not to spin: 100 a second still
 * see a server come back within a blink. */
#define PAUSE_US 10000

#define SECOND_US 1000000

/* What a connection is watched for. RDHUP: the answer's read then also tells of the peer's end.
 * Edge-triggered, or each wait would look again at all that the one before it had reported. */
#define READABLE (EPOLLIN | EPOLLRDHUP | EPOLLET)

/* A request under way. */
struct flight {
    struct fifo_node node; /* since it was begun */
    struct seat *seat;
    int64_t due_us;
};

struct seat {
    struct client client;
    struct seats *seats;
    struct fifo_node ready, paused;
    struct flight *flights; /* a ring of job->depth: client.pending of them from `oldest` on */
    unsigned oldest;
    uint32_t watched;  /* events that the loop watches its connection for */
    unsigned failures; /* connects in a row that failed */
};

int64_t seats_clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail with this clock */
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* Later than any clock goes, instead of an overflow. */
static int64_t later(int64_t from_us, int64_t by_us)
{
    int64_t sum;
    return __builtin_add_overflow(from_us, by_us, &sum) ? INT64_MAX : sum;
}

/* How many requests were due before a time, are allowed, and have not begun. */
static uint64_t due_before(const struct seats *seats, int64_t before_us)
{
    uint64_t due = pace_count(&seats->pace, before_us);
    uint64_t allowed = due < seats->requests ? due : seats->requests;
    return allowed > seats->begun ? allowed - seats->begun : 0; /* a signal sets an earlier end */
}

static bool is_over(const struct seats *seats)
{
    return seats->ended || seats->begun >= seats->requests;
}

/* How many requests may begin now. */
static uint64_t may_begin(const struct seats *seats)
{
    bool late = seats->now_us >= seats->end_us;
    if (seats->ended || (late && seats->pace.per_minute == 0))
        return 0;
    return due_before(seats, late ? seats->end_us : seats->now_us + 1);
}

uint64_t seats_unsent(const struct seats *seats)
{
    return seats->pace.per_minute > 0 ? due_before(seats, seats->end_us) : 0;
}

bool seats_have_connected(const struct seats *seats)
{
    for (unsigned i = 0; i < seats->count; i++)
        if (seats->list[i].client.connections > 0)
            return true;
    return false;
}

static void seat_disconnect(struct seat *seat)
{
    if (seat->watched)
        loop_delete(seat->seats->loop, seat->client.fd);
    seat->watched = 0;
    client_close(&seat->client);
}

static void tell_local(struct result *result, int error)
{
    if (result->local_error != error)
        fprintf(stderr,
                "drover-load: this machine, not the server, cannot open more connections: %s\n",
                strerror(error));
    result->local_error = error;
}

/* The client's oldest request is over: into the ledger with it, once. The clock is read here, after
 * the answer: its time ends with its last byte. */
static void seat_settle(struct client *client, enum outcome outcome)
{
    struct seat *seat = FIFO_OWNER(client, struct seat, client);
    struct seats *seats = seat->seats;
    struct flight *flight = &seat->flights[seat->oldest];
    seats->now_us = seats_clock_us();
    result_add(seats->result, outcome, seats->now_us - seats->start_us,
               seats->now_us - flight->due_us);
    if (outcome == OUTCOME_LOCAL)
        tell_local(seats->result, client->error);
    if (outcome == OUTCOME_WRONG_STATUS)
        ledger_add_wrong(&seats->result->ledger, client->status);
    seats->last_us = seats->now_us;
    fifo_remove(&flight->node);
    seat->oldest = seat->oldest + 1 < seats->job->depth ? seat->oldest + 1 : 0;
}

static void seat_ready(struct loop *loop, int fd, uint32_t events, void *context);

/* A kept connection is watched once; only one that must wait to send is watched twice. */
static void seat_watch(struct seat *seat, uint32_t events)
{
    struct loop *loop = seat->seats->loop;
    int fd = seat->client.fd;
    if (seat->watched == events)
        return;
    int done = seat->watched ? loop_change(loop, fd, events)
                             : loop_add(loop, fd, events, seat_ready, seat);
    if (done == 0)
        seat->watched = events;
    else
        client_lose(&seat->client, OUTCOME_LOCAL, errno);
}

/* What is there already is reported once more. */
static void seat_watch_again(struct seat *seat)
{
    if (loop_change(seat->seats->loop, seat->client.fd, seat->watched) < 0)
        client_lose(&seat->client, OUTCOME_LOCAL, errno);
}

static void seat_pause(struct seat *seat)
{
    fifo_remove(&seat->ready);
    fifo_append(&seat->seats->paused, &seat->paused, seat->seats->now_us);
}

/* Does what the client wants. Returns false when the seat can begin nothing for a while. */
static bool seat_heed(struct seat *seat, enum client_want want)
{
    struct client *client = &seat->client;
    if (want == CLIENT_LATER) {
        seat_pause(seat);
        return false;
    }
    if (want == CLIENT_MORE)
        seat_watch_again(seat);
    else if (want == CLIENT_WRITE)
        seat_watch(seat, READABLE | EPOLLOUT);
    else if (!client_is_spent(client))
        seat_watch(seat, READABLE);
    if (!client_is_spent(client))
        return true;
    seat->failures = client_is_connected(client) ? 0 : seat->failures + 1;
    seat_disconnect(seat);
    if (seat->failures > 1)
        seat_pause(seat);
    return seat->failures <= 1;
}

static enum client_want seat_begin(struct seat *seat, unsigned n)
{
    struct seats *seats = seat->seats;
    unsigned depth = seats->job->depth;
    unsigned at = seat->oldest + seat->client.pending;
    fifo_remove(&seat->ready);
    for (unsigned i = 0; i < n; i++, at++) {
        struct flight *flight = &seat->flights[at < depth ? at : at - depth];
        flight->due_us = pace_due(&seats->pace, seats->begun++, seats->now_us);
        fifo_append(&seats->flying, &flight->node, seats->now_us);
    }
    return client_ask(&seat->client, seats->job, n);
}

/* How many requests the seat begins now. In an open loop one: the next is for another seat. */
static unsigned seat_share(const struct seat *seat)
{
    const struct seats *seats = seat->seats;
    unsigned room = seats->job->depth - seat->client.pending;
    uint64_t share = may_begin(seats);
    if (seats->pace.per_minute > 0 && share > 1)
        share = 1;
    return share < room ? (unsigned)share : room;
}

/* Does what the client wants, and lets it have the next requests when its turn comes. */
static void seat_go(struct seat *seat, enum client_want want)
{
    struct seats *seats = seat->seats;
    bool may_wait = seat_heed(seat, want) && seat->client.pending < seats->job->depth;
    if (may_wait && !seat->ready.next)
        fifo_append(&seats->ready, &seat->ready, seats->now_us);
}

static void seat_ready(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)fd;
    struct seat *seat = context;
    bool peer_closed = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    seat_go(seat, client_step(&seat->client, seat->seats->job, peer_closed));
}

/* A request that waits for room in a unix listener's queue is still under way. */
static void seat_resume(struct seat *seat)
{
    struct seats *seats = seat->seats;
    fifo_remove(&seat->paused);
    if (seat->client.pending > 0)
        seat_go(seat, client_ask(&seat->client, seats->job, 0));
    else
        fifo_append(&seats->ready, &seat->ready, seats->now_us);
}

/* What waits on the connection behind a request that is silent is so, too. */
static void seat_expire(struct seat *seat)
{
    fifo_remove(&seat->paused);
    client_lose(&seat->client, OUTCOME_SILENT, 0);
    seat_go(seat, CLIENT_OVER);
}

static void expire(struct seats *seats)
{
    struct fifo_node *node;
    while ((node = fifo_first_since(&seats->flying, seats->now_us - seats->timeout_us)))
        seat_expire(FIFO_OWNER(node, struct flight, node)->seat);
    while ((node = fifo_first_since(&seats->paused, seats->now_us - PAUSE_US)))
        seat_resume(FIFO_OWNER(node, struct seat, paused));
}

/* All answers of a turn are read before the next requests are sent: a server that wakes at the
 * first of these finds the others too, and each side's work is done in fewer, longer pieces. */
void seats_turn(struct seats *seats)
{
    struct fifo_node *node;
    seats->now_us = seats_clock_us();
    expire(seats);
    while (may_begin(seats) > 0 && (node = fifo_first(&seats->ready))) {
        struct seat *seat = FIFO_OWNER(node, struct seat, ready);
        seat_go(seat, seat_begin(seat, seat_share(seat)));
        seats->now_us = seats_clock_us(); /* a connect takes long enough to matter */
    }
    seats->ended = seats->now_us >= seats->end_us;
}

bool seats_are_busy(const struct seats *seats)
{
    return fifo_first(&seats->flying) || fifo_first(&seats->paused) || !is_over(seats);
}

int64_t seats_next_us(const struct seats *seats, int64_t until_us)
{
    const struct fifo_node *flying = fifo_first(&seats->flying);
    const struct fifo_node *paused = fifo_first(&seats->paused);
    if (flying && later(flying->since_us, seats->timeout_us) < until_us)
        until_us = later(flying->since_us, seats->timeout_us);
    if (paused && paused->since_us + PAUSE_US < until_us)
        until_us = paused->since_us + PAUSE_US;
    return until_us;
}

static void seat_init(struct seats *seats, unsigned i)
{
    struct seat *seat = &seats->list[i];
    seat->seats = seats;
    seat->flights = seats->flights + (size_t)i * seats->job->depth;
    for (unsigned n = 0; n < seats->job->depth; n++)
        seat->flights[n].seat = seat;
    client_init(&seat->client, i, seat_settle);
    fifo_append(&seats->ready, &seat->ready, 0);
}

int seats_open(struct seats *seats)
{
    fifo_init(&seats->ready);
    fifo_init(&seats->paused);
    fifo_init(&seats->flying);
    seats->list = calloc(seats->count, sizeof *seats->list);
    seats->flights = calloc((size_t)seats->count * seats->job->depth, sizeof *seats->flights);
    if (!seats->list || !seats->flights)
        return -1;
    for (unsigned i = 0; i < seats->count; i++)
        seat_init(seats, i);
    return 0;
}

static void seat_close(struct seat *seat)
{
    struct result *result = seat->seats->result;
    seat_disconnect(seat);
    result->bytes += seat->client.bytes;
    result->connections += seat->client.connections;
    result->idle_ends += seat->client.idle_ends;
}

void seats_close(struct seats *seats)
{
    for (unsigned i = 0; seats->list && seats->flights && i < seats->count; i++)
        seat_close(&seats->list[i]);
    free(seats->list);
    free(seats->flights);
}
