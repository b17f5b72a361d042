/* What has not landed yet. */
#include <stdio.h>
#include <sysexits.h>

#include "lab/claim.h"
#include "lab/command.h"

int command_report(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EX_UNAVAILABLE;
}
int command_diff(int argc, char **argv)
{
    return command_report(argc, argv);
}
