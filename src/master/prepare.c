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

static bool has_same_keys(const struct settings *a, const struct settings *b)
{
    if (a->set_count != b->set_count)
        return false;
    for (int i = 0; i < a->set_count; i++)
        if (strcmp(a->sets[i], b->sets[i]) != 0)
            return false;
    return true;
}

/* The number that an application has among those of a configuration; -1: it is none of them. */
static int find_app(const struct configuration *c, const struct drover_app *app)
{
    int i = (int)configuration_app_count(c) - 1;
    while (i >= 0 && configuration_app(c, (size_t)i) != app)
        i--;
    return i;
}

/* What one application has loaded is good for another configuration of it with the same keys. */
static bool is_done(const struct configuration *before, const struct configuration *now, size_t i)
{
    int at = before ? find_app(before, configuration_app(now, i)) : -1;
    return at >= 0 &&
           has_same_keys(configuration_told(before, (size_t)at), configuration_told(now, i));
}

/* `why` gets the site, too, where there are several. */
static int prepare_one(const struct configuration *c, size_t i, char *why, size_t size)
{
    char reason[DROVER_WHY_SIZE] = "it gave no reason";
    const struct drover_app *app = configuration_app(c, i);
    const char *site = c->sites->apps[i].site;
    int status = app->before_fork ? app->before_fork(app->context, reason) : 0;
    if (status == 0)
        return 0;
    reason[sizeof reason - 1] = '\0';
    snprintf(why, size, "%s%s%sapplication %s: %s", site ? "site " : "", site ? site : "",
             site ? ": " : "", app->name, reason);
    return status > 0 && status <= UINT8_MAX ? status : EX_SOFTWARE;
}

int prepare_app(struct master *m, struct generation *g, char *why, size_t size)
{
    const struct configuration *before = m->prepared, *now = g->configuration;
    int status = 0;
    if (apply(m, g, why, size) < 0)
        return EX_CONFIG;
    m->prepared = now;
    for (size_t i = 0; i < configuration_app_count(now) && status == 0; i++)
        if (!is_done(before, now, i))
            status = prepare_one(now, i, why, size);
    return status;
}

/* Is one of the present applications, which would have to go back, among those of the other? */
static bool has_common_app(const struct configuration *present, const struct configuration *other)
{
    for (size_t i = 0; i < configuration_app_count(present); i++)
        if (find_app(other, configuration_app(present, i)) >= 0)
            return true;
    return false;
}

void prepare_back(struct master *m)
{
    char why[DROVER_WHY_SIZE * 2];
    const struct configuration *present = m->present->configuration;
    if (!m->prepared || m->prepared == present || !has_common_app(present, m->prepared))
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
