#include "cli/columns.h"

#include "support.h"

static const struct drover_metric ab[] = {
    {"a", DROVER_COUNTER, "1"}, {"b", DROVER_GAUGE, "2"}, {.name = NULL}};
static const struct drover_metric bc[] = {
    {"b", DROVER_COUNTER, "3"}, {"c", DROVER_COUNTER, "4"}, {.name = NULL}};
static const struct drover_app one = {.name = "one", .metrics = ab};
static const struct drover_app two = {.name = "two", .metrics = bc};
static const struct drover_app none = {.name = "none"};

static struct columns columns;

static void give(const struct drover_app *app, const char *site, unsigned at)
{
    unsigned first = 99;
    const char *why = columns_give(&columns, app, site, &first);
    cr_expect_null(why, "%s", why);
    cr_expect_eq(first, at, "%s: %u", app->name, first);
}

static const char *all(const struct columns *c)
{
    static char text[256];
    text[0] = '\0';
    for (size_t i = 0; c->metrics[i].name; i++)
        sprintf(text + strlen(text), "%s:%s ", c->metrics[i].name, c->metrics[i].help);
    return text;
}

Test(columns, one_behind_the_other_and_names_apart)
{
    give(&none, NULL, 0);
    give(&one, NULL, 0);
    give(&two, "2.x-y", 2);
    cr_expect_str_eq(all(&columns), "a:1 b:2 __x_y_b:3 c:4 ");
    cr_expect_eq(columns.metrics[1].type, DROVER_GAUGE);
}

Test(columns, who_has_some_keeps_them_also_in_a_copy)
{
    static struct columns copy;
    give(&one, NULL, 0);
    give(&two, "s", 2);
    columns_copy(&copy, &columns);
    columns = copy;
    memset(columns.names, 0, sizeof columns.names);
    columns_copy(&columns, &copy);
    give(&two, "other", 2);
    give(&one, "s", 0);
    cr_expect_str_eq(all(&columns), "a:1 b:2 s_b:3 c:4 ");
    cr_expect_str_eq(all(&copy), "a:1 b:2 s_b:3 c:4 ");
}

Test(columns, there_are_so_many)
{
    static struct drover_metric many[DROVER_METRICS_MAX + 1];
    static char names[DROVER_METRICS_MAX][4];
    const struct drover_app app = {.name = "many", .metrics = many};
    unsigned at;
    for (size_t i = 0; i < DROVER_METRICS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "m%c", (char)('a' + i));
        many[i] = (struct drover_metric){.name = names[i], .help = "."};
    }
    give(&app, NULL, 0);
    cr_expect_str_eq(columns_give(&columns, &one, "s", &at),
                     "all applications of a server may have 16 together");
    cr_expect_eq(columns.count, DROVER_METRICS_MAX);
    cr_expect_null(columns.metrics[DROVER_METRICS_MAX].name);
    columns = (struct columns){0};
    give(&one, NULL, 0);
    cr_expect_str_eq(columns_give(&columns, &two, NULL, &at),
                     "another application has one of that name, too");
}
