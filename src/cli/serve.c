#include <stdio.h>
#include <string.h>

#include "cli/apps.h"
#include "cli/cli.h"
#include "cli/launch.h"
#include "config/options.h"
#include "handlers/static.h"

/* Which application is it, and is it a good one? */
static int find_app(const struct settings *settings, const struct drover_app *files,
                    const struct drover_app **app)
{
    char why[OPTIONS_WHY_SIZE], named[OPTIONS_WHY_SIZE];
    int status = apps_find(settings->app, files, app, why, sizeof why);
    if (status)
        return launch_fail(settings, status, why);
    snprintf(named, sizeof named, "--app %s", settings->app);
    return launch_check(settings, *app, named);
}

/* Help is given whatever else is wrong, so the arguments are not read as they else are. */
static const char *app_among(int argc, char *const argv[])
{
    const char *name = "static";
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "--app=", 6) == 0)
            name = argv[i] + 6;
        else if (strcmp(argv[i], "--app") == 0 && i + 1 < argc)
            name = argv[i + 1];
    return name;
}

static int help(struct settings *settings, const struct drover_app *files, int argc,
                char *const argv[])
{
    const struct drover_app *app;
    settings->app = app_among(argc, argv);
    int status = find_app(settings, files, &app);
    if (status)
        return status;
    printf("usage: drover serve [OPTIONS] [ROOT]\n\n"
           "Serves the files below the directory ROOT, or runs the application that --app names.\n"
           "\n");
    launch_help(settings, app);
    return 0;
}

/* The site's parts of the settings, in the words of the site. */
struct site_parts {
    struct site_field fields[SITE_FIELDS_MAX];
    struct site_page pages[SITE_PAGES_MAX];
};

static struct static_site site_of(const struct settings *s, struct site_parts *parts)
{
    for (size_t i = 0; i < s->field_count; i++)
        parts->fields[i] = (struct site_field){.name = s->fields[i].name,
                                               .value = s->fields[i].value};
    for (size_t i = 0; i < s->page_count; i++)
        parts->pages[i] = (struct site_page){.status = s->pages[i].status,
                                             .path = s->pages[i].path};
    return (struct static_site){.root_path = s->root,
                                .dot_files = s->dot_files,
                                .listing = s->listing,
                                .precompressed = s->precompressed,
                                .cache_control = s->cache_control,
                                .fields = parts->fields,
                                .field_count = s->field_count,
                                .pages = parts->pages,
                                .page_count = s->page_count,
                                .page_max = PAGE_MAX,
                                .fallback = s->fallback};
}

int cli_serve(int argc, char *const argv[])
{
    struct settings settings;
    struct static_site site = {0};
    struct site_parts parts;
    struct drover_app files = static_app(&site);
    const struct drover_app *app;
    options_defaults(&settings);
    if (launch_wants_help(argc, argv))
        return help(&settings, &files, argc, argv);
    int status = launch_read(&settings, argc, argv);
    if (status)
        return status;
    site = site_of(&settings, &parts);
    status = find_app(&settings, &files, &app);
    if (!status)
        status = launch_run(&settings, app);
    static_free(&site);
    return status;
}
