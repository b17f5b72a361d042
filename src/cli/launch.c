#include "cli/launch.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/options.h"
#include "master/master.h"
#include "master/service.h"

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
    } else if (app) {
        printf("\nThe application %s has no keys.\n", app->name);
    }
    printf(
        "\n"
        "TIME is a number with ms, s, m or h; 0 is never. SIZE is a number of bytes, or one\n"
        "with k, m or g.\n"
        "A configuration file has a line KEY = VALUE for each option, its name without dashes.\n"
        "# begins a comment, behind a value too if white space is before it; a value with \" #\"\n"
        "in it stands in quotes: 'as it is', or \"with \\\", \\\\ and \\xNN\". Of the same option "
        "the\n"
        "command line goes before the file: one --listen or --trust-proxy before all of the\n"
        "file's, one --set, --field, --error-page or --cache before that of the same name. Paths\n"
        "are relative to where the program was started.\n"
        "Signals to the master: TERM, QUIT or INT stop, a second one at once; HUP reads the\n"
        "configuration anew and replaces the workers; USR1 opens the log files anew; USR2 runs "
        "the\n"
        "binary that is on disk now; TTIN and TTOU add and remove a worker.\n");
}

int launch_fail(const struct settings *settings, int status, const char *why)
{
    const char *program = settings->program;
    while (*why) {
        int n = (int)strcspn(why, "\n");
        fprintf(stderr, "%s%s%s%.*s\n", log_prefix(LOG_ERROR), program ? program : "",
                program ? ": " : "", n, why);
        why += n + (why[n] == '\n');
    }
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

int launch_run(struct source *source)
{
    static char why[CONFIGURATION_WHY_SIZE]; /* more than a stack is for */
    const struct configuration_source how = {
        .context = source, .read = source_read, .free = source_free};
    const struct settings words = {.program = source->program};
    int status;
    struct configuration *first = source_read(source, &status, why, sizeof why);
    if (!first) {
        service_failed(NULL, why);
        return launch_fail(&words, status, why);
    }
    if (configuration_apply(first, why, sizeof why) < 0) {
        source_free(first);
        return launch_fail(&words, EX_USAGE, why);
    }
    return master_run(first, &how);
}
