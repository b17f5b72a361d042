#include <stddef.h>

#include "lab/report/page.h"

extern const struct figure figure_herd, figure_wasted, figure_shares, figure_latency, figure_cpu,
    figure_models_idle, figure_models_active, figure_stall;

const struct figure *const figures[] = {
    &figure_herd,          &figure_wasted, &figure_shares,
    &figure_latency,       &figure_cpu,    &figure_models_idle,
    &figure_models_active, &figure_stall,  NULL,
};
