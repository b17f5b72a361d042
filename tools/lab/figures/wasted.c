/*
 * Visible against hidden wakeups: of what the scheduler did, how much can a worker see?
 */
#include <math.h>
#include <stdio.h>

#include "lab/report/bars.h"
#include "lab/report/html.h"
#include "lab/trial/settings.h"

/* Wakeups a connection: less is not spoken of. */
#define WASTE_LEAST 0.05

static void add_bar(struct bars *bars, const struct page *page, const char *name, unsigned workers)
{
    const struct group *group = page_find(page, "strategy", name, "singles", NULL, workers);
    double all = group_median(group, "wakeups_per_connection");
    double visible = group_median(group, "wasted_visible_per_connection");
    double hidden = group_median(group, "wasted_hidden_per_connection");
    if (isnan(all))
        return;
    visible = isnan(visible) ? 0 : fmin(visible, all);
    hidden = isnan(hidden) ? 0 : fmin(fmax(hidden, 0), all - visible);
    bars->all[bars->count++] = (struct bar){.name = name,
                                            .parts = {all - visible - hidden, visible, hidden},
                                            .order = all,
                                            .value = all};
}

static const struct bar *most(const struct bars *bars, size_t part)
{
    const struct bar *found = &bars->all[0];
    for (size_t i = 1; i < bars->count; i++)
        if (bars->all[i].parts[part] > found->parts[part])
            found = &bars->all[i];
    return found;
}

static void add_waste(struct buf *html, const struct bar *bar)
{
    double wasted = bar->parts[1] + bar->parts[2];
    html_element(html, "code", bar->name);
    buf_lit(html, " wasted ");
    html_number(html, wasted);
    buf_lit(html, " wakeups a connection, of which its workers could see ");
    html_number(html, bar->parts[1]);
    buf_printf(html, ": %.3g %% hidden", 100 * bar->parts[2] / wasted);
}

/* The one that hides most, and the one that shows most. */
static void add_sentence(const struct bars *bars, struct buf *html, unsigned workers)
{
    const struct bar *hides = most(bars, 2), *shows = most(bars, 1);
    buf_printf(html, "<p class=\"seen\">With %u idle workers, ", workers);
    if (hides->parts[2] >= WASTE_LEAST)
        add_waste(html, hides);
    if (shows != hides && shows->parts[1] >= WASTE_LEAST) {
        buf_str(html, hides->parts[2] >= WASTE_LEAST ? "; " : "");
        add_waste(html, shows);
    }
    if (hides->parts[2] < WASTE_LEAST && shows->parts[1] < WASTE_LEAST)
        buf_lit(html, "no strategy wasted one wakeup in twenty connections");
    buf_lit(html, ".</p>\n");
}

static bool draw(struct page *page)
{
    static struct bars bars;
    char title[96];
    unsigned workers = page_common_workers(page, "singles", LAB_WORKERS_MAX);
    snprintf(title, sizeof title, "Wakeups a connection, %u idle workers", workers);
    bars = (struct bars){
        .title = title,
        .x_label = "wakeups a connection",
        .unit = "",
        .parts = {{"took a connection", COLOUR_USEFUL, false},
                  {"wasted, visible: the wait returned, accept said EAGAIN", COLOUR_VISIBLE, false},
                  {"wasted, hidden: woken, and the wait did not return", COLOUR_HIDDEN, true}},
        .part_count = 3};
    for (size_t i = 0; i < page->strategies.name_count && workers > 0; i++)
        add_bar(&bars, page, page->strategies.names[i], workers);
    if (bars.count == 0)
        return false;
    add_sentence(&bars, &page->html, workers);
    bars_draw(&bars, page);
    return true;
}

const struct figure figure_wasted = {
    .id = "wasted",
    .title = "Visible and hidden wakeups",
    .expected =
        "<p>User space cannot see the herd: all N workers are switched in, yet "
        "<code>epoll_wait</code> returns only 1.0 to 1.8 times a connection, because the kernel "
        "polls the item again before it returns, finds the queue empty, and sleeps again. "
        "Counting EAGAIN under-reports a herd by up to N times.</p>"
        "<p>Two CPUs lower the visible part further: the winner has accepted before the others "
        "run.</p>",
    .draw = draw,
};
