#include "lab/trial/forecast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/strategies/strategy.h"
#include "lab/trial/stats.h"
#include "lab/workloads/workload.h"

int forecast_init(struct forecast *forecast)
{
    forecast->count = 0;
    while (expectations[forecast->count].strategy)
        forecast->count++;
    forecast->rows = calloc(forecast->count + 1, sizeof *forecast->rows);
    return forecast->rows ? 0 : -1;
}

void forecast_free(struct forecast *forecast)
{
    free(forecast->rows);
    forecast->rows = NULL;
}

void forecast_see(const struct measurement *m, void *context)
{
    struct forecast *forecast = context;
    for (size_t i = 0; i < forecast->count; i++) {
        struct forecast_row *row = &forecast->rows[i];
        if (row->count == FORECAST_REPEATS || !expectation_is_about(&expectations[i], m))
            continue;
        if (m->skipped) {
            row->skipped = m->skipped;
            continue;
        }
        double value = expectations[i].value(m);
        if (isfinite(value))
            row->values[row->count++] = value;
    }
}

/* ------------------------------------------------------------------------------- the trials */

static bool is_chosen(const struct choice *choice, const char *name)
{
    for (size_t i = 0; i < choice->name_count; i++)
        if (strcmp(choice->names[i], name) == 0)
            return true;
    return choice->name_count == 0;
}

/* Has an earlier row asked for the same trial? */
static bool is_repeated(const struct expectation *e)
{
    for (const struct expectation *other = expectations; other < e; other++)
        if (strcmp(other->strategy, e->strategy) == 0 &&
            strcmp(other->workload, e->workload) == 0 && other->workers == e->workers &&
            other->is_pinned == e->is_pinned)
            return true;
    return false;
}

static int check_names(const struct choice *choice)
{
    for (size_t i = 0; i < choice->name_count; i++) {
        const struct expectation *e = expectations;
        while (e->strategy && strcmp(e->strategy, choice->names[i]) != 0)
            e++;
        if (e->strategy)
            continue;
        fprintf(stderr, "drover-lab: '%s': nothing was predicted of it\n", choice->names[i]);
        return -1;
    }
    return 0;
}

int forecast_schedule(struct schedule *schedule, const struct choice *choice)
{
    if (check_names(choice) < 0)
        return -1;
    for (const struct expectation *e = expectations; e->strategy; e++) {
        struct choice one = *choice;
        if (!is_chosen(choice, e->strategy) || is_repeated(e))
            continue;
        one.settings.is_pinned = e->is_pinned;
        schedule_add_trial(schedule, strategy_find(e->strategy), workload_find(e->workload),
                           e->workers, &one);
    }
    return 0;
}

/* ------------------------------------------------------------------------------ the verdicts */

static void print(const struct expectation *e, double value)
{
    char words[64], what[128];
    const char *green = "", *red = "", *plain = "";
    if (isatty(STDOUT_FILENO) && !getenv("NO_COLOR"))
        green = "\033[32m", red = "\033[31m", plain = "\033[0m";
    expectation_words(e, words, sizeof words);
    snprintf(what, sizeof what, "%s, %u workers: %s", e->strategy, e->workers, e->figure);
    if (expectation_holds(e, value))
        printf("%sholds%s    %-76s %8.3f  (expected %s)\n", green, plain, what, value, words);
    else
        printf("%sdiffers%s  %-76s %8.3f  (expected %s): differs from %s\n", red, plain, what,
               value, words, e->source);
}

unsigned forecast_tell(const struct forecast *forecast, struct output *output)
{
    unsigned differing = 0;
    for (size_t i = 0; i < forecast->count; i++) {
        const struct forecast_row *row = &forecast->rows[i];
        if (row->count == 0 && row->skipped && !output->is_quiet)
            printf("unknown  %s, %u workers: %s: not tried: %s\n", expectations[i].strategy,
                   expectations[i].workers, expectations[i].figure, row->skipped);
        if (row->count == 0)
            continue;
        double value = stats_median(row->values, row->count);
        differing += !expectation_holds(&expectations[i], value);
        if (!output->is_quiet)
            print(&expectations[i], value);
        output_line(output, expectation_json(&expectations[i], value));
    }
    return differing;
}
