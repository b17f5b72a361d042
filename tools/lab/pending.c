/* What has not landed yet. */
#include <stdio.h>
#include <sysexits.h>

#include "lab/claim.h"
#include "lab/claims_run.h"
#include "lab/command.h"
#include "lab/machine.h"
#include "lab/model.h"
#include "lab/model_trial.h"
#include "lab/tracepoint.h"

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
const struct claim claims[] = {{.text = NULL}};
int claims_run(struct output *output, const char *pattern, bool is_quick)
{
    (void)output;
    (void)pattern;
    (void)is_quick;
    return 0;
}
int command_claims(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EX_UNAVAILABLE;
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
struct tracepoint *tracepoint_open(const pid_t *pids, size_t count, const char **why)
{
    (void)pids;
    (void)count;
    *why = "pending";
    return NULL;
}
int tracepoint_read(const struct tracepoint *tracepoint, struct tracepoint_counts *counts)
{
    (void)tracepoint;
    (void)counts;
    return -1;
}
void tracepoint_close(struct tracepoint *tracepoint)
{
    (void)tracepoint;
}
