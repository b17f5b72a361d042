#include "lab/cli/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"
#include "lab/cli/preset.h"
#include "lab/models/model.h"
#include "lab/models/model_trial.h"
#include "lab/trial/trial.h"

#define WORKERS_DEFAULT 4

/* One of strategy and model is set, and its workload. */
struct schedule_entry {
    const struct strategy *strategy;
    const struct workload *workload;
    const struct model *model;
    const struct model_workload *model_workload;
    unsigned workers;
    unsigned repeat;
    struct settings settings;
    bool is_quick;
};

void schedule_free(struct schedule *schedule)
{
    free(schedule->entries);
    *schedule = (struct schedule){.count = 0};
}

static void push(struct schedule *schedule, const struct schedule_entry *entry)
{
    if (schedule->count == schedule->capacity) {
        size_t wanted = schedule->capacity ? 2 * schedule->capacity : 64;
        void *grown = realloc(schedule->entries, wanted * sizeof *schedule->entries);
        if (!grown) {
            schedule->has_failed = true;
            return;
        }
        schedule->entries = grown;
        schedule->capacity = wanted;
    }
    schedule->entries[schedule->count++] = *entry;
}

/* -------------------------------------------------------------------------------- the names */

/* Calls back for every name that there is; returns how many. */
static size_t gather_names(const char **names, size_t room)
{
    size_t count = 0;
    for (const struct strategy *const *s = strategies; *s && count < room; s++)
        names[count++] = (*s)->name;
    for (const struct model *const *m = models; *m && count < room; m++)
        names[count++] = (*m)->name;
    for (const struct preset *p = presets; p->name && count < room; p++)
        names[count++] = p->name;
    return count;
}

static int unknown_name(const char *name)
{
    const char *names[128];
    const char *nearest = nearest_name(name, names, gather_names(names, 128));
    fprintf(stderr, "drover-lab: '%s': there is no such strategy, model or preset", name);
    if (nearest)
        fprintf(stderr, "; did you mean %s?\n", nearest);
    else
        fputs("; `drover-lab list` has the names\n", stderr);
    return -1;
}

static int unknown_workload(const char *name, bool is_of_model)
{
    fprintf(stderr, "drover-lab: --workload '%s': not a workload of %s (allowed: ", name,
            is_of_model ? "models" : "strategies");
    if (is_of_model)
        for (const struct model_workload *const *w = model_workloads; *w; w++)
            fprintf(stderr, "%s, ", (*w)->name);
    else
        for (const struct workload *const *w = workloads; *w; w++)
            fprintf(stderr, "%s, ", (*w)->name);
    fputs("all)\n", stderr);
    return -1;
}

/* ------------------------------------------------------------------------------ the entries */

static void push_repeats(struct schedule *schedule, struct schedule_entry *entry,
                         const struct choice *choice)
{
    uint64_t repeats = choice->repeat ? choice->repeat : 1;
    for (entry->repeat = 0; entry->repeat < repeats; entry->repeat++)
        push(schedule, entry);
}

static void push_workers(struct schedule *schedule, struct schedule_entry *entry,
                         const struct choice *choice)
{
    if (choice->worker_count == 0) {
        entry->workers = WORKERS_DEFAULT;
        push_repeats(schedule, entry, choice);
    }
    for (size_t i = 0; i < choice->worker_count; i++) {
        entry->workers = choice->workers[i];
        push_repeats(schedule, entry, choice);
    }
}

static int push_strategy(struct schedule *schedule, const struct strategy *strategy,
                         const struct choice *choice, const char *workload)
{
    struct schedule_entry entry = {
        .strategy = strategy,
        .settings = choice->settings,
        .is_quick = choice->is_quick,
    };
    if (strcmp(workload, "all") == 0) {
        for (const struct workload *const *w = workloads; *w; w++) {
            entry.workload = *w;
            push_workers(schedule, &entry, choice);
        }
        return 0;
    }
    entry.workload = workload_find(workload);
    if (!entry.workload)
        return unknown_workload(workload, false);
    push_workers(schedule, &entry, choice);
    return 0;
}

static int push_model(struct schedule *schedule, const struct model *model,
                      const struct choice *choice, const char *workload)
{
    struct schedule_entry entry = {
        .model = model,
        .settings = choice->settings,
        .is_quick = choice->is_quick,
        .workers = 1,
    };
    if (choice->worker_count > 1 || (choice->worker_count == 1 && choice->workers[0] != 1)) {
        fprintf(stderr, "drover-lab: --workers: %s is a model, of one server (allowed: 1)\n",
                model->name);
        return -1;
    }
    if (strcmp(workload, "all") == 0) {
        for (const struct model_workload *const *w = model_workloads; *w; w++) {
            entry.model_workload = *w;
            push_repeats(schedule, &entry, choice);
        }
        return 0;
    }
    entry.model_workload = model_workload_find(workload);
    if (!entry.model_workload)
        return unknown_workload(workload, true);
    push_repeats(schedule, &entry, choice);
    return 0;
}

/* For each chosen workload, or the usual one. */
static int add_one(struct schedule *schedule, const struct strategy *strategy,
                   const struct model *model, const struct choice *choice)
{
    if (choice->workload_count == 0)
        return model ? push_model(schedule, model, choice, "short")
                     : push_strategy(schedule, strategy, choice, "singles");
    for (size_t i = 0; i < choice->workload_count; i++) {
        const char *workload = choice->workloads[i];
        if ((model ? push_model(schedule, model, choice, workload)
                   : push_strategy(schedule, strategy, choice, workload)) < 0)
            return -1;
    }
    return 0;
}

/* Some names are a strategy's and a model's: then the workload tells which is meant. */
static bool is_for_model(const struct choice *choice)
{
    return choice->workload_count > 0 && model_workload_find(choice->workloads[0]) != NULL;
}

/* What follows "prefix:", or NULL. */
static const char *behind(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

/* ------------------------------------------------------------------------------ the presets */

static void change(struct settings *settings, const struct settings *by)
{
    settings->wire = by->wire ? by->wire : settings->wire;
    settings->drain = by->drain ? by->drain : settings->drain;
    settings->is_pinned |= by->is_pinned;
    settings->is_deferred |= by->is_deferred;
}

/* What the command line does not say is the preset's. */
static int merge(struct choice *merged, const struct choice *choice, const struct preset *preset)
{
    *merged = (struct choice){
        .workers_text = choice->is_quick ? preset->quick_workers : preset->workers,
        .workload_text = preset->workloads,
    };
    if (choice_read_lists(merged) < 0)
        return -1;
    merged->settings = choice->settings;
    change(&merged->settings, &preset->settings);
    merged->is_quick = choice->is_quick;
    merged->repeat = choice->is_quick ? preset->quick_repeat : preset->repeat;
    if (choice->repeat)
        merged->repeat = choice->repeat;
    if (choice->worker_count) {
        merged->worker_count = choice->worker_count;
        memcpy(merged->workers, choice->workers, sizeof merged->workers);
    }
    if (choice->workload_count) {
        merged->workload_count = choice->workload_count;
        memcpy(merged->workloads, choice->workloads, sizeof merged->workloads);
    }
    return 0;
}

/* A workload at a time, and of it a number of workers at a time: the rows that are to be compared
 * stand beside each other, and are measured within the same minute. */
static int add_preset(struct schedule *schedule, const struct preset *preset,
                      const struct choice *choice)
{
    struct choice merged, one;
    if (merge(&merged, choice, preset) < 0)
        return -1;
    for (size_t i = 0; i < merged.workload_count; i++) {
        one = merged;
        one.workloads[0] = merged.workloads[i];
        one.workload_count = 1;
        for (const struct strategy *const *s = strategies; !preset->is_of_models && *s; s++)
            if (add_one(schedule, *s, NULL, &one) < 0)
                return -1;
        for (const struct model *const *m = models; preset->is_of_models && *m; m++)
            if (add_one(schedule, NULL, *m, &one) < 0)
                return -1;
    }
    return 0;
}

/* All parts of it. */
static int add_presets(struct schedule *schedule, const struct preset *preset,
                       const struct choice *choice)
{
    for (const struct preset *p = preset; p->name && strcmp(p->name, preset->name) == 0; p++)
        if (add_preset(schedule, p, choice) < 0)
            return -1;
    return 0;
}

static int add_named(struct schedule *schedule, const char *name, const struct choice *choice)
{
    const char *of_strategy = behind(name, "strategy:");
    const char *of_model = behind(name, "model:");
    if (preset_find(name))
        return add_presets(schedule, preset_find(name), choice);
    const struct strategy *strategy = of_model ? NULL
                                               : strategy_find(of_strategy ? of_strategy : name);
    const struct model *model = of_strategy ? NULL : model_find(of_model ? of_model : name);
    if (!strategy && !model)
        return unknown_name(name);
    if (model && (!strategy || is_for_model(choice)))
        return add_one(schedule, NULL, model, choice);
    return add_one(schedule, strategy, NULL, choice);
}

int schedule_add(struct schedule *schedule, const char *name, const struct choice *choice)
{
    if (add_named(schedule, name, choice) < 0)
        return -1;
    if (schedule->has_failed) {
        fputs("drover-lab: out of memory\n", stderr);
        return -1;
    }
    return 0;
}

void schedule_add_trial(struct schedule *schedule, const struct strategy *strategy,
                        const struct workload *workload, unsigned workers,
                        const struct choice *choice)
{
    struct schedule_entry entry = {
        .strategy = strategy,
        .workload = workload,
        .workers = workers,
        .settings = choice->settings,
        .is_quick = choice->is_quick,
    };
    push_repeats(schedule, &entry, choice);
}

/* ------------------------------------------------------------------------------- the making */

/* About how long it takes, in seconds: for the time that is left. */
static double weight(const struct schedule_entry *entry)
{
    double full = 1;
    if (entry->model)
        full = 3;
    else if (strcmp(entry->workload->name, "singles") == 0)
        full = 0.2 + entry->workers * 0.02;
    else if (strcmp(entry->workload->name, "steady") == 0)
        full = 4;
    return entry->is_quick ? full / 3 : full;
}

static void emit(const struct measurement *m, void *context)
{
    output_measurement(context, m);
}

static int run_strategy(const struct schedule_entry *entry, struct output *output)
{
    struct trial trial = {
        .strategy = entry->strategy,
        .workload = entry->workload,
        .workers = entry->workers,
        .settings = entry->settings,
        .is_quick = entry->is_quick,
        .repeat = entry->repeat,
        .emit = emit,
        .context = output,
    };
    output_begin(output, entry->strategy->name, entry->workload->name, entry->workers);
    if (trial_run(&trial) == 0)
        return 0;
    output_warn(output, "%s, %s, %u workers: %s", entry->strategy->name, entry->workload->name,
                entry->workers, trial.words);
    return -1;
}

static int run_model(const struct schedule_entry *entry, struct output *output)
{
    struct model_trial trial = {
        .model = entry->model,
        .workload = entry->model_workload,
        .settings = entry->settings,
        .is_quick = entry->is_quick,
        .repeat = entry->repeat,
        .emit = emit,
        .context = output,
    };
    output_begin(output, entry->model->name, entry->model_workload->name, 1);
    if (model_run(&trial) == 0)
        return 0;
    output_warn(output, "%s, %s: %s", entry->model->name, entry->model_workload->name, trial.words);
    return -1;
}

static unsigned last_repeat(const struct schedule *schedule)
{
    unsigned last = 0;
    for (size_t i = 0; i < schedule->count; i++)
        last = schedule->entries[i].repeat > last ? schedule->entries[i].repeat : last;
    return last;
}

/* All once, then all again: what a machine does beside is spread over all of them. */
int schedule_run(const struct schedule *schedule, struct output *output)
{
    double sum = 0;
    int result = 0;
    for (size_t i = 0; i < schedule->count; i++)
        sum += weight(&schedule->entries[i]);
    output_expect(output, (unsigned)schedule->count, sum);
    for (unsigned repeat = 0; repeat <= last_repeat(schedule); repeat++) {
        for (size_t i = 0; i < schedule->count; i++) {
            const struct schedule_entry *entry = &schedule->entries[i];
            if (entry->repeat != repeat)
                continue;
            if (output->has_failed) /* nobody would ever see it */
                return -1;
            if ((entry->model ? run_model : run_strategy)(entry, output) < 0)
                result = -1;
            output_end(output, weight(entry));
        }
    }
    return result;
}
