#include "cli/lineup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/apps.h"
#include "cli/module.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/options.h"
#include "handlers/nowhere.h"

/* What is being added: the server's own, or that of a section. */
struct part {
    struct lineup *lineup;
    const struct lineup_parts *parts;
    struct faults *faults;
    const struct section *section; /* NULL: the server's own */
    const struct settings *settings;
};

/* ------------------------------------------------------------------------------ the application */

/* Of what was given in the file the place is told. `why` starts with "--app NAME: ". */
static void blame_app(const struct part *p, int status, const char *why)
{
    const struct given *app = givens_find_in(p->parts->givens, p->section, "app");
    if (app && app->place.file)
        faults_add(p->faults, &app->place, status, "app = %s", why + strlen("--app "));
    else
        faults_add(p->faults, NULL, status, "%s", why);
}

static bool check_app(const struct part *p, const struct drover_app *app)
{
    char why[OPTIONS_WHY_SIZE], what[OPTIONS_WHY_SIZE / 2];
    const char *name = p->settings->app;
    if (app_check(app, what, sizeof what) != 0)
        snprintf(why, sizeof why, "--app %.200s: %s", name, what);
    else if (app->stream && p->parts->givens->sections.count > 0)
        snprintf(why, sizeof why,
                 "--app %.200s: has the bytes of a connection to itself, which say no host and no "
                 "path; it cannot be used with [site NAME] sections",
                 name);
    else
        return true;
    blame_app(p, EX_CONFIG, why);
    return false;
}

/* NULL: there is none, which was told. */
static const struct drover_app *find_app(const struct part *p, const struct drover_app *files)
{
    char why[OPTIONS_WHY_SIZE];
    const struct drover_app *app;
    if (!p->section && p->parts->app)
        return p->parts->app;
    if (p->settings->is_sites_only)
        return &nowhere_app;
    int status = apps_find(p->settings->app, files, &app, why, sizeof why);
    if (status)
        blame_app(p, status, why);
    else if (module_has_changed(p->settings->app, app))
        p->lineup->stale = p->settings->app;
    return status == 0 && check_app(p, app) ? app : NULL;
}

static void check_keys(const struct part *p, const struct drover_app *app)
{
    char what[OPTIONS_WHY_SIZE];
    const struct givens *givens = p->parts->givens;
    for (size_t i = 0; i < givens->count; i++) {
        const struct given *one = &givens->list[i];
        if (one->option->type == OPTION_SET && one->section == p->section &&
            givens_applies(givens, i) && keys_test(app->keys, one->value, what, sizeof what) < 0)
            given_fault(one, p->faults, EX_USAGE, what);
    }
}

/* ---------------------------------------------------------------------------- one after another */

/* Keys are variables of a module: one set of them cannot hold two sites' values. */
static void check_shared(const struct part *p, size_t at)
{
    const struct lineup *lineup = p->lineup;
    const char *other = lineup->apps[at].site;
    const struct given *app = givens_find_in(p->parts->givens, p->section, "app");
    if (lineup->told[at]->set_count == 0 && p->settings->set_count == 0)
        return;
    faults_add(
        p->faults, &app->place, EX_CONFIG,
        "app = %.200s: answers for %s%s, too, and has one set of keys: who sets one can have "
        "one site of it, with several hosts",
        p->settings->app, other ? "site " : "the server as a whole", other ? other : "");
}

static size_t add_app(const struct part *p, const struct drover_app *app)
{
    struct lineup *lineup = p->lineup;
    size_t at = 0;
    while (at < lineup->sites.count && lineup->apps[at].app != app)
        at++;
    if (at < lineup->sites.count) {
        check_shared(p, at);
        return at;
    }
    lineup->told[at] = p->settings;
    lineup->apps[at] = (struct site_app){.app = app, .site = p->section ? p->section->name : NULL};
    lineup->sites.count++;
    return at;
}

static void fail_for_memory(const struct part *p)
{
    faults_add(p->faults, NULL, EX_OSERR, "out of memory");
}

static void add_routes(const struct part *p, size_t app)
{
    const struct settings *s = p->settings;
    const struct route route = {
        .prefix = section_prefix(p->section), .app = (unsigned)app, .is_directory = s->root};
    int result = s->host_count == 0 ? routes_add(p->lineup->routes, NULL, &route) : 0;
    for (size_t i = 0; i < s->host_count && result == 0; i++)
        result = routes_add(p->lineup->routes, s->hosts[i], &route);
    if (result < 0)
        fail_for_memory(p);
}

/* `n`: of the parts, the server's own is 0. */
static void add_part(const struct part *p, size_t n)
{
    struct lineup *lineup = p->lineup;
    files_fill(&lineup->files[n], p->settings, lineup->room);
    const struct drover_app *app = find_app(p, &lineup->files[n].app);
    if (!app)
        return;
    check_keys(p, app);
    size_t at = add_app(p, app);
    if (!p->section)
        return;
    p->parts->givens->sections.list[n - 1]->app = app;
    add_routes(p, at);
}

/* ---------------------------------------------------------------------------------- the metrics */

/* Of all configurations that this process has had. */
static struct columns given_out;

static void refuse_metrics(const struct part *p, const struct site_app *app, const char *why)
{
    const struct section *section = app->site
                                        ? sections_find(&p->parts->givens->sections, app->site)
                                        : NULL;
    faults_add(p->faults, section ? &section->place : NULL, EX_CONFIG,
               "%s%s%sthe metrics of %.63s: %s", section ? "site " : "",
               section ? section->name : "", section ? ": " : "", app->app->name, why);
}

static bool give_columns(const struct part *p, bool tells)
{
    struct lineup *lineup = p->lineup;
    bool is_given = true;
    for (size_t i = 0; i < lineup->sites.count; i++) {
        struct site_app *one = &lineup->apps[i];
        const char *why = columns_give(&lineup->columns, one->app, one->site, &one->metrics_at);
        if (why && tells)
            refuse_metrics(p, one, why);
        is_given = is_given && !why;
    }
    return is_given;
}

/* Where there is no more room, what applications have counted that are gone has to give way. */
static void add_metrics(const struct part *p)
{
    struct lineup *lineup = p->lineup;
    columns_copy(&lineup->columns, &given_out);
    if (!give_columns(p, false)) {
        lineup->columns = (struct columns){0};
        give_columns(p, true);
    }
    if (p->faults->count == 0)
        columns_copy(&given_out, &lineup->columns);
}

static bool make_room(struct lineup *lineup, size_t parts)
{
    lineup->room = parts;
    lineup->apps = calloc(parts, sizeof *lineup->apps);
    lineup->told = calloc(parts, sizeof(void *));
    lineup->files = calloc(parts, sizeof *lineup->files);
    lineup->routes = parts > 1 ? routes_new() : NULL;
    return lineup->apps && lineup->told && lineup->files && (lineup->routes || parts == 1);
}

/* Else what it lacks was told already. */
static bool is_whole(const struct section *section)
{
    const struct settings *s = &section->settings;
    return !section->is_wrong && !section->app_is_unknown &&
           (s->root || strcmp(s->app, "static") != 0);
}

void lineup_open(struct lineup *lineup, const struct lineup_parts *parts, struct faults *faults)
{
    const struct sections *sections = &parts->givens->sections;
    struct part p = {
        .lineup = lineup, .parts = parts, .faults = faults, .settings = parts->settings};
    if (!make_room(lineup, sections->count + 1)) {
        fail_for_memory(&p);
        return;
    }
    if (!parts->givens->app_is_unknown)
        add_part(&p, 0);
    for (size_t i = 0; i < sections->count; i++) {
        p.section = sections->list[i];
        p.settings = &sections->list[i]->settings;
        if (is_whole(p.section))
            add_part(&p, i + 1);
    }
    add_metrics(&p);
    lineup->sites.apps = lineup->apps;
    lineup->sites.metrics = lineup->columns.metrics;
    lineup->sites.routes = lineup->routes;
}

void lineup_close(struct lineup *lineup)
{
    for (size_t i = 0; lineup->files && i < lineup->room; i++)
        files_free(&lineup->files[i]);
    routes_free(lineup->routes);
    free(lineup->apps);
    free(lineup->told);
    free(lineup->files);
}
