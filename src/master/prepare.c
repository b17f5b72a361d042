#include "master/prepare.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "base/limits.h"
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

/* A worker needs as many descriptors as its connections may come to hold, all at once: without one
 * it could not accept, or not open what it is asked for. */
void prepare_descriptors(struct settings *s)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    int64_t room = (int64_t)limit.rlim_cur - s->workers * (s->address_count + INBOX_ENDS) -
                   SPARE_FDS;
    if (limit.rlim_cur == RLIM_INFINITY || s->max_connections <= room / CONN_FDS_MAX)
        return;
    int64_t fit = room >= 2 * CONN_FDS_MAX ? room / CONN_FDS_MAX : 1;
    /* Half of it at least is there: no reason to stand in the log of every start. */
    void (*tell)(const char *format, ...) = s->max_connections <= room ? log_debug : log_warnx;
    tell("--max-connections %lld: a process may have only %llu descriptors open (ulimit -n), so a "
         "worker takes %lld connections, each with a file to send",
         (long long)s->max_connections, (unsigned long long)limit.rlim_cur, (long long)fit);
    s->max_connections = fit;
}
