#include "lab/report/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/trial/stats.h"

/* How far repeats lie apart under one workload, a share of their median, a figure each: that is
 * known better than the spread of two or three runs. */
struct noise {
    const char *kind, *workload;
    double *shares; /* owned: one a figure; 0 where no repeats are known */
};

static size_t figure_count(void)
{
    size_t n = 0;
    while (change_figures[n].field)
        n++;
    return n;
}

static bool is_under(const struct group *group, const char *kind, const char *workload)
{
    return strcmp(group->rows[0]->kind, kind) == 0 &&
           strcmp(group->rows[0]->workload, workload) == 0;
}

/* Appends the spreads of one side's groups, at most one a group. */
static size_t add_spreads(const struct groups *groups, const struct noise *noise, const char *field,
                          double *spreads)
{
    size_t n = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct group *group = &groups->all[i];
        if (!is_under(group, noise->kind, noise->workload))
            continue;
        double median = fabs(group_median(group, field)), half = group_half_range(group, field);
        if (median > 0 && isfinite(half))
            spreads[n++] = half / median;
    }
    return n;
}

static bool measure_noise(struct comparison *c, struct noise *noise)
{
    size_t figures = figure_count();
    double *spreads = calloc(c->a.groups.count + c->b.groups.count + 1, sizeof *spreads);
    noise->shares = calloc(figures, sizeof *noise->shares);
    bool done = spreads && noise->shares;
    for (size_t i = 0; i < figures && done; i++) {
        const char *field = change_figures[i].field;
        size_t n = add_spreads(&c->a.groups, noise, field, spreads);
        n += add_spreads(&c->b.groups, noise, field, spreads + n);
        noise->shares[i] = n > 0 ? stats_quantile(spreads, n, CHANGE_NOISE_PERMILLE) : 0;
    }
    free(spreads);
    return done;
}

/* NULL without memory. */
static const struct noise *noise_of(struct comparison *c, const struct group *group)
{
    const struct result *row = group->rows[0];
    for (size_t i = 0; i < c->noise_count; i++)
        if (is_under(group, c->noises[i].kind, c->noises[i].workload))
            return &c->noises[i];
    struct noise *noises = reallocarray(c->noises, c->noise_count + 1, sizeof *noises);
    if (!noises)
        return NULL;
    c->noises = noises;
    noises[c->noise_count] = (struct noise){.kind = row->kind, .workload = row->workload};
    struct noise *one = &noises[c->noise_count++];
    return measure_noise(c, one) ? one : NULL;
}

static struct sample sample_of(const struct group *group, const char *field)
{
    return (struct sample){.median = group_median(group, field),
                           .half_range = group_half_range(group, field),
                           .runs = group_runs(group, field)};
}

static void add(struct comparison *c, const struct difference *difference)
{
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 64;
        struct difference *all = reallocarray(c->all, room, sizeof *all);
        c->failed = c->failed || !all;
        if (!all)
            return;
        c->all = all;
        c->room = room;
    }
    c->all[c->count++] = *difference;
}

static void compare_group(struct comparison *c, const struct group *a, const struct group *b)
{
    const struct noise *noise = noise_of(c, a);
    c->failed = c->failed || !noise;
    for (const struct change_figure *f = change_figures; f->field && noise; f++) {
        struct difference d = {
            .group = a, .figure = f, .a = sample_of(a, f->field), .b = sample_of(b, f->field)};
        bool both = d.a.runs > 0 && d.b.runs > 0;
        c->compared += both;
        c->by_spread += both && change_has_spread(&d.a, &d.b);
        if (change_is_one(&d.a, &d.b, f, noise->shares[f - change_figures]))
            add(c, &d);
    }
}

/* The largest first; equal ones as the file has them. */
static int by_size(const void *left, const void *right)
{
    const struct difference *x = left, *y = right;
    double a = change_size(&x->a, &x->b), b = change_size(&y->a, &y->b);
    if (a != b)
        return a < b ? 1 : -1;
    if (x->group->order != y->group->order)
        return x->group->order < y->group->order ? -1 : 1;
    return x->figure < y->figure ? -1 : x->figure > y->figure;
}

static void compare(struct comparison *c)
{
    for (size_t i = 0; i < c->a.groups.count; i++) {
        const struct group *a = &c->a.groups.all[i], *b = groups_twin(&c->b.groups, a);
        if (b)
            compare_group(c, a, b);
    }
    if (c->count > 0)
        qsort(c->all, c->count, sizeof *c->all, by_size);
}

bool comparison_make(struct comparison *comparison, unsigned blind)
{
    bool made = groups_make(&comparison->a.groups, &comparison->a.results, blind) &&
                groups_make(&comparison->b.groups, &comparison->b.results, blind);
    if (made)
        compare(comparison);
    return made && !comparison->failed;
}

static void free_side(struct side *side)
{
    groups_free(&side->groups);
    results_free(&side->results);
}

void comparison_free(struct comparison *comparison)
{
    for (size_t i = 0; i < comparison->noise_count; i++)
        free(comparison->noises[i].shares);
    free(comparison->noises);
    free(comparison->all);
    free_side(&comparison->a);
    free_side(&comparison->b);
    *comparison = (struct comparison){.count = 0};
}
