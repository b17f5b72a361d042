#include "master/prepare.h"

#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/log.h"

static int apply(struct master *m, const struct generation *g, char *why, size_t size)
{
    m->applied = NULL;
    if (configuration_apply(g->configuration, why, size) < 0)
        return -1;
    m->applied = g->configuration;
    return 0;
}

int prepare_keys(struct master *m, const struct generation *g)
{
    char why[DROVER_WHY_SIZE];
    if (m->applied == g->configuration || apply(m, g, why, sizeof why) == 0)
        return 0;
    log_warnx("application %s: %s", g->app->name, why);
    return -1;
}

int prepare_app(struct master *m, struct generation *g, char *why, size_t size)
{
    char reason[DROVER_WHY_SIZE] = "it gave no reason";
    const struct drover_app *app = g->app;
    if (apply(m, g, why, size) < 0)
        return EX_CONFIG;
    int status = app->before_fork ? app->before_fork(app->context, reason) : 0;
    if (status == 0)
        return 0;
    reason[sizeof reason - 1] = '\0';
    snprintf(why, size, "application %s: %s", app->name, reason);
    return status > 0 && status <= UINT8_MAX ? status : EX_SOFTWARE;
}
