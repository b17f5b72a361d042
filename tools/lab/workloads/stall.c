#include "lab/workloads/stall.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "lab/kernel/pause.h"
#include "lab/trial/trial.h"
#include "lab/workloads/victim.h"

/* Far enough apart that idle workers are asleep again; as many as herd.md's table has. */
#define CLIENTS  12
#define APART_US 5000

/* Nobody needs that long but who waits for the end of the stall, which comes so long after the
 * last client. */
#define LATE_US  100000
#define STALL_US (CLIENTS * APART_US + 2 * LATE_US)

/* For those who wait to be served after it. */
#define PATIENCE_US 1500000

struct spell {
    enum stall how;
    unsigned slot;
    bool tell;
};

static int meanwhile(struct trial *trial, struct client *client, void *context)
{
    const struct spell *spell = context;
    struct arena *arena = &trial->arena;
    bool stops = spell->how == STALL_STOP;
    int begun = stops ? arena_stop(arena, spell->slot, spell->tell)
                      : arena_spin(arena, spell->slot, spell->tell);
    if (begun < 0)
        return trial_fail(trial, "%s", arena->words);
    client_go(client);
    pause_us(STALL_US);
    int ended = stops ? arena_continue(arena, spell->slot) : arena_rest(arena, spell->slot);
    return ended < 0 ? trial_fail(trial, "%s", arena->words) : 0;
}

static int run(struct trial *trial, enum stall how, bool tell, const char *phase)
{
    struct spell spell = {.how = how, .tell = tell};
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.seats = CLIENTS;
    plan.connections = CLIENTS;
    plan.per_minute = UINT64_C(60000000) / APART_US;
    plan.late_us = LATE_US;
    plan.patience_us = PATIENCE_US;
    if (victim_find(trial, &spell.slot) < 0 ||
        trial_load_while(trial, &plan, meanwhile, &spell, &m) < 0)
        return -1;
    snprintf(m.phase, sizeof m.phase, "%s", phase);
    measurement_forget_costs(&m); /* the stall's own beginning and end are among them */
    trial_emit(trial, &m);
    return 0;
}

int stall_run(struct trial *trial, enum stall how)
{
    if (run(trial, how, true, "") < 0)
        return -1;
    return trial->strategy->on_stall ? run(trial, how, false, "untold") : 0;
}
