#include "lab/report/groups.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/trial/stats.h"

/* More repeats are not looked at: a median of so many moves no more. */
#define RUNS_MAX 256

const char *setting_field(enum setting setting)
{
    static const char *const fields[] = {[SETTING_DRAIN] = "drain",
                                         [SETTING_NET] = "net",
                                         [SETTING_PINNED] = "pinned",
                                         [SETTING_DEFER] = "defer",
                                         [SETTING_BACKLOG] = "backlog"};
    _Static_assert(sizeof fields / sizeof *fields == SETTING_COUNT, "a field a setting");
    return fields[setting];
}

static bool is_true(const struct result *row, const char *field)
{
    return json_is_true(json_object_get(row->line, field));
}

static void say(struct group *group, const char *words)
{
    size_t length = strlen(group->settings);
    snprintf(group->settings + length, sizeof group->settings - length, "%s%s", length ? ", " : "",
             words);
}

/* What is odd is said. */
static void tell_settings(struct group *group, const struct result *row)
{
    const char *net = json_string_value(json_object_get(row->line, "net"));
    if (net && strcmp(net, "loopback") != 0)
        say(group, net);
    if (is_true(row, "pinned"))
        say(group, "pinned");
    if (is_true(row, "defer"))
        say(group, "deferred");
    group->is_odd = *group->settings;
}

/* Whether a worker drained is said where both ways were tried. */
static void tell_drain(struct groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        struct group *a = &groups->all[i];
        for (size_t j = 0; j < groups->count && !a->tells_drain; j++) {
            const struct result *x = a->rows[0], *y = groups->all[j].rows[0];
            a->tells_drain = is_true(x, "drain") != is_true(y, "drain") &&
                             strcmp(x->kind, y->kind) == 0 && strcmp(x->name, y->name) == 0 &&
                             strcmp(x->workload, y->workload) == 0;
        }
        if (a->tells_drain)
            say(a, is_true(a->rows[0], "drain") ? "drains" : "one a wake-up");
    }
}

static char *make_key(const struct result *row, unsigned blind)
{
    struct buf key = {0};
    buf_printf(&key, "%u\t%s\t%s\t%s\t%s\t%u", row->machine, row->kind, row->name, row->workload,
               row->phase, row->workers);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        char room[64];
        if (!(blind & 1U << i))
            buf_printf(&key, "\t%s", result_text(row, setting_field(i), room, sizeof room));
    }
    buf_add(&key, "", 1);
    if (!key.failed)
        return key.p;
    buf_free(&key);
    return NULL;
}

static bool add_row(struct group *group, const struct result *row)
{
    // NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers
    const struct result **rows = reallocarray(group->rows, group->count + 1, sizeof *rows);
    if (!rows)
        return false;
    group->rows = rows;
    group->rows[group->count++] = row;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

/* Neighbours of the same key become one. */
static bool join(struct groups *groups)
{
    size_t kept = 0;
    for (size_t i = 0; i < groups->count; i++) {
        struct group *into = &groups->all[kept - (kept > 0)], *one = &groups->all[i];
        if (kept > 0 && strcmp(into->key, one->key) == 0) {
            if (!add_row(into, one->rows[0]))
                return false;
            free(one->rows);
            free(one->key);
            *one = (struct group){0};
        } else {
            struct group moved = *one;
            *one = (struct group){0};
            groups->all[kept++] = moved;
        }
    }
    groups->count = kept;
    return true;
}

bool groups_make(struct groups *groups, const struct results *results, unsigned blind)
{
    *groups = (struct groups){
        .all = calloc(results->count ? results->count : 1, sizeof *groups->all)};
    groups->failed = !groups->all;
    for (size_t i = 0; i < results->count && !groups->failed; i++) {
        const struct result *row = &results->rows[i];
        if (!result_is_measurement(row))
            continue;
        struct group *group = &groups->all[groups->count++];
        group->order = i;
        group->key = make_key(row, blind);
        tell_settings(group, row);
        groups->failed = !group->key || !add_row(group, row);
    }
    if (groups->failed)
        return false;
    qsort(groups->all, groups->count, sizeof *groups->all, by_key);
    groups->failed = !join(groups);
    qsort(groups->all, groups->count, sizeof *groups->all, by_order);
    if (!groups->failed)
        tell_drain(groups);
    return !groups->failed;
}

void groups_free(struct groups *groups)
{
    for (size_t i = 0; groups->all && i < groups->count; i++) {
        free(groups->all[i].rows);
        free(groups->all[i].key);
    }
    free(groups->all);
    *groups = (struct groups){0};
}

static bool matches(const struct group *group, const struct query *query)
{
    const struct result *row = group->rows[0];
    return row->machine == query->machine && strcmp(row->kind, query->kind) == 0 &&
           strcmp(row->name, query->name) == 0 && strcmp(row->workload, query->workload) == 0 &&
           (!query->phase || strcmp(row->phase, query->phase) == 0) &&
           (query->workers == 0 || row->workers == query->workers);
}

const struct group *groups_find(const struct groups *groups, const struct query *query)
{
    const struct group *found = NULL;
    for (size_t i = 0; i < groups->count; i++) {
        const struct group *group = &groups->all[i];
        if (matches(group, query) && !group_skipped(group) &&
            (!found || (found->is_odd && !group->is_odd)))
            found = group;
    }
    return found;
}

const struct group *groups_twin(const struct groups *groups, const struct group *group)
{
    for (size_t i = 0; i < groups->count; i++)
        if (strcmp(groups->all[i].key, group->key) == 0)
            return &groups->all[i];
    return NULL;
}

static double figure(const struct result *row, const char *field)
{
    return strcmp(field, "lost") == 0 ? result_lost(row) : result_number(row, field);
}

/* Of the runs that have it. */
static size_t gather(const struct group *group, const char *field, double values[RUNS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < group->count && n < RUNS_MAX; i++) {
        double value = group->rows[i]->skipped ? NAN : figure(group->rows[i], field);
        if (isfinite(value))
            values[n++] = value;
    }
    return n;
}

size_t group_runs(const struct group *group, const char *field)
{
    double values[RUNS_MAX];
    return gather(group, field, values);
}

double group_median(const struct group *group, const char *field)
{
    double values[RUNS_MAX];
    size_t n = group ? gather(group, field, values) : 0;
    return n > 0 ? stats_median(values, n) : NAN;
}

double group_half_range(const struct group *group, const char *field)
{
    double values[RUNS_MAX];
    size_t n = gather(group, field, values);
    if (n < 2)
        return NAN;
    double least = values[0], most = values[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    return (most - least) / 2;
}

const char *group_skipped(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (!group->rows[i]->skipped)
            return NULL;
    return group->rows[0]->skipped;
}
