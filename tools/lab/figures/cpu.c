/*
 * CPU time a connection: what the workers cost, in user space and in the kernel.
 */
#include <math.h>
#include <stdio.h>

#include "lab/report/bars.h"
#include "lab/report/html.h"

/* At most. Between two connections the client looks at every worker, to see that it sleeps: with
 * many of them that alone empties the CPU's caches, and each strategy seems dearer than it is. */
#define WORKERS 4

static void add_bar(struct bars *bars, const struct page *page, const char *name, unsigned workers)
{
    const struct group *group = page_find(page, "strategy", name, "singles", NULL, workers);
    double all = group_median(group, "cpu_us_per_connection");
    double user = group_median(group, "cpu_user_us_per_connection");
    if (isnan(all))
        return;
    /* How long it is is known exactly, how it is split in ticks of the clock alone: of a short run
     * too coarsely. */
    bool is_split = !isnan(user);
    user = is_split ? fmin(user, all) : 0;
    bars->all[bars->count++] = (struct bar){
        .name = name,
        .parts = {user, is_split ? all - user : 0, is_split ? 0 : all},
        .order = -all,
        .value = all};
}

/* What the client of the cheapest strategy costs: the lab's own price. */
static double client_cost(const struct page *page, const char *name, unsigned workers)
{
    return group_median(page_find(page, "strategy", name, "singles", NULL, workers),
                        "client_cpu_us_per_connection");
}

static void add_sentence(const struct bars *bars, struct page *page, unsigned workers)
{
    struct buf *html = &page->html;
    const struct bar *least = &bars->all[0], *most = least;
    for (size_t i = 1; i < bars->count; i++) {
        if (bars->all[i].value < least->value)
            least = &bars->all[i];
        if (bars->all[i].value > most->value)
            most = &bars->all[i];
    }
    double client = client_cost(page, least->name, workers);
    buf_printf(html, "<p class=\"seen\">With %u idle workers a connection cost them ", workers);
    html_number(html, least->value);
    buf_lit(html, " \xc2\xb5s of CPU time under ");
    html_element(html, "code", least->name);
    if (most != least) {
        buf_lit(html, ", and ");
        html_number(html, most->value);
        buf_lit(html, " \xc2\xb5s under ");
        html_element(html, "code", most->name);
        buf_printf(html, ": %.1f times as much", most->value / least->value);
    }
    buf_lit(html, ".");
    if (!isnan(client)) {
        buf_lit(html, " The client\xe2\x80\x99s own cost was ");
        html_number(html, client);
        buf_lit(html, " \xc2\xb5s.");
    }
    buf_lit(html, "</p>\n");
}

static bool draw(struct page *page)
{
    static struct bars bars;
    char title[96];
    unsigned workers = page_common_workers(page, "singles", WORKERS);
    snprintf(title, sizeof title, "CPU time a connection, %u idle workers", workers);
    bars = (struct bars){.title = title,
                         .x_label = "microseconds of CPU time a connection",
                         .unit = " us",
                         .parts = {{"user", COLOUR_USER, false},
                                   {"system", COLOUR_SYSTEM, false},
                                   {"user and system, not told apart", COLOUR_SYSTEM, true}},
                         .part_count = 3};
    for (size_t i = 0; i < page->strategies.name_count && workers > 0; i++)
        add_bar(&bars, page, page->strategies.names[i], workers);
    if (bars.count == 0)
        return false;
    add_sentence(&bars, page, workers);
    bars_draw(&bars, page);
    return true;
}

const struct figure figure_cpu = {
    .id = "cpu",
    .title = "CPU time a connection",
    .expected = "<p>A wakeup that finds nothing costs what a wakeup costs: herds pay for N of "
                "them with each connection. Work that only sleeps would hide it, so the workers "
                "here burn what a request asks for.</p>",
    .published = "<p>Affinity-Accept (EuroSys 2012): time in the network stack less by 30 %; "
                 "MegaPipe: +29 to +582 %; Fastsocket: 20.4 times as much on 24 cores.</p>"
                 "<p>Stevens, UNIX Network Programming, chapter 30: preforking beats a fork for "
                 "each client tenfold; children that accept beat descriptor passing.</p>"
                 "<p>Apache on Linux 2.0.30: serialised accept costs under 3 %.</p>",
    .draw = draw,
};
