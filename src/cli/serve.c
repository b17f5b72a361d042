#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/options.h"
#include "handlers/static.h"
#include "master/master.h"

static int help(void)
{
    printf("usage: drover serve [OPTIONS] [ROOT]\n\n"
           "Serves the files below the directory ROOT.\n\n");
    options_print(stdout);
    printf("\n"
           "TIME is a number with ms, s, m or h; 0 is never.\n"
           "Signals to the master: TERM, QUIT or INT stop, a second one at once; HUP replaces the\n"
           "workers; TTIN and TTOU add and remove one.\n");
    return 0;
}

static int wants_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

int cli_serve(int argc, char *const argv[])
{
    struct settings settings;
    char why[OPTIONS_WHY_SIZE];
    if (wants_help(argc, argv))
        return help();
    options_defaults(&settings);
    int status = options_read(&settings, argc, argv, why);
    if (status) {
        fprintf(stderr, "drover serve: %s\n", why);
        return status;
    }
    struct static_site site = {
        .root = settings.root, .dot_files = settings.dot_files, .listing = settings.listing};
    struct drover_app app = static_app(&site);
    return master_run(&settings, &app);
}
