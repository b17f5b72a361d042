/*
 * drover-lab list - what there is to measure, one line each.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lab/claims/claim.h"
#include "lab/cli/command.h"
#include "lab/cli/preset.h"
#include "lab/models/model.h"
#include "lab/models/model_trial.h"
#include "lab/strategies/strategy.h"
#include "lab/workloads/workload.h"

static void row(const char *name, const char *teaches)
{
    printf("  %-27s %s\n", name, teaches);
}

static void list_strategies(void)
{
    puts("strategies: who is woken for a new connection, and who accepts it");
    for (const struct strategy *const *s = strategies; *s; s++)
        row((*s)->name, (*s)->teaches);
}

static void list_models(void)
{
    puts("models: how one process waits for its connections");
    for (const struct model *const *m = models; *m; m++) {
        row((*m)->name, (*m)->teaches);
        printf("  %-27s ends %s\n", "", (*m)->ends);
    }
}

static void list_workloads(void)
{
    puts("workloads of strategies");
    for (const struct workload *const *w = workloads; *w; w++)
        row((*w)->name, (*w)->teaches);
    puts("\nworkloads of models");
    for (const struct model_workload *const *w = model_workloads; *w; w++)
        row((*w)->name, (*w)->teaches);
}

static void list_presets(void)
{
    puts("presets: what answers one question");
    for (const struct preset *p = presets; p->name; p++)
        if (!preset_is_part(p))
            row(p->name, p->teaches);
}

static void list_claims(void)
{
    puts("claims: what is told, to be tried here");
    for (const struct claim *c = claims; c->text; c++)
        printf("  %s\n", c->text);
}

static const struct kind {
    const char *name;
    void (*list)(void);
} kinds[] = {
    {"strategies", list_strategies}, {"models", list_models}, {"workloads", list_workloads},
    {"presets", list_presets},       {"claims", list_claims},
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static int help(void)
{
    puts(
        "usage: drover-lab list [KIND]\n"
        "What there is to measure and to try, one line each. KIND: strategies, models, workloads,\n"
        "presets, claims.");
    return EX_OK;
}

int command_list(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : NULL;
    if (wanted && (strcmp(wanted, "--help") == 0 || strcmp(wanted, "-h") == 0))
        return help();
    int found = 0;
    for (size_t i = 0; i < KIND_COUNT && argc <= 2; i++) {
        if (wanted && strcmp(wanted, kinds[i].name) != 0)
            continue;
        if (found++ > 0)
            putchar('\n');
        kinds[i].list();
    }
    if (found > 0)
        return EX_OK;
    if (argc > 2)
        fprintf(stderr, "drover-lab: list '%s': one kind is allowed, or none: all\n", argv[2]);
    else
        fprintf(
            stderr,
            "drover-lab: list '%s': allowed: strategies, models, workloads, presets or claims\n",
            wanted);
    return EX_USAGE;
}
