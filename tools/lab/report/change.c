#include "lab/report/change.h"

#include <math.h>

const struct change_figure change_figures[] = {
    {"wakeups_per_connection", "wakeups a connection", 0.05, 0.02},
    {"wasted_visible_per_connection", "wasted, visible", 0.20, 0.05},
    {"wasted_hidden_per_connection", "wasted, hidden", 0.20, 0.05},
    {"switches_involuntary_per_connection", "involuntary switches", 0.30, 0.10},
    {"cpu_us_per_connection", "CPU us", 0.15, 0.5},
    {"run_delay_us_per_connection", "run-queue delay us", 0.30, 2},
    {"latency_us.p50", "answer p50 us", 0.20, 2},
    {"latency_us.p99", "answer p99 us", 0.30, 5},
    {"accept_latency_us.p99", "accept p99 us", 0.30, 5},
    {"rate", "rate /s", 0.10, 1},
    {"jain", "Jain's index", 0.05, 0.02},
    {"served", "served in time", 0.05, 1},
    {"late", "late", 0.10, 1},
    {"lost", "lost", 0.10, 1},
    {"stranded", "stranded, share", 0.20, 0.01},
    {"drops", "drops", 0.20, 1},
    {"resident_per_connection", "bytes a connection", 0.10, 256},
    {.field = NULL},
};

bool change_has_spread(const struct sample *a, const struct sample *b)
{
    return a->runs > 1 && b->runs > 1;
}

bool change_is_one(const struct sample *a, const struct sample *b,
                   const struct change_figure *figure, double noise)
{
    if (a->runs == 0 || b->runs == 0)
        return false;
    double apart = fabs(b->median - a->median);
    double larger = fmax(fabs(a->median), fabs(b->median));
    if (apart < figure->least)
        return false;
    if (!change_has_spread(a, b)) /* at most one of the half ranges is a number */
        return apart > figure->threshold * larger && !(apart <= fmax(a->half_range, b->half_range));
    double share = fmax(CHANGE_SHARE_MIN, CHANGE_NOISE_TIMES * noise);
    return apart > a->half_range + b->half_range && apart > share * larger;
}

double change_size(const struct sample *a, const struct sample *b)
{
    double from = fabs(a->median), to = fabs(b->median);
    if (from == 0 || to == 0)
        return from == to ? 0 : INFINITY;
    return fabs(log(to / from));
}
