#include "cli/columns.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t count_of(const struct drover_app *app)
{
    size_t n = 0;
    while (app->metrics && app->metrics[n].name)
        n++;
    return n;
}

static bool has_name(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->names[i], name) == 0)
            return true;
    return false;
}

/* Of the letters that a metric's name may have. */
static void name_apart(char name[64], const char *site, const char *metric)
{
    snprintf(name, 64, "%.31s_%.31s", site, metric);
    for (char *c = name; *c; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!is_letter && (c == name || *c < '0' || *c > '9'))
            *c = '_';
    }
}

static bool add(struct columns *columns, const struct drover_app *app, const char *site,
                const struct drover_metric *metric)
{
    size_t at = columns->count;
    char *name = columns->names[at];
    snprintf(name, sizeof columns->names[0], "%s", metric->name);
    if (site && has_name(columns, name))
        name_apart(name, site, metric->name);
    if (has_name(columns, name))
        return false;
    columns->apps[at] = app;
    columns->metrics[at] = *metric;
    columns->metrics[at].name = name;
    columns->count++;
    return true;
}

const char *columns_give(struct columns *columns, const struct drover_app *app, const char *site,
                         unsigned *at)
{
    size_t n = count_of(app);
    for (*at = 0; *at < columns->count; ++*at)
        if (columns->apps[*at] == app)
            return NULL;
    if (n > DROVER_METRICS_MAX - columns->count)
        return "all applications of a server may have 16 together";
    for (size_t i = 0; i < n; i++)
        if (!add(columns, app, site, &app->metrics[i]))
            return "another application has one of that name, too";
    return NULL;
}

void columns_copy(struct columns *to, const struct columns *from)
{
    *to = *from;
    for (size_t i = 0; i < to->count; i++)
        to->metrics[i].name = to->names[i];
}
