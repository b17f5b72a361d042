#include "lab/workloads/victim.h"

#include <string.h>

#include "lab/trial/trial.h"

/* Clients from which a favourite is known; and how long they wait for workers to sleep. */
#define TRIED     8
#define SETTLE_MS 1000

static uint64_t accepted_by(const struct trial *trial, unsigned slot)
{
    return atomic_load_explicit(&trial->arena.tallies[slot].accepted, memory_order_acquire);
}

void victim_init(struct victim *victim, const struct trial *trial)
{
    *victim = (struct victim){.last = 0};
    for (unsigned i = 0; i < trial->workers; i++)
        victim->accepted[i] = accepted_by(trial, i);
}

uint64_t victim_look(struct victim *victim, const struct trial *trial)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < trial->workers; i++) {
        uint64_t now = accepted_by(trial, i);
        if (now == victim->accepted[i])
            continue;
        sum += now - victim->accepted[i];
        victim->accepted[i] = now;
        victim->before_last = victim->last;
        victim->last = i;
    }
    return sum;
}

unsigned victim_next(const struct victim *victim, const struct trial *trial)
{
    return victim->last == victim->before_last ? victim->last : (victim->last + 1) % trial->workers;
}

static void wait_for_rest(void *context)
{
    const struct trial *trial = context;
    arena_settle(&trial->arena, SETTLE_MS);
}

static int serve_one(struct trial *trial)
{
    struct client_plan plan;
    trial_plan(trial, &plan);
    plan.seats = 1;
    plan.connections = 1;
    plan.before = wait_for_rest;
    plan.context = trial;
    struct client_result result;
    struct client *client = trial_client(trial, &plan);
    if (!client)
        return -1;
    client_go(client);
    if (client_join(client, &result) < 0)
        return trial_fail(trial, "the client: %s", result.words);
    return 0;
}

int victim_find(struct trial *trial, unsigned *slot)
{
    struct victim victim;
    victim_init(&victim, trial);
    for (unsigned i = 0; i < TRIED; i++) {
        if (serve_one(trial) < 0)
            return -1;
        victim_look(&victim, trial);
    }
    *slot = victim_next(&victim, trial);
    return 0;
}
