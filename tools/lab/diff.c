#include "lab/command.h"
#include <sysexits.h>
int command_diff(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EX_UNAVAILABLE;
}
