#include "lab/workloads/strand.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "lab/client/dice.h"
#include "lab/trial/trial.h"
#include "lab/workloads/victim.h"

#define TRIALS       200
#define TRIALS_QUICK 40

/* Where many are stranded it takes long: no trial begins after that. */
#define TIME_US       INT64_C(1500000)
#define TIME_QUICK_US INT64_C(500000)

/* From when the client is told to go: it connects some 30 us after that, and a worker that sleeps
 * has accepted some 30 us later. */
#define MOMENTS_US 200

/* Nobody needs that long who knows of the client. */
#define STRANDED_MS 50

/* For the worker to go on, or its successor, and to serve the client. */
#define PATIENCE_US 2000000

#define SETTLE_MS 1000

struct strand {
    struct trial *trial;
    bool is_killed;
    struct dice dice;
    struct victim victim;
    struct client_result sum; /* of all clients */
    uint64_t tried, stranded;
};

/* A sleep would end too late for this. The CPU is free for whoever is woken meanwhile. */
static void yield_until(int64_t us)
{
    while (clock_us() < us)
        sched_yield();
}

/* Was a connection passed to a worker that has not taken it from its channel? */
static bool is_one_on_its_way(const struct trial *trial)
{
    for (unsigned i = 0; i < trial->workers; i++) {
        int bytes;
        if (ioctl(trial->arena.ends[i], FIONREAD, &bytes) == 0 && bytes > 0)
            return true;
    }
    return false;
}

/* In the queue of a listener, that is: whom nobody has accepted. */
static bool is_one_queued(const struct trial *trial)
{
    for (unsigned i = 0; i < trial->workers; i++) {
        struct net_queue queue;
        if (net_queue(trial->arena.doors[i], &queue) == 0 && queue.queued > 0)
            return true;
    }
    return false;
}

static bool is_nobodys(const struct trial *trial)
{
    return is_one_queued(trial) || is_one_on_its_way(trial);
}

static int strike(struct strand *strand, unsigned slot)
{
    struct trial *trial = strand->trial;
    if (strand->is_killed)
        return trial_kill(trial, slot);
    if (arena_stop(&trial->arena, slot, false) < 0)
        return trial_fail(trial, "%s", trial->arena.words);
    return 0;
}

static int mend(struct strand *strand, unsigned slot)
{
    struct trial *trial = strand->trial;
    if (strand->is_killed)
        return trial_respawn(trial, slot);
    if (arena_continue(&trial->arena, slot) < 0)
        return trial_fail(trial, "%s", trial->arena.words);
    return 0;
}

/* The client has begun. One that was accepted by whoever was hit waits, too, but is in its hands,
 * where nobody else could take it from. */
static int hit(struct strand *strand, struct client *client, unsigned slot)
{
    yield_until(clock_us() + (int64_t)dice_below(&strand->dice, MOMENTS_US));
    if (strike(strand, slot) < 0)
        return -1;
    strand->tried++;
    if (!client_is_through(client, STRANDED_MS) && is_nobodys(strand->trial))
        strand->stranded++;
    return mend(strand, slot);
}

static void add(struct client_result *sum, const struct client_result *one)
{
    sum->connections += one->connections;
    sum->served += one->served;
    sum->late += one->late;
    sum->cpu_us += one->cpu_us;
    for (int i = 0; i < OUTCOME_COUNT; i++)
        sum->lost[i] += one->lost[i];
    if (one->answer.total > 0) /* of one client alone: the longest is all there is */
        histogram_add(&sum->answer, (int64_t)one->answer.max_us);
}

static int try_once(struct strand *strand)
{
    struct trial *trial = strand->trial;
    struct client_plan plan;
    struct client_result result;
    trial_plan(trial, &plan);
    plan.seats = 1;
    plan.connections = 1;
    plan.patience_us = PATIENCE_US;
    plan.late_us = STRANDED_MS * 1000;
    struct client *client = trial_client(trial, &plan);
    if (!client)
        return -1;
    arena_settle(&trial->arena, SETTLE_MS);
    client_go(client);
    if (hit(strand, client, victim_next(&strand->victim, trial)) < 0) {
        client_join(client, NULL);
        return -1;
    }
    if (client_join(client, &result) < 0)
        return trial_fail(trial, "the client: %s: %s", result.words, strerror(errno));
    victim_look(&strand->victim, trial);
    add(&strand->sum, &result);
    return 0;
}

static int try_all(struct strand *strand)
{
    bool is_quick = strand->trial->is_quick;
    unsigned trials = is_quick ? TRIALS_QUICK : TRIALS;
    int64_t end = clock_us() + (is_quick ? TIME_QUICK_US : TIME_US);
    while (strand->tried < trials && clock_us() < end)
        if (try_once(strand) < 0)
            return -1;
    return 0;
}

int strand_run(struct trial *trial, bool is_killed)
{
    struct measurement m;
    struct strand strand = {.trial = trial, .is_killed = is_killed};
    dice_init(&strand.dice, trial->settings.seed + trial->repeat);
    victim_init(&strand.victim, trial);
    if (trial_begin(trial) < 0 || try_all(&strand) < 0 || trial_end(trial, &strand.sum, &m) < 0)
        return -1;
    snprintf(m.phase, sizeof m.phase, "strand");
    m.stranded = (double)strand.stranded / (double)strand.tried;
    m.rate = NAN;
    measurement_forget_costs(&m); /* what was done to the workers is among them */
    trial_emit(trial, &m);
    return 0;
}
