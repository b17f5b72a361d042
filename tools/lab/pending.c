/* What has not landed yet. */
#include <stdio.h>
#include <sysexits.h>

#include "lab/claim.h"
#include "lab/command.h"
#include "lab/model.h"
#include "lab/model_trial.h"

const struct model *const models[] = {NULL};
const struct model *model_find(const char *name)
{
    (void)name;
    return NULL;
}
const struct model_workload *const model_workloads[] = {NULL};
const struct model_workload *model_workload_find(const char *name)
{
    (void)name;
    return NULL;
}
int model_run(struct model_trial *trial)
{
    (void)trial;
    return -1;
}
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
