/*
 * The herd curve: how many workers the scheduler wakes for one connection, against how many wait.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/lines.h"
#include "lab/trial/settings.h"

/* Three quarters of all that wait, and more, is a herd; up to so many wakeups, none. */
#define HERD_SHARE 0.75
#define FLAT_MOST  1.5

/* Few workers tell no herd from one that wakes two. */
#define HERD_WORKERS_MIN 4

static double workers_of(const struct group *group)
{
    return group->rows[0]->workers;
}

struct sorted {
    const char *herds[CAST_MAX], *flat[CAST_MAX], *between[CAST_MAX];
    size_t herd_count, flat_count, between_count;
    double herd_least, herd_most, flat_least, flat_most;
};

static void sort_out(struct sorted *sorted, const struct page *page, unsigned workers)
{
    *sorted = (struct sorted){.herd_least = INFINITY, .flat_least = INFINITY};
    for (size_t i = 0; i < page->strategies.name_count; i++) {
        const char *name = page->strategies.names[i];
        double w = group_median(page_find(page, "strategy", name, "singles", NULL, workers),
                                "wakeups_per_connection");
        if (isnan(w))
            continue;
        if (w >= workers * HERD_SHARE && workers >= HERD_WORKERS_MIN) {
            sorted->herds[sorted->herd_count++] = name;
            sorted->herd_least = fmin(sorted->herd_least, w);
            sorted->herd_most = fmax(sorted->herd_most, w);
        } else if (w <= FLAT_MOST) {
            sorted->flat[sorted->flat_count++] = name;
            sorted->flat_least = fmin(sorted->flat_least, w);
            sorted->flat_most = fmax(sorted->flat_most, w);
        } else {
            sorted->between[sorted->between_count++] = name;
        }
    }
}

/* "15.9 to 16.1", or one number where both read the same. */
static void add_range(struct buf *html, double least, double most)
{
    char from[64], to[64];
    number_words(from, sizeof from, least);
    number_words(to, sizeof to, most);
    html_number(html, least);
    if (strcmp(from, to) != 0) {
        buf_lit(html, " to ");
        html_number(html, most);
    }
}

static void add_sentence(struct page *page, unsigned workers)
{
    struct sorted sorted;
    struct buf *html = &page->html;
    sort_out(&sorted, page, workers);
    buf_printf(html, "<p class=\"seen\">With %u idle workers, ", workers);
    if (sorted.herd_count > 0) {
        html_names(html, sorted.herds, sorted.herd_count);
        buf_lit(html, " woke ");
        add_range(html, sorted.herd_least, sorted.herd_most);
        buf_printf(html, " of the %u for each connection", workers);
    } else {
        buf_lit(html, "no strategy woke three quarters of them or more");
    }
    if (sorted.flat_count > 0) {
        buf_lit(html, "; ");
        html_names(html, sorted.flat, sorted.flat_count);
        buf_lit(html, " woke ");
        add_range(html, sorted.flat_least, sorted.flat_most);
    }
    if (sorted.between_count > 0) {
        buf_lit(html, "; between the two ");
        buf_str(html, sorted.between_count > 1 ? "are " : "is ");
        html_names(html, sorted.between, sorted.between_count);
    }
    buf_lit(html, ".</p>\n");
}

/* The numbers of workers that there are, by size. Returns how many. */
static size_t worker_counts(const struct lines *lines, double counts[LINE_POINTS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < lines->families->name_count; i++)
        for (size_t j = 0; j < lines->all[i].count; j++) {
            double x = lines->all[i].points[j].x;
            size_t at = 0;
            while (at < n && counts[at] < x)
                at++;
            if ((at < n && counts[at] == x) || n == LINE_POINTS_MAX)
                continue;
            memmove(&counts[at + 1], &counts[at], (n - at) * sizeof *counts);
            counts[at] = x;
            n++;
        }
    return n;
}

static double at_point(const struct line *line, double x)
{
    for (size_t i = 0; i < line->count; i++)
        if (line->points[i].x == x)
            return line->points[i].y;
    return NAN;
}

static void add_table(const struct lines *lines, struct buf *html)
{
    double counts[LINE_POINTS_MAX + 1];
    size_t n = worker_counts(lines, counts);
    buf_lit(html, "<details><summary>These figures as a table</summary>"
                  "<div class=\"scroll\" tabindex=\"0\"><table><caption>Wakeups a connection"
                  "</caption><thead><tr><th scope=\"col\">workers</th>");
    for (size_t i = 0; i < n; i++)
        buf_printf(html, "<th scope=\"col\">%.0f</th>", counts[i]);
    buf_lit(html, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < lines->families->name_count; i++) {
        buf_lit(html, "<tr><th scope=\"row\">");
        html_text(html, lines->all[i].name);
        buf_lit(html, "</th>");
        for (size_t j = 0; j < n; j++) {
            double w = at_point(&lines->all[i], counts[j]);
            bool is_herd = w >= counts[j] * HERD_SHARE && counts[j] >= HERD_WORKERS_MIN;
            buf_str(html, is_herd ? "<td class=\"bad\">" : "<td>");
            html_number(html, w);
            buf_lit(html, "</td>");
        }
        buf_lit(html, "</tr>\n");
    }
    buf_lit(html, "</tbody></table></div></details>\n");
}

static bool draw(struct page *page)
{
    static struct line all[CAST_MAX];
    struct lines lines = {.title = "Wakeups a connection against idle workers",
                          .x_label = "idle workers",
                          .y_label = "wakeups a connection",
                          .x_words = "idle workers",
                          .x_tics = "unset mxtics\nset xtics (1, 2, 4, 8, 16, 32, 64, 128)",
                          .reference = "x with lines lw 1 dt (6,4) lc rgb '#010008', "
                                       "1 with lines lw 1 dt (6,4) lc rgb '#010008'",
                          .families = &page->strategies,
                          .all = all};
    if (lines_gather(&lines, page, "strategy", "singles", "wakeups_per_connection", workers_of) ==
        0)
        return false;
    add_sentence(page, page_common_workers(page, "singles", LAB_WORKERS_MAX));
    buf_lit(&page->html,
            "<p class=\"how\">Both axes are logarithmic. The rising dashed line is a herd, where "
            "every idle worker wakes; the level one is one wakeup a connection. Grey: the "
            "strategies of the other plots.</p>\n");
    lines_draw(&lines, page);
    add_table(&lines, &page->html);
    return true;
}

const struct figure figure_herd = {
    .id = "herd",
    .title = "The herd curve",
    .expected =
        "<ul><li>N wakeups: <code>epoll-lt</code>, <code>epoll-et</code>, <code>poll</code>, "
        "<code>select</code>: every waiter is woken, because an entry in the listener\xe2\x80\x99s "
        "queue is not exclusive.</li>"
        "<li>1: <code>accept-blocking</code>, <code>epoll-exclusive</code>, "
        "<code>shared-epoll-et</code>, io_uring.</li>"
        "<li>2 to 3, flat in N: <code>shared-epoll-lt</code>: the item goes back on the ready "
        "list, and wakes the next.</li>"
        "<li>About 2: descriptor passing: the acceptor, and whom it chose.</li></ul>",
    .published =
        "<p>Linux commit <code>df0108c5da56</code>, which brought EPOLLEXCLUSIVE: a run of 860 "
        "s became one of 24 s.</p><p>Apache on Linux 2.0.30: serialised accept costs under "
        "3 %.</p>",
    .draw = draw,
};
