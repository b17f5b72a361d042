#include "master/prepare.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/limits.h"
#include "base/log.h"
#include "config/descriptors.h"

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
    errno = EINVAL;
    return -1;
}

/* What one application has loaded is good for another configuration of it with the same keys. */
static bool is_as_good(const struct configuration *a, const struct configuration *b)
{
    if (a->app != b->app || a->settings.set_count != b->settings.set_count)
        return false;
    for (int i = 0; i < a->settings.set_count; i++)
        if (strcmp(a->settings.sets[i], b->settings.sets[i]) != 0)
            return false;
    return true;
}

int prepare_app(struct master *m, struct generation *g, char *why, size_t size)
{
    char reason[DROVER_WHY_SIZE] = "it gave no reason";
    const struct drover_app *app = g->app;
    if (apply(m, g, why, size) < 0)
        return EX_CONFIG;
    bool is_done = m->prepared && is_as_good(m->prepared, g->configuration);
    m->prepared = g->configuration;
    int status = app->before_fork && !is_done ? app->before_fork(app->context, reason) : 0;
    if (status == 0)
        return 0;
    reason[sizeof reason - 1] = '\0';
    snprintf(why, size, "application %s: %s", app->name, reason);
    return status > 0 && status <= UINT8_MAX ? status : EX_SOFTWARE;
}

void prepare_back(struct master *m)
{
    char why[DROVER_WHY_SIZE * 2];
    const struct configuration *present = m->present->configuration;
    if (!m->prepared || m->prepared == present || m->prepared->app != present->app)
        return;
    if (prepare_app(m, m->present, why, sizeof why) != 0)
        log_warnx("%s", why);
}

void prepare_descriptors(struct settings *s)
{
    int64_t limit = descriptors_raise();
    int64_t fit = descriptors_fit(s, limit);
    if (fit == s->max_connections)
        return;
    /* Half of it at least is there: no reason to stand in the log of every start. */
    bool is_half = s->max_connections <= fit * CONN_FDS_MAX;
    void (*tell)(const char *format, ...) = is_half ? log_debug : log_warnx;
    tell("--max-connections %lld: a process may have only %lld descriptors open (ulimit -n), so a "
         "worker takes %lld connections, each with a file to send",
         (long long)s->max_connections, (long long)limit, (long long)fit);
    s->max_connections = fit;
}
