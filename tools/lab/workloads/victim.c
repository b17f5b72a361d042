#include "lab/workloads/victim.h"

#include <string.h>

#include "lab/trial/trial.h"

/* Clients from which a favourite is known. */
#define TRIED 8

void victim_init(struct victim *victim, const struct trial *trial)
{
    *victim = (struct victim){.last = 0};
    for (unsigned i = 0; i < trial->workers; i++)
        victim->accepted[i] = trial_accepted(trial, i);
}

uint64_t victim_look(struct victim *victim, const struct trial *trial)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < trial->workers; i++) {
        uint64_t now = trial_accepted(trial, i);
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

static int serve_one(struct trial *trial)
{
    struct client_plan plan;
    trial_plan_singles(trial, &plan, 1);
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
