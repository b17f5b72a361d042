#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/apps.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/options.h"
#include "handlers/static.h"

struct reading {
    struct configuration configuration; /* the first member: source_free() gets its address */
    struct static_site site;
    struct site_field fields[SITE_FIELDS_MAX];
    struct site_page pages[SITE_PAGES_MAX];
    struct drover_app files; /* the site as an application */
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

/* Which application is it, and is it a good one? */
static int find_app(struct reading *r, const struct source *source, char *why, size_t why_size)
{
    char what[OPTIONS_WHY_SIZE / 2];
    const char *name = r->configuration.settings.app;
    r->configuration.app = source->app;
    int status = source->app ? 0 : apps_find(name, &r->files, &r->configuration.app, why, why_size);
    if (status || source->app)
        return status;
    status = app_check(r->configuration.app, what, sizeof what);
    if (status)
        snprintf(why, why_size, "--app %.200s: %s", name, what);
    return status;
}

static int check_keys(const struct configuration *c, char *why, size_t why_size)
{
    char what[OPTIONS_WHY_SIZE];
    for (int i = 0; i < c->settings.set_count; i++)
        if (keys_test(c->app->keys, c->settings.sets[i], what, sizeof what) < 0) {
            snprintf(why, why_size, "--set %.200s: %s", c->settings.sets[i], what);
            return EX_USAGE;
        }
    return 0;
}

/* A client that waits for the server's first words would wait for its own in the kernel. */
static void take_silent_clients(struct configuration *c)
{
    if (!c->app->stream || !c->app->stream->speaks_first)
        return;
    for (int i = 0; i < c->settings.address_count; i++)
        c->settings.addresses[i].defer = false;
}

static int read_all(struct reading *r, const struct source *source, char *why, size_t why_size)
{
    char first[OPTIONS_WHY_SIZE];
    struct settings *settings = &r->configuration.settings;
    options_defaults(settings);
    settings->program = source->program;
    settings->is_reload = source->has_been_read || getenv("DROVER_UPGRADE");
    if (source->app)
        settings->app = NULL;
    int status = options_read(settings, source->argc, source->argv, first);
    if (status) {
        snprintf(why, why_size, "%s", first);
        return status;
    }
    fill_site(r);
    status = find_app(r, source, why, why_size);
    if (!status)
        status = check_keys(&r->configuration, why, why_size);
    if (!status)
        take_silent_clients(&r->configuration);
    return status;
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
    *status = read_all(r, source, why, why_size);
    if (*status == 0) {
        source->has_been_read = true;
        return &r->configuration;
    }
    source_free(&r->configuration);
    return NULL;
}

void source_free(struct configuration *configuration)
{
    struct reading *r = (struct reading *)configuration;
    if (!r)
        return;
    static_free(&r->site);
    free(r);
}
