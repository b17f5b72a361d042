/* What has not landed yet. */
#include <stdio.h>
#include <sysexits.h>

#include "lab/claim.h"
#include "lab/command.h"
#include "lab/machine.h"

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
void machine_command(int argc, char **argv)
{
    (void)argc;
    (void)argv;
}
void machine_add(json_t *object)
{
    (void)object;
}
