#include "lab/report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/style.h"

const struct group *page_find(const struct page *page, const char *kind, const char *name,
                              const char *workload, const char *phase, unsigned workers)
{
    struct query query = {.machine = page->machine,
                          .kind = kind,
                          .name = name,
                          .workload = workload,
                          .phase = phase,
                          .workers = workers};
    return groups_find(page->groups, &query);
}

/* How many strategies have been measured with so many. */
static size_t coverage(const struct page *page, const char *workload, unsigned workers)
{
    size_t n = 0;
    for (size_t i = 0; i < page->strategies.name_count; i++)
        n += page_find(page, "strategy", page->strategies.names[i], workload, NULL, workers) !=
             NULL;
    return n;
}

unsigned page_common_workers(const struct page *page, const char *workload, unsigned most)
{
    unsigned best = 0;
    size_t best_coverage = 0;
    for (size_t i = 0; i < page->groups->count; i++) {
        const struct result *row = page->groups->all[i].rows[0];
        if (row->machine != page->machine || strcmp(row->kind, "strategy") != 0 ||
            strcmp(row->workload, workload) != 0 || row->workers > most || row->workers == best)
            continue;
        size_t covered = coverage(page, workload, row->workers);
        if (covered > best_coverage || (covered == best_coverage && row->workers > best)) {
            best = row->workers;
            best_coverage = covered;
        }
    }
    return best;
}

static void add_head(struct buf *html)
{
    buf_lit(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"generator\" content=\"drover-lab " DROVER_VERSION "\">\n"
                  "<title>drover-lab: herds and I/O models on this kernel</title>\n<style>\n");
    buf_add(html, report_css, report_css_size);
    buf_lit(html, "</style>\n</head>\n<body>\n");
}

static void add_contents(struct buf *html, size_t machine, bool is_one)
{
    buf_lit(html, "<ol>");
    for (size_t i = 0; figures[i]; i++)
        buf_printf(html, "<li><a href=\"#m%zu-%s\">%s</a></li>", machine, figures[i]->id,
                   figures[i]->title);
    buf_printf(html,
               "<li><a href=\"#m%zu-tables\">All figures</a></li>"
               "<li><a href=\"#m%zu-skipped\">What was skipped</a></li></ol>",
               machine, machine);
    buf_str(html, is_one ? "" : "\n");
}

static void add_navigation(struct page *page)
{
    struct buf *html = &page->html;
    bool is_one = page->results->machine_count == 1;
    buf_lit(html, "<nav aria-label=\"Contents\"><h2>Contents</h2>\n");
    for (size_t i = 0; i < page->results->machine_count; i++) {
        if (!is_one) {
            buf_printf(html, "<h3><a href=\"#m%zu\">", i);
            html_text(html, page->results->machines[i]);
            buf_lit(html, "</a></h3>");
        }
        add_contents(html, i, is_one);
    }
    buf_lit(html, "<ul><li><a href=\"#expectations\">Expectations</a></li>"
                  "<li><a href=\"#claims\">Claims</a></li></ul></nav>\n");
}

static void add_aside(struct buf *html, const struct figure *figure)
{
    buf_lit(html, "<aside><h4>Expected</h4>");
    buf_str(html, figure->expected);
    buf_lit(html, "<h4>Published</h4>");
    buf_str(html, figure->published ? figure->published
                                    : "<p class=\"how\">No figure of others is known.</p>");
    buf_lit(html, "</aside>\n");
}

static void add_figure(struct page *page, const struct figure *figure, size_t number)
{
    struct buf *html = &page->html;
    buf_printf(html,
               "<section class=\"figure\" id=\"m%u-%s\"><h3><span class=\"number\">%zu"
               "</span> %s</h3>\n<div class=\"beside\"><div class=\"main\">\n",
               page->machine, figure->id, number, figure->title);
    if (!figure->draw(page))
        buf_lit(html, "<p class=\"how\">Nothing was measured for it.</p>\n");
    buf_lit(html, "</div>\n");
    add_aside(html, figure);
    buf_lit(html, "</div></section>\n");
}

/* An object's members as words: "nofile 1024, nproc 500". */
static void add_members(struct buf *html, json_t *object)
{
    const char *name, *comma = "";
    json_t *value;
    json_object_foreach(object, name, value)
    {
        buf_str(html, comma);
        html_text(html, name);
        buf_lit(html, " ");
        if (json_is_number(value))
            html_count(html, json_number_value(value));
        else
            html_text(html, json_is_string(value) ? json_string_value(value) : "none");
        comma = ", ";
    }
}

static void add_fact(struct buf *html, const struct result *row, const char *field)
{
    char room[512];
    json_t *value = json_object_get(row->line, field);
    buf_lit(html, "<dd>");
    if (json_is_object(value))
        add_members(html, value);
    else
        html_text(html, result_text(row, field, room, sizeof room));
    buf_lit(html, "</dd></div>");
}

/* Fields of the first row of a machine that say what it was and what was run. */
static void add_facts(struct page *page)
{
    static const struct {
        const char *field, *title;
    } facts[] = {{"kernel", "kernel"},     {"machine", "machine"}, {"cpus", "CPUs"},
                 {"governor", "governor"}, {"limits", "limits"},   {"version", "drover-lab"},
                 {"time", "begun"}};
    struct buf *html = &page->html;
    const struct result *row = NULL;
    for (size_t i = 0; i < page->results->count && !row; i++)
        if (page->results->rows[i].machine == page->machine)
            row = &page->results->rows[i];
    if (!row)
        return;
    buf_lit(html, "<dl class=\"facts\">");
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (!json_object_get(row->line, facts[i].field))
            continue;
        buf_printf(html, "<div><dt>%s</dt>", facts[i].title);
        add_fact(html, row, facts[i].field);
    }
    buf_lit(html, "</dl>\n");
}

static bool is_told(const struct page *page, size_t before, const char *command)
{
    char room[1024];
    for (size_t i = before; i-- > 0;) /* mostly the row before has it */
        if (page->results->rows[i].machine == page->machine &&
            strcmp(result_text(&page->results->rows[i], "command", room, sizeof room), command) ==
                0)
            return true;
    return false;
}

/* Each command line once. */
static void add_commands(struct page *page)
{
    struct buf *html = &page->html;
    bool is_first = true;
    for (size_t i = 0; i < page->results->count; i++) {
        char room[1024];
        const struct result *row = &page->results->rows[i];
        const char *command = result_text(row, "command", room, sizeof room);
        if (row->machine != page->machine || !*command || is_told(page, i, command))
            continue;
        buf_str(html, is_first ? "<p class=\"how\">To measure it again:</p>"
                                 "<pre class=\"scroll\" tabindex=\"0\">"
                               : "");
        html_text(html, command);
        buf_lit(html, "\n");
        is_first = false;
    }
    buf_str(html, is_first ? "" : "</pre>\n");
}

static void add_machine(struct page *page)
{
    struct buf *html = &page->html;
    families_make(&page->strategies, page->groups, page->machine, "strategy");
    families_make(&page->models, page->groups, page->machine, "model");
    buf_printf(html, "<section id=\"m%u\" class=\"machine\"><h2>", page->machine);
    html_text(html, page->results->machines[page->machine]);
    buf_lit(html, "</h2>\n");
    add_facts(page);
    add_commands(page);
    for (size_t i = 0; figures[i]; i++)
        add_figure(page, figures[i], i + 1);
    page_tables(page);
    page_skipped(page);
    buf_lit(html, "</section>\n");
}

static void add_intro(struct page *page, int files, const char *const paths[])
{
    struct buf *html = &page->html;
    size_t measured = 0;
    for (size_t i = 0; i < page->results->count; i++)
        measured += result_is_measurement(&page->results->rows[i]) &&
                    !page->results->rows[i].skipped;
    buf_lit(html, "<header><h1>Who wakes for a connection?</h1>\n<p class=\"lead\">Every way to "
                  "share a listener among workers, and every way for one process to wait for its "
                  "connections, as this kernel does it: ");
    buf_printf(html, "%zu measurements", measured);
    buf_lit(html, " from ");
    for (int i = 0; i < files; i++) {
        buf_str(html, i ? ", " : "");
        const char *slash = strrchr(paths[i], '/');
        html_element(html, "code", slash ? slash + 1 : paths[i]);
    }
    buf_lit(html, ". Where a figure was measured several times, the median is shown; the spread is "
                  "in the tables.</p></header>\n");
    if (page->results->notes.len > 0) {
        struct buf notes = {0};
        buf_add(&notes, page->results->notes.p, page->results->notes.len);
        buf_add(&notes, "", 1);
        if (!notes.failed)
            html_element(html, "pre", notes.p);
        buf_free(&notes);
    }
}

bool page_write(struct page *page, int files, const char *const paths[])
{
    struct buf *html = &page->html;
    add_head(html);
    add_intro(page, files, paths);
    add_navigation(page);
    buf_lit(html, "<main>\n");
    for (size_t i = 0; i < page->results->machine_count; i++) {
        page->machine = (unsigned)i;
        add_machine(page);
    }
    page_expectations(page);
    page_claims(page);
    buf_lit(html, "</main>\n<footer><p>Made by drover-lab " DROVER_VERSION
                  ". The page needs no network.</p></footer>\n</body>\n</html>\n");
    return !html->failed;
}
