/*
 * Who got the connections: a bar a worker, a plot a strategy.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/page.h"
#include "lab/trial/stats.h"

#define WIDTH  200
#define HEIGHT 130

/* More bars are a wall. */
#define BARS_MAX 32

struct share {
    size_t count;
    uint64_t of[BARS_MAX];
    uint64_t sum;
};

/* The connections of all runs together, which is what the index is of, too. */
static void read_share(struct share *share, const struct group *group)
{
    *share = (struct share){0};
    for (size_t i = 0; group && i < group->count; i++) {
        const json_t *counts = json_object_get(group->rows[i]->line, "per_worker");
        size_t n = json_array_size(counts);
        for (size_t j = 0; j < n && j < BARS_MAX; j++) {
            json_int_t one = json_integer_value(json_array_get(counts, j));
            share->of[j] += one > 0 ? (uint64_t)one : 0;
            share->sum += one > 0 ? (uint64_t)one : 0;
        }
        share->count = n < BARS_MAX ? (n > share->count ? n : share->count) : BARS_MAX;
    }
}

static void add_script(const struct share *quiet, const struct share *busy, struct buf *script)
{
    buf_printf(script,
               "set xrange [-0.6:%.1f]\nset yrange [0:104]\nset format y '%%g %%%%'\n"
               "set ytics 0,50,100\nset xtics scale 0 0,%d,%zu\nset grid noxtics\n"
               "set lmargin at screen 0.27\nset rmargin at screen 0.99\n"
               "set tmargin at screen 0.96\nset bmargin at screen 0.2\n$q << EOD\n",
               (double)quiet->count - 0.4, quiet->count > 8 ? 5 : 1, quiet->count - 1);
    for (size_t i = 0; i < quiet->count; i++)
        buf_printf(script, "%zu %.4g\n", i, 100 * (double)quiet->of[i] / (double)quiet->sum);
    buf_lit(script, "EOD\n$b << EOD\n");
    for (size_t i = 0; i < busy->count && busy->sum > 0; i++)
        buf_printf(script, "%zu %.4g\n", i, 100 * (double)busy->of[i] / (double)busy->sum);
    buf_printf(script,
               "EOD\nplot $q using 1:2:(0.72) with boxes fs solid noborder lc rgb '#0100%02x', "
               "%.4g with lines lw 1 dt (4,3) lc rgb '#010008'",
               COLOUR_USEFUL, 100.0 / (double)quiet->count);
    if (busy->sum > 0)
        buf_printf(script, ", $b using 1:2 with points pt 12 ps 0.9 lw 2.2 lc rgb '#0100%02x'",
                   COLOUR_SERIES + 1);
    buf_lit(script, "\n");
}

/* What the largest share says; the index of all shares is under the plot. */
static void describe(const struct share *share, const char *name, struct plot *plot)
{
    buf_printf(&plot->title, "Connections a worker: %s", name);
    for (size_t i = 0; i < share->count; i++)
        buf_printf(&plot->description, "%s%.0f %%", i ? ", " : "Worker by worker: ",
                   100 * (double)share->of[i] / (double)share->sum);
}

static void add_panel(struct page *page, const char *name, const struct share *quiet,
                      const struct share *busy, bool is_published)
{
    struct buf *html = &page->html;
    buf_printf(html, "<figure%s><figcaption><h4>", is_published ? " class=\"published\"" : "");
    html_text(html, name);
    buf_printf(html, "</h4><small>Jain %.3f", stats_jain(quiet->of, quiet->count));
    if (busy->sum > 0)
        buf_printf(html, ", loaded %.3f", stats_jain(busy->of, busy->count));
    buf_lit(html, "</small></figcaption>\n");
    struct plot *plot = plots_add(&page->plots, html, WIDTH, HEIGHT);
    if (plot) {
        add_script(quiet, busy, &plot->script);
        describe(quiet, name, plot);
    }
    buf_lit(html, "</figure>\n");
}

/* mosip-infra issue 1920: the same service before and after it had reuseport. */
static void add_published(struct page *page)
{
    static const struct share before = {.count = 8, .of = {349, 17, 4}, .sum = 370};
    static const struct share after = {
        .count = 8, .of = {171, 142, 169, 153, 167, 139, 142, 156}, .sum = 1239};
    static const struct share none;
    add_panel(page, "published: shared listener", &before, &none, true);
    add_panel(page, "published: reuseport", &after, &none, true);
}

struct extremes {
    const char *fairest, *narrowest;
    double most, least;
};

static void note(struct extremes *extremes, const char *name, double jain)
{
    if (!extremes->fairest || jain > extremes->most) {
        extremes->fairest = name;
        extremes->most = jain;
    }
    if (!extremes->narrowest || jain < extremes->least) {
        extremes->narrowest = name;
        extremes->least = jain;
    }
}

static const struct group *quiet_group(const struct page *page, const char *name, unsigned workers)
{
    return page_find(page, "strategy", name, "singles", NULL, workers);
}

static const struct group *busy_group(const struct page *page, const char *name, unsigned workers)
{
    return page_find(page, "strategy", name, "steady", "90 %", workers);
}

static void add_sentence(struct page *page, unsigned workers)
{
    struct extremes extremes = {0};
    struct buf *html = &page->html;
    const char *one_has_all[CAST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < page->strategies.name_count; i++) {
        const char *name = page->strategies.names[i];
        struct share share;
        read_share(&share, quiet_group(page, name, workers));
        if (share.sum == 0)
            continue;
        note(&extremes, name, stats_jain(share.of, share.count));
        for (size_t j = 0; j < share.count; j++)
            if ((double)share.of[j] >= 0.95 * (double)share.sum)
                one_has_all[count++] = name;
    }
    buf_printf(html, "<p class=\"seen\">Of %u idle workers, ", workers);
    if (count > 0) {
        buf_lit(html, "one took 95 % of the connections or more under ");
        html_names(html, one_has_all, count);
    } else {
        buf_lit(html, "none took 95 % of the connections under any strategy");
    }
    buf_lit(html, ". The evenest is ");
    html_element(html, "code", extremes.fairest);
    buf_printf(html, " (Jain\xe2\x80\x99s index %.3f), the most uneven ", extremes.most);
    html_element(html, "code", extremes.narrowest);
    buf_printf(html, " (%.3f; one worker alone would be %.3f).</p>\n", extremes.least,
               1.0 / workers);
}

/* As many as the steady load had, if it can be, so that an even share is the same in both. */
static unsigned quiet_workers(const struct page *page)
{
    unsigned steady = page_common_workers(page, "steady", BARS_MAX);
    for (size_t i = 0; i < page->strategies.name_count && steady > 0; i++)
        if (quiet_group(page, page->strategies.names[i], steady))
            return steady;
    unsigned few = page_common_workers(page, "singles", 8);
    return few > 0 ? few : page_common_workers(page, "singles", BARS_MAX);
}

static bool draw(struct page *page)
{
    struct buf *html = &page->html;
    unsigned workers = quiet_workers(page);
    if (workers == 0)
        return false;
    add_sentence(page, workers);
    buf_lit(html, "<p class=\"how\">A bar is a worker\xe2\x80\x99s share of the connections that "
                  "came one at a time; a diamond its share of a steady load (90 % of what the "
                  "strategy can do), where that was measured. The dashed line is an even "
                  "share.</p>\n<div class=\"panels small\">\n");
    for (size_t i = 0; i < page->strategies.name_count; i++) {
        const char *name = page->strategies.names[i];
        struct share quiet, busy;
        read_share(&quiet, quiet_group(page, name, workers));
        read_share(&busy, busy_group(page, name, workers));
        if (busy.count != quiet.count)
            busy.sum = 0; /* another even share: not to be held beside */
        if (quiet.sum > 0)
            add_panel(page, name, &quiet, &busy, false);
    }
    add_published(page);
    buf_lit(html, "</div>\n");
    return true;
}

const struct figure figure_shares = {
    .id = "shares",
    .title = "Who got the connections",
    .expected =
        "<ul><li>Round-robin: <code>accept-blocking</code> and <code>uring-single</code> (Jain at "
        "least 0.99).</li>"
        "<li>The first one registered takes 95 % or more: <code>epoll-exclusive</code>, "
        "<code>uring-multishot</code>. The last waiter: <code>shared-epoll-et</code>.</li>"
        "<li>As dice fall: the herds, and <code>reuseport</code>. Of few connections an uneven "
        "share is what chance gives: the index is then about 1/(1 + (N \xe2\x88\x92 1)/n).</li>"
        "</ul>",
    .published = "<p>mosip-infra issue 1920, connections a worker: 349, 17, 4, 0, 0, 0, 0, 0 "
                 "(Jain 0.140), then 171, 142, 169, 153, 167, 139, 142, 156 (0.994) with "
                 "reuseport: the last two plots.</p>",
    .draw = draw,
};
