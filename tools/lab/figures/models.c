/*
 * What a request costs one server process, by how it waits: against idle connections beside the
 * active ones, and with all of them active.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/lines.h"

/* A model of CPU time that grows less than that from the fewest connections to the most is flat. */
#define FLAT_GROWTH 2.0

/* "10000 idle": the number of connections is the phase's. */
static double number_of(const struct group *group)
{
    const char *phase = group->rows[0]->phase;
    char *end;
    double n = strtod(phase, &end);
    return end != phase ? n : NAN;
}

static double growth(const struct line *line)
{
    return line->count < 2 ? NAN : line->points[line->count - 1].y / line->points[0].y;
}

static double reach(const struct line *line)
{
    return line->count > 0 ? line->points[line->count - 1].x : NAN;
}

static void add_line_words(struct buf *html, const struct line *line)
{
    html_element(html, "code", line->name);
    buf_lit(html, " from ");
    html_number(html, line->points[0].y);
    buf_lit(html, " to ");
    html_number(html, line->points[line->count - 1].y);
    buf_lit(html, " \xc2\xb5s");
}

/* Those that grow most and least, and those whose cost stays. */
static void add_sentence(const struct lines *lines, struct buf *html, const char *beside)
{
    const char *flat[CAST_MAX];
    size_t count = 0;
    const struct line *steepest = NULL;
    double from = 0, to = 0;
    for (size_t i = 0; i < lines->families->name_count; i++) {
        const struct line *line = &lines->all[i];
        if (isnan(growth(line)))
            continue;
        if (!steepest || growth(line) > growth(steepest))
            steepest = line;
        if (growth(line) < FLAT_GROWTH)
            flat[count++] = line->name;
        from = line->points[0].x;
        to = fmax(to, reach(line));
    }
    if (!steepest)
        return;
    buf_lit(html, "<p class=\"seen\">From ");
    html_count(html, from);
    buf_lit(html, " to ");
    html_count(html, to);
    buf_printf(html, " %s connections, the CPU time a request rose most for ", beside);
    add_line_words(html, steepest);
    buf_lit(html, " (at ");
    html_count(html, reach(steepest));
    buf_lit(html, ")");
    if (count > 0) {
        buf_lit(html, "; it did not even double for ");
        html_names(html, flat, count);
    }
    buf_lit(html, ".</p>\n");
}

static bool draw_one(struct page *page, const char *workload, const char *beside,
                     const char *x_label)
{
    static struct line all[CAST_MAX];
    struct lines lines = {.title = x_label,
                          .x_label = x_label,
                          .y_label = "\xc2\xb5s of CPU time a request",
                          .x_words = beside,
                          .x_tics = "unset mxtics\nset xtics (1, 10, 100, '1k' 1e3, '10k' 1e4, "
                                    "'100k' 1e5)",
                          .families = &page->models,
                          .all = all};
    if (lines_gather(&lines, page, "model", workload, "cpu_us_per_connection", number_of) == 0)
        return false;
    add_sentence(&lines, &page->html, beside);
    lines_draw(&lines, page);
    return true;
}

/* Where a model says of itself that it ends. */
static void add_ends(struct page *page)
{
    struct buf *html = &page->html;
    bool is_first = true;
    for (size_t i = 0; i < page->groups->count; i++) {
        const struct group *group = &page->groups->all[i];
        const struct result *row = group->rows[0];
        if (row->machine != page->machine || strcmp(row->kind, "model") != 0 ||
            !group_skipped(group))
            continue;
        buf_str(html, is_first ? "<details><summary>Where models end</summary><ul>" : "");
        buf_lit(html, "<li>");
        html_element(html, "code", row->name);
        buf_lit(html, ", ");
        html_text(html, *row->phase ? row->phase : row->workload);
        buf_lit(html, ": ");
        html_text(html, group_skipped(group));
        buf_lit(html, "</li>\n");
        is_first = false;
    }
    buf_str(html, is_first ? "" : "</ul></details>\n");
}

static bool draw_idle(struct page *page)
{
    if (!draw_one(page, "idle", "idle", "idle connections beside the active ones"))
        return false;
    buf_lit(&page->html, "<p class=\"how\">A few connections ask all the time, the others say "
                         "nothing. Both axes are logarithmic.</p>\n");
    add_ends(page);
    return true;
}

static bool draw_active(struct page *page)
{
    return draw_one(page, "active", "active", "active connections");
}

const struct figure figure_models_idle = {
    .id = "idle",
    .title = "I/O models: the cost of idle connections",
    .expected =
        "<ul><li>Linear: <code>select</code> and <code>poll</code>, which pass and scan the whole "
        "set at each call, and <code>nonblock</code>, which asks every connection in turn.</li>"
        "<li>Flat: <code>epoll-lt</code>, <code>epoll-et</code>, <code>sigio</code>, "
        "<code>uring</code>: what is idle is not touched.</li>"
        "<li><code>select</code> ends at 1024 descriptors; a process or a thread for each "
        "connection ends at the limits of memory and processes.</li></ul>",
    .draw = draw_idle,
};

const struct figure figure_models_active = {
    .id = "active",
    .title = "I/O models: all connections active",
    .expected = "<p>With all connections active, <code>select</code> and <code>poll</code> keep "
                "up: one call finds many that are ready, and its cost is shared by all of "
                "these.</p>",
    .published = "<p>Stevens, UNIX Network Programming, chapter 30: preforking beats a fork for "
                 "each client tenfold.</p>",
    .draw = draw_active,
};
