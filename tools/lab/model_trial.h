/* pending */
#ifndef DROVER_LAB_MODEL_TRIAL_H
#define DROVER_LAB_MODEL_TRIAL_H
#include "lab/measurement.h"
#include "lab/trial.h"
struct model_workload {
    const char *name, *teaches;
};
extern const struct model_workload *const model_workloads[];
const struct model_workload *model_workload_find(const char *name);
struct model_trial {
    const struct model *model;
    const struct model_workload *workload;
    struct settings settings;
    bool is_quick;
    unsigned repeat;
    trial_emit_fn *emit;
    void *context;
    char words[256];
};
int model_run(struct model_trial *trial);
#endif
