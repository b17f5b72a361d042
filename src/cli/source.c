#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/lineup.h"
#include "config/given.h"
#include "config/options.h"

struct reading {
    struct configuration configuration; /* the first member: source_free() gets its address */
    struct lineup lineup;
    struct givens givens;
};

/* A client that waits for the server's first words would wait for its own in the kernel. */
static void take_silent_clients(struct configuration *c)
{
    if (!c->app->stream || !c->app->stream->speaks_first)
        return;
    for (int i = 0; i < c->settings.address_count; i++)
        c->settings.addresses[i].defer = false;
}

static void find_apps(struct reading *r, const struct source *source, struct faults *faults)
{
    struct configuration *c = &r->configuration;
    const struct lineup_parts parts = {
        .settings = &c->settings, .givens = &r->givens, .app = source->app};
    lineup_open(&r->lineup, &parts, faults);
    if (faults->count > 0)
        return;
    c->sites = &r->lineup.sites;
    c->told = r->lineup.told;
    c->stale = r->lineup.stale;
    c->app = r->lineup.apps[0].app;
    take_silent_clients(c);
}

static void read_all(struct reading *r, const struct source *source, struct faults *faults)
{
    struct settings *settings = &r->configuration.settings;
    options_defaults(settings);
    settings->program = source->program;
    settings->is_reload = source->has_been_read || getenv("DROVER_UPGRADE");
    if (source->app)
        settings->app = NULL;
    options_read(settings, source->argc, source->argv, &r->givens, faults);
    if (faults->count == 0 || r->givens.text)
        find_apps(r, source, faults);
}

struct configuration *source_read(void *context, int *status, char *why, size_t why_size)
{
    struct source *source = context;
    struct reading *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, why_size, "out of memory");
        *status = EX_OSERR;
        return NULL;
    }
    struct faults faults = {.text = why, .size = why_size, .most = source->faults_max};
    read_all(r, source, &faults);
    faults_end(&faults, source->app ? NULL : r->givens.file);
    *status = faults.status;
    if (faults.count == 0) {
        source->has_been_read = true;
        return &r->configuration;
    }
    source_free(&r->configuration);
    return NULL;
}

const struct givens *source_givens(const struct configuration *configuration)
{
    return &((const struct reading *)configuration)->givens;
}

void source_free(struct configuration *configuration)
{
    struct reading *r = (struct reading *)configuration;
    if (!r)
        return;
    lineup_close(&r->lineup);
    givens_free(&r->givens);
    free(r);
}
