#include "lab/client/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

void load_init(struct load *load, const struct client_plan *plan, struct client_result *result)
{
    *load = (struct load){.plan = plan,
                          .score = {.result = result, .late_us = plan->late_us},
                          .pace = {.per_minute = plan->per_minute}};
    dial_init(&load->dial, &plan->to, plan->sources);
    dice_init(&load->dice, plan->seed);
    load->ask_length = session_request(load->ask, sizeof load->ask, plan->cost_us, false);
    load->ask_last_length = session_request(load->ask_last, sizeof load->ask_last, plan->cost_us,
                                            true);
}

void load_start(struct load *load, int64_t now_us)
{
    int64_t duration = load->plan->duration_us;
    load->score.began_us = load->pace.start_us = now_us;
    load->end_us = now_us + (duration > 0 ? duration : CLIENT_DURATION_MAX_US);
}

int64_t load_due(const struct load *load, int64_t now_us)
{
    const struct client_plan *plan = load->plan;
    int64_t due = plan->at_once ? load->pace.start_us : pace_due(&load->pace, load->begun, now_us);
    if (plan->seats == 0 || (plan->connections > 0 && load->begun >= plan->connections))
        return CLOCK_NEVER;
    return due < load->end_us ? due : CLOCK_NEVER;
}

/* How many are due before the end, of an open loop; 0 of a closed one. */
static uint64_t count_due(const struct load *load)
{
    const struct client_plan *plan = load->plan;
    if (plan->at_once)
        return plan->connections;
    if (plan->per_minute == 0)
        return 0;
    uint64_t n = pace_count(&load->pace, load->end_us);
    return plan->connections > 0 && plan->connections < n ? plan->connections : n;
}

void load_give_up(const struct load *load)
{
    uint64_t due = count_due(load);
    if (due > load->begun)
        load->score.result->lost[OUTCOME_SILENT] += due - load->begun;
}

unsigned load_draw(struct load *load)
{
    unsigned n = load->plan->is_zipf ? dice_zipf(&load->dice) : 1;
    return load->plan->asks ? n * load->plan->requests : 1;
}

struct span load_request(const struct load *load, bool is_last)
{
    if (!load->plan->asks)
        return (struct span){0};
    return is_last ? (struct span){load->ask_last, load->ask_last_length}
                   : (struct span){load->ask, load->ask_length};
}

int load_fail(const struct load *load, const char *format, ...)
{
    struct client_result *result = load->score.result;
    va_list args;
    result->error = errno;
    va_start(args, format);
    vsnprintf(result->words, sizeof result->words, format, args);
    va_end(args);
    return -1;
}
