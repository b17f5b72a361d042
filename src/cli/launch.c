#include "cli/launch.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/app.h"
#include "config/keys.h"
#include "config/options.h"
#include "master/master.h"

bool launch_wants_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

void launch_help(const struct settings *settings, const struct drover_app *app)
{
    options_print(stdout, settings);
    if (app && app->keys && app->keys->name) {
        printf("\nThe application %s can be told:\n\n", app->name);
        keys_print(stdout, app->keys);
    }
    printf("\n"
           "TIME is a number with ms, s, m or h; 0 is never. SIZE is a number of bytes, or one\n"
           "with k, m or g.\n"
           "Signals to the master: TERM, QUIT or INT stop, a second one at once; HUP replaces the\n"
           "workers; TTIN and TTOU add and remove one.\n");
}

int launch_fail(const struct settings *settings, int status, const char *why)
{
    fprintf(stderr, "%s: %s\n", settings->program, why);
    return status;
}

int launch_check(const struct settings *settings, const struct drover_app *app, const char *named)
{
    char why[OPTIONS_WHY_SIZE], what[OPTIONS_WHY_SIZE / 2];
    int status = app_check(app, what, sizeof what);
    if (status == 0)
        return 0;
    snprintf(why, sizeof why, "%.200s: %s", named, what);
    return launch_fail(settings, status, why);
}

int launch_read(struct settings *settings, int argc, char *const argv[])
{
    char why[OPTIONS_WHY_SIZE];
    int status = options_read(settings, argc, argv, why);
    return status ? launch_fail(settings, status, why) : 0;
}

/* A client that waits for the server's first words would wait for its own in the kernel. */
static void take_silent_clients(struct settings *settings)
{
    for (int i = 0; i < settings->address_count; i++)
        settings->addresses[i].defer = false;
}

int launch_run(struct settings *settings, const struct drover_app *app)
{
    char why[OPTIONS_WHY_SIZE];
    for (int i = 0; i < settings->set_count; i++)
        if (keys_set(app->keys, settings->sets[i], why, sizeof why) < 0)
            return launch_fail(settings, EX_USAGE, why);
    if (app->stream && app->stream->speaks_first)
        take_silent_clients(settings);
    return master_run(settings, app);
}
