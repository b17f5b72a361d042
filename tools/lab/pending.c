/* What has not landed yet. */
#include "lab/machine.h"

void machine_command(int argc, char **argv)
{
    (void)argc;
    (void)argv;
}
void machine_add(json_t *object)
{
    (void)object;
}
