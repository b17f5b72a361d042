/*
 * Stall and death: what becomes of clients when one worker makes no progress, or is killed.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/report/bars.h"
#include "lab/report/html.h"

struct scene {
    const char *workload, *phase, *words;
};

static double or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

static void add_bar(struct bars *bars, const struct page *page, const char *name,
                    const struct scene *scene)
{
    const struct group *group = page_find(page, "strategy", name, scene->workload, scene->phase, 0);
    double served = group_median(group, "served"), late = or_zero(group_median(group, "late"));
    double lost = or_zero(group_median(group, "lost")), all = served + late + lost;
    if (isnan(all) || all <= 0)
        return;
    bars->all[bars->count++] = (struct bar){
        .name = name,
        .parts = {100 * served / all, 100 * late / all, 100 * lost / all},
        .order = served / all - lost / all / 1000,
        .value = 100 * served / all};
}

static void add_sentence(const struct bars *bars, struct buf *html, const struct scene *scene)
{
    const struct bar *worst = &bars->all[0];
    size_t whole = 0;
    for (size_t i = 0; i < bars->count; i++) {
        if (bars->all[i].parts[0] < worst->parts[0])
            worst = &bars->all[i];
        whole += bars->all[i].parts[0] > 99.95;
    }
    buf_printf(html,
               "<p class=\"seen\">%s: under %zu of %zu strategies every client was served in time",
               scene->words, whole, bars->count);
    if (worst->parts[0] <= 99.95) {
        buf_lit(html, "; fewest under ");
        html_element(html, "code", worst->name);
        buf_printf(html, ", %.0f %% (%.0f %% late, %.0f %% lost)", worst->parts[0], worst->parts[1],
                   worst->parts[2]);
    }
    buf_lit(html, ".</p>\n");
}

static bool draw_scene(struct page *page, const struct scene *scene)
{
    static struct bars bars;
    bars = (struct bars){.title = scene->words,
                         .x_label = "served in time, percent of the clients",
                         .unit = " %",
                         .parts = {{"served in time", COLOUR_GOOD, false},
                                   {"late", COLOUR_LATE, false},
                                   {"lost", COLOUR_LOST, true}},
                         .part_count = 3,
                         .most = 112};
    for (size_t i = 0; i < page->strategies.name_count; i++)
        add_bar(&bars, page, page->strategies.names[i], scene);
    if (bars.count == 0)
        return false;
    buf_lit(&page->html, "<div>\n");
    add_sentence(&bars, &page->html, scene);
    bars_draw(&bars, page);
    buf_lit(&page->html, "</div>\n");
    return true;
}

struct strand {
    const char *workload, *title, *words;
    enum plot_colour colour;
};

static double stranded_of(const struct page *page, const char *name, const char *workload)
{
    return group_median(page_find(page, "strategy", name, workload, "strand", 0), "stranded");
}

/* Bars for those that have stranded some; the others' names go to `none`. */
static size_t add_strands(struct bars *bars, const struct page *page, const char *workload,
                          const char *none[CAST_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < page->strategies.name_count; i++) {
        const char *name = page->strategies.names[i];
        double share = stranded_of(page, name, workload);
        if (share > 0)
            bars->all[bars->count++] = (struct bar){
                .name = name, .parts = {100 * share}, .order = share, .value = NAN};
        else if (!isnan(share))
            none[count++] = name;
    }
    return count;
}

static bool draw_stranded(struct page *page, const struct strand *strand)
{
    static struct bars bars;
    struct buf *html = &page->html;
    const char *none[CAST_MAX];
    bars = (struct bars){.title = strand->title,
                         .x_label = "stranded, percent of the tries",
                         .unit = " %",
                         .parts = {{"stranded", strand->colour, false}},
                         .part_count = 1};
    size_t count = add_strands(&bars, page, strand->workload, none);
    if (bars.count + count == 0)
        return false;
    buf_printf(html, "<div>\n<p class=\"seen\">%s", strand->words);
    buf_str(html, count > 0 ? "no client was left beside an idle worker under "
                            : "clients were left beside an idle worker under all strategies");
    html_names(html, none, count);
    buf_lit(html,
            ". Whom the worker had accepted already waits with it, and is not among them; how many "
            "are depends on how soon after the wake-up the worker is hit.</p>\n");
    if (bars.count > 0)
        bars_draw(&bars, page);
    buf_lit(html, "</div>\n");
    return true;
}

static bool draw(struct page *page)
{
    static const struct scene scenes[] = {
        {"stall-stop", "", "One worker is stopped (SIGSTOP)"},
        {"stall-stop", "untold", "One worker is stopped, and nobody is told"},
        {"stall-spin", NULL, "One worker spins"},
        {"death", "", "A worker is killed under load"},
    };
    static const struct strand strands[] = {
        {"stall-stop", "Stranded: a worker is stopped as a client comes",
         "When the worker that is woken is stopped just then, ", COLOUR_LATE},
        {"death", "Stranded: a worker is killed as a client comes", "When it is killed just then, ",
         COLOUR_LOST},
    };
    bool drawn = false;
    size_t before = page->html.len;
    buf_lit(&page->html, "<p class=\"how\">A client is stranded when it stays in the queue "
                         "although another worker sleeps: the one that was woken for it cannot "
                         "take it any more.</p>\n<div class=\"columns\">\n");
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        drawn = draw_scene(page, &scenes[i]) || drawn;
    for (size_t i = 0; i < sizeof strands / sizeof *strands; i++)
        drawn = draw_stranded(page, &strands[i]) || drawn;
    buf_lit(&page->html, "</div>\n");
    if (!drawn)
        page->html.len = before;
    return drawn;
}

const struct figure figure_stall = {
    .id = "stall",
    .title = "Stall and death",
    .expected =
        "<ul><li>All served: whoever shares one queue and wakes another when one does not come: "
        "<code>accept-blocking</code>, the herds, <code>epoll-exclusive</code>.</li>"
        "<li>All but one: <code>uring-single</code>. At most 2 of 12: "
        "<code>uring-multishot</code>, when the worker that has the ring\xe2\x80\x99s accept is "
        "the one that sleeps.</li>"
        "<li>About 1/N stuck: <code>reuseport</code>: what was dealt to the one that stalls stays "
        "in its queue.</li>"
        "<li>Stranded: about 1 of 20 under <code>epoll-exclusive</code>, none under "
        "level-triggered epoll.</li></ul>",
    .draw = draw,
};
