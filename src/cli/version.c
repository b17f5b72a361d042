#include <stdio.h>

#include "cli/cli.h"

int cli_version(int argc, char *const argv[])
{
    (void)argc;
    (void)argv;
    printf("drover %s\n", DROVER_VERSION);
    return 0;
}
