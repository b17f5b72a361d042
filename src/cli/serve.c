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

int cli_serve(int argc, char *const argv[])
{
    struct source source = {.program = "drover serve", .argc = argc, .argv = argv};
    struct settings settings;
    struct static_site site = {0};
    struct drover_app files = static_app(&site);
    options_defaults(&settings);
    if (launch_wants_help(argc, argv))
        return help(&settings, &files, argc, argv);
    return launch_run(&source);
}
