#include "lab/models/model_workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Clients that ask at one time beside idle ones: enough that one wait returns several, few enough
 * that what is waited for beside them shows. */
#define SEATS 8

/* Requests of a connection that is used for a while. */
#define LONG_REQUESTS 100

static const struct model_workload workload_short = {
    .name = "short",
    .teaches = "a connection for each request: what accepting and ending one costs in every model",
    .seats = SEATS,
    .requests = 1,
};

static const struct model_workload workload_long = {
    .name = "long",
    .teaches = "connections of 100 requests, one after the other: what a request alone costs",
    .seats = SEATS,
    .requests = LONG_REQUESTS,
};

static const struct model_workload workload_idle = {
    .name = "idle",
    .teaches = "8 clients ask beside 10 to 18000 that say nothing: linear or flat",
    .unit = "idle",
    .steps = {10, 100, 1000, 10000, 18000},
    .quick_steps = {10, 1000, 10000},
    .seats = SEATS,
};

static const struct model_workload workload_active = {
    .name = "active",
    .teaches =
        "1 to 10000 clients ask all the time: where all are ready, looking at all is no waste",
    .unit = "active",
    .steps = {1, 10, 100, 1000, 10000},
    .quick_steps = {1, 10, 1000},
};

const struct model_workload *const model_workloads[] = {&workload_short, &workload_long,
                                                        &workload_idle, &workload_active, NULL};

const struct model_workload *model_workload_find(const char *name)
{
    for (const struct model_workload *const *at = model_workloads; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

size_t model_workload_steps(const struct model_workload *workload, bool is_quick,
                            unsigned steps[MODEL_STEPS_MAX])
{
    const unsigned *from = is_quick ? workload->quick_steps : workload->steps;
    size_t count = 0;
    steps[0] = 0;
    while (count < MODEL_STEPS_MAX && from[count] > 0) {
        steps[count] = from[count];
        count++;
    }
    return count > 0 ? count : 1;
}

unsigned model_workload_active(const struct model_workload *workload, unsigned step)
{
    return workload->seats > 0 ? workload->seats : step;
}

unsigned model_workload_idle(const struct model_workload *workload, unsigned step)
{
    return workload->seats > 0 ? step : 0;
}

unsigned model_workload_held(const struct model_workload *workload, unsigned step)
{
    if (workload->requests > 0)
        return 0;
    return model_workload_active(workload, step) + model_workload_idle(workload, step);
}

bool model_workload_fits(const struct model_workload *workload, unsigned step,
                         const struct bound *bound, const struct resources *resources, char *words,
                         size_t size)
{
    unsigned held = model_workload_held(workload, step);
    uint64_t idle = model_workload_idle(workload, step);
    uint64_t active = model_workload_active(workload, step);
    uint64_t largest = idle > active ? idle : active; /* they are in two processes */
    if (held > bound->connections) {
        snprintf(words, size, "%s: %u were asked for", bound->words, held);
        return false;
    }
    if (largest + RESOURCES_SPARE_DESCRIPTORS > resources->nofile) {
        snprintf(words, size,
                 "the client ends at %" PRIu64
                 " descriptors (RLIMIT_NOFILE): %u connections were asked for",
                 resources->nofile, held);
        return false;
    }
    return true;
}
