#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/apps.h"
#include "config/app.h"
#include "config/given.h"
#include "config/keys.h"
#include "config/options.h"
#include "handlers/static.h"

struct reading {
    struct configuration configuration; /* the first member: source_free() gets its address */
    struct static_site site;
    struct site_field fields[SITE_FIELDS_MAX];
    struct site_page pages[SITE_PAGES_MAX];
    struct drover_app files; /* the site as an application */
    struct givens givens;
};

/* The site's parts of the settings, in the words of the site. */
static void fill_site(struct reading *r)
{
    const struct settings *s = &r->configuration.settings;
    for (size_t i = 0; i < s->field_count; i++)
        r->fields[i] = (struct site_field){.name = s->fields[i].name, .value = s->fields[i].value};
    for (size_t i = 0; i < s->page_count; i++)
        r->pages[i] = (struct site_page){.status = s->pages[i].status, .path = s->pages[i].path};
    r->site = (struct static_site){.root_path = s->root,
                                   .dot_files = s->dot_files,
                                   .listing = s->listing,
                                   .precompressed = s->precompressed,
                                   .cache_control = s->cache_control,
                                   .fields = r->fields,
                                   .field_count = s->field_count,
                                   .pages = r->pages,
                                   .page_count = s->page_count,
                                   .page_max = PAGE_MAX,
                                   .fallback = s->fallback};
    r->files = static_app(&r->site);
}

/* Of what was given in the file the place is told. `why` starts with "--app NAME: ". */
static void blame_app(const struct reading *r, struct faults *faults, int status, const char *why)
{
    const struct given *app = givens_find(&r->givens, "app");
    if (app && app->place.file)
        faults_add(faults, &app->place, status, "app = %s", why + strlen("--app "));
    else
        faults_add(faults, NULL, status, "%s", why);
}

/* Which application is it, and is it a good one? */
static bool find_app(struct reading *r, const struct source *source, struct faults *faults)
{
    char why[OPTIONS_WHY_SIZE], what[OPTIONS_WHY_SIZE / 2];
    const char *name = r->configuration.settings.app;
    const struct drover_app **app = &r->configuration.app;
    *app = source->app;
    if (source->app)
        return true;
    int status = apps_find(name, &r->files, app, why, sizeof why);
    if (status == 0 && (status = app_check(*app, what, sizeof what)) != 0)
        snprintf(why, sizeof why, "--app %.200s: %s", name, what);
    if (status)
        blame_app(r, faults, status, why);
    return status == 0;
}

static void check_keys(const struct reading *r, struct faults *faults)
{
    char what[OPTIONS_WHY_SIZE];
    for (size_t i = 0; i < r->givens.count; i++) {
        const struct given *one = &r->givens.list[i];
        if (one->option->type == OPTION_SET && givens_applies(&r->givens, i) &&
            keys_test(r->configuration.app->keys, one->value, what, sizeof what) < 0)
            given_fault(one, faults, EX_USAGE, what);
    }
}

/* A client that waits for the server's first words would wait for its own in the kernel. */
static void take_silent_clients(struct configuration *c)
{
    if (!c->app->stream || !c->app->stream->speaks_first)
        return;
    for (int i = 0; i < c->settings.address_count; i++)
        c->settings.addresses[i].defer = false;
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
    bool goes_on = faults->count == 0 || (r->givens.text && !r->givens.app_is_unknown);
    if (!goes_on)
        return;
    fill_site(r);
    if (!find_app(r, source, faults))
        return;
    check_keys(r, faults);
    take_silent_clients(&r->configuration);
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
    struct faults faults = {.text = why, .size = why_size};
    read_all(r, source, &faults);
    faults_end(&faults);
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
    static_free(&r->site);
    givens_free(&r->givens);
    free(r);
}
