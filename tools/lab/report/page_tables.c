/*
 * All figures of a machine as tables, one a workload, with the spread of repeats; and what was
 * skipped, with its reason.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/page.h"

static const struct column {
    const char *field, *title;
    bool is_count;
} columns[] = {
    {"connections", "connections", true},
    {"requests", "requests", true},
    {"idle", "held idle", true},
    {"wakeups_per_connection", "wakeups", false},
    {"wakeups_per_connection_kernel", "by sched_waking", false},
    {"wakeups_per_connection_sched_wakeup", "by sched_wakeup", false},
    {"wasted_visible_per_connection", "wasted, visible", false},
    {"wasted_hidden_per_connection", "wasted, hidden", false},
    {"switches_voluntary_per_connection", "voluntary switches", false},
    {"switches_involuntary_per_connection", "involuntary", false},
    {"switches_kernel_per_connection", "by perf", false},
    {"cpu_us_per_connection", "CPU \xc2\xb5s", false},
    {"cpu_user_us_per_connection", "user", false},
    {"cpu_system_us_per_connection", "system", false},
    {"client_cpu_us_per_connection", "client\xe2\x80\x99s", false},
    {"run_delay_us_per_connection", "run-queue delay \xc2\xb5s", false},
    {"latency_us.p50", "answer p50 \xc2\xb5s", false},
    {"latency_us.p90", "p90", false},
    {"latency_us.p99", "p99", false},
    {"latency_us.p999", "p99.9", false},
    {"latency_us.max", "max", false},
    {"accept_latency_us.p50", "accept p50 \xc2\xb5s", false},
    {"accept_latency_us.p99", "p99", false},
    {"accept_latency_us.max", "max", false},
    {"served", "served", true},
    {"late", "late", true},
    {"lost", "lost", true},
    {"stranded", "stranded, share", false},
    {"jain", "Jain", false},
    {"max_over_mean", "max/mean", false},
    {"chi_squared", "chi-squared", false},
    {"chi_squared_p", "p", false},
    {"queue_max", "queue, longest", true},
    {"drops", "drops", true},
    {"rate", "rate /s", false},
    {"resident_per_connection", "bytes resident", true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static bool is_in(const struct page *page, const struct group *group, const char *kind,
                  const char *workload)
{
    const struct result *row = group->rows[0];
    return row->machine == page->machine && strcmp(row->kind, kind) == 0 &&
           strcmp(row->workload, workload) == 0 && !group_skipped(group);
}

static bool is_column_used(const struct page *page, const char *kind, const char *workload,
                           const char *field)
{
    for (size_t i = 0; i < page->groups->count; i++)
        if (is_in(page, &page->groups->all[i], kind, workload) &&
            !isnan(group_median(&page->groups->all[i], field)))
            return true;
    return false;
}

static void add_cell(struct buf *html, const struct group *group, const struct column *column)
{
    double median = group_median(group, column->field);
    double half = group_half_range(group, column->field);
    buf_lit(html, "<td>");
    if (column->is_count)
        html_count(html, median);
    else
        html_number(html, median);
    if (half > 0 && median > 0)
        buf_printf(html, " <small>&#177;%.*f %%</small>", half < median / 10 ? 1 : 0,
                   100 * half / median);
    buf_lit(html, "</td>");
}

static void add_row(struct buf *html, const struct group *group, const bool used[COLUMNS])
{
    const struct result *row = group->rows[0];
    buf_lit(html, "<tr><th scope=\"row\">");
    html_text(html, row->name);
    buf_lit(html, "</th><td class=\"word\">");
    html_text(html, row->phase);
    buf_str(html, *row->phase && *group->settings ? ", " : "");
    html_text(html, group->settings);
    buf_printf(html, "</td><td>%u</td><td>%zu</td>", row->workers, group->count);
    for (size_t i = 0; i < COLUMNS; i++)
        if (used[i])
            add_cell(html, group, &columns[i]);
    buf_lit(html, "</tr>\n");
}

static void add_table(struct page *page, const char *kind, const char *workload)
{
    struct buf *html = &page->html;
    bool used[COLUMNS];
    buf_lit(html, "<details><summary>");
    html_text(html, workload);
    buf_printf(html, " (%s)", strcmp(kind, "model") == 0 ? "I/O models" : "strategies");
    buf_lit(html, "</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>"
                  "<th scope=\"col\">name</th><th scope=\"col\">phase</th>"
                  "<th scope=\"col\">workers</th><th scope=\"col\">runs</th>");
    for (size_t i = 0; i < COLUMNS; i++) {
        used[i] = is_column_used(page, kind, workload, columns[i].field);
        if (used[i])
            buf_printf(html, "<th scope=\"col\">%s</th>", columns[i].title);
    }
    buf_lit(html, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < page->groups->count; i++)
        if (is_in(page, &page->groups->all[i], kind, workload))
            add_row(html, &page->groups->all[i], used);
    buf_lit(html, "</tbody></table></div></details>\n");
}

/* The first group of its kind and workload that has figures stands for the table. */
static bool begins_table(const struct page *page, size_t at)
{
    const struct result *row = page->groups->all[at].rows[0];
    if (!is_in(page, &page->groups->all[at], row->kind, row->workload))
        return false;
    for (size_t i = 0; i < at; i++)
        if (is_in(page, &page->groups->all[i], row->kind, row->workload))
            return false;
    return true;
}

void page_tables(struct page *page)
{
    struct buf *html = &page->html;
    buf_printf(html, "<section id=\"m%u-tables\"><h3>All figures</h3>\n", page->machine);
    buf_lit(html,
            "<p class=\"how\">Medians of the repeated runs; \xc2\xb1 is half of the range from "
            "the least to the most, over the median. Wakeups, waste, switches and CPU time "
            "are of one connection; of one request where models keep their "
            "connections.</p>\n");
    for (size_t i = 0; i < page->groups->count; i++)
        if (begins_table(page, i))
            add_table(page, page->groups->all[i].rows[0]->kind,
                      page->groups->all[i].rows[0]->workload);
    buf_lit(html, "</section>\n");
}

static bool is_same_skip(const struct result *a, const struct result *b)
{
    return a->skipped && b->skipped && a->machine == b->machine && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->name, b->name) == 0 && strcmp(a->skipped, b->skipped) == 0;
}

static bool is_same_place(const struct result *a, const struct result *b)
{
    return strcmp(a->workload, b->workload) == 0 && strcmp(a->phase, b->phase) == 0;
}

/* Everywhere the same one was skipped for the same reason, each place once. */
static void add_places(struct page *page, size_t first)
{
    const struct results *results = page->results;
    const struct result *row = &results->rows[first];
    for (size_t i = first; i < results->count; i++) {
        const struct result *one = &results->rows[i];
        bool is_told = !is_same_skip(row, one);
        for (size_t j = first; j < i && !is_told; j++)
            is_told = is_same_skip(row, &results->rows[j]) && is_same_place(one, &results->rows[j]);
        if (is_told)
            continue;
        buf_str(&page->html, i > first ? ", " : "");
        html_text(&page->html, one->workload);
        buf_str(&page->html, *one->phase ? " " : "");
        html_text(&page->html, one->phase);
    }
}

/* Returns false when an earlier row has told of it. */
static bool add_skip(struct page *page, size_t at)
{
    const struct result *row = &page->results->rows[at];
    struct buf *html = &page->html;
    for (size_t i = 0; i < at; i++)
        if (is_same_skip(row, &page->results->rows[i]))
            return false;
    buf_lit(html, "<tr><th scope=\"row\">");
    html_text(html, row->name);
    buf_printf(html, "</th><td class=\"word\">%s</td><td class=\"prose\">",
               strcmp(row->kind, "model") == 0 ? "model" : "strategy");
    add_places(page, at);
    buf_lit(html, "</td><td class=\"prose\">");
    html_text(html, row->skipped);
    buf_lit(html, "</td></tr>\n");
    return true;
}

void page_skipped(struct page *page)
{
    struct buf *html = &page->html;
    size_t head = html->len, rows = 0;
    buf_printf(html, "<section id=\"m%u-skipped\"><h3>What was skipped, and why</h3>\n",
               page->machine);
    size_t table = html->len;
    buf_lit(html, "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">name"
                  "</th><th scope=\"col\"></th><th scope=\"col\">where</th>"
                  "<th scope=\"col\">why</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < page->results->count; i++) {
        const struct result *row = &page->results->rows[i];
        if (row->machine == page->machine && row->skipped)
            rows += add_skip(page, i);
    }
    buf_lit(html, "</tbody></table></div>\n");
    if (rows == 0 && !html->failed && table > head) {
        html->len = table;
        buf_lit(html, "<p>Nothing.</p>\n");
    }
    buf_lit(html, "</section>\n");
}
