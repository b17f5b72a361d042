#include "master/generation.h"

#include <stdlib.h>

struct generation *generation_new(struct configuration *configuration)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (!generation)
        return NULL;
    generation->configuration = configuration;
    generation->settings = &configuration->settings;
    generation->app = configuration->app;
    generation->number = 1;
    generation->configured = configuration->settings.workers;
    doors_init(&generation->doors);
    logs_init(&generation->logs);
    doors_init(&generation->admin);
    plan_init(&generation->plan, generation->settings->start_timeout,
              generation->settings->hang_timeout);
    return generation;
}

void generation_free(struct generation *generation, const struct configuration_source *source)
{
    if (!generation)
        return;
    logs_free(&generation->logs);
    source->free(generation->configuration);
    free(generation);
}
