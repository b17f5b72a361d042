/*
 * drover_main() of include/drover.h: the server as a part of somebody else's program.
 */
#include <drover.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/launch.h"
#include "config/options.h"
#include "os/standard.h"

static const char *program_name(int argc, char *argv[], const struct drover_app *app)
{
    if (argc > 0 && argv[0] && *argv[0]) {
        const char *slash = strrchr(argv[0], '/');
        return slash ? slash + 1 : argv[0];
    }
    return app->name ? app->name : "drover";
}

int drover_main(int argc, char *argv[], const struct drover_app *app)
{
    struct settings settings;
    int count = argc > 0 ? argc - 1 : 0;
    char **arguments = count > 0 ? argv + 1 : argv;
    if (standard_open() < 0)
        return EX_OSERR;
    options_defaults(&settings);
    settings.program = program_name(argc, argv, app);
    settings.app = NULL;
    int status = launch_check(&settings, app, "struct drover_app");
    if (status)
        return status;
    if (launch_wants_help(count, arguments)) {
        printf("usage: %s [OPTIONS]\n\n", settings.program);
        launch_help(&settings, app);
        return 0;
    }
    struct source source = {
        .program = settings.program, .argc = count, .argv = arguments, .app = app};
    return launch_run(&source);
}
