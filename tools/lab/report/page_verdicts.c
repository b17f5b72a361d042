/*
 * What was foretold and what came, and what is told and whether it is so.
 */
#include <string.h>

#include "lab/report/html.h"
#include "lab/report/page.h"

/* Known words have a sign of their own, so that colour is not the only mark. */
static void add_verdict(struct buf *html, const char *verdict)
{
    static const struct {
        const char *begins, *style, *sign;
    } known[] = {{"holds", "holds", "&#10003;"},
                 {"fails", "fails", "&#10007;"},
                 {"differs", "fails", "&#8800;"},
                 {"depends", "depends", "&#8776;"},
                 {"unknown", "unknown", "?"}};
    const char *style = "unknown", *sign = "";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(verdict, known[i].begins, strlen(known[i].begins)) == 0) {
            style = known[i].style;
            sign = known[i].sign;
        }
    buf_printf(html, "<td class=\"verdict %s\"><span aria-hidden=\"true\">%s</span> ", style, sign);
    html_text(html, verdict);
    buf_lit(html, "</td>");
}

static bool is_verdict(const struct result *row, const char *kind, const char *verdict)
{
    const char *its = json_string_value(json_object_get(row->line, "verdict"));
    return strcmp(row->kind, kind) == 0 &&
           (!verdict || (its && strncmp(its, verdict, strlen(verdict)) == 0));
}

static size_t count(const struct page *page, const char *kind, const char *verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < page->results->count; i++)
        n += is_verdict(&page->results->rows[i], kind, verdict);
    return n;
}

static void add_text(struct buf *html, const struct result *row, const char *field)
{
    char room[256];
    buf_lit(html, "<td class=\"prose\">");
    html_text(html, result_text(row, field, room, sizeof room));
    buf_lit(html, "</td>");
}

/* A number mostly. */
static void add_measured(struct buf *html, const struct result *row)
{
    if (json_is_string(json_object_get(row->line, "measured"))) {
        add_text(html, row, "measured");
        return;
    }
    buf_lit(html, "<td class=\"prose\">");
    html_count(html, result_number(row, "measured"));
    buf_lit(html, "</td>");
}

/* Where there are several machines, a row says which one it is of. */
static void add_which(struct buf *html, const struct page *page, const struct result *row)
{
    if (page->results->machine_count == 1)
        return;
    buf_lit(html, "<td class=\"prose\">");
    html_text(html, page->results->machines[row->machine]);
    buf_lit(html, "</td>");
}

static void add_which_head(struct buf *html, const struct page *page)
{
    if (page->results->machine_count > 1)
        buf_lit(html, "<th scope=\"col\">machine</th>");
}

static void add_expectation(struct buf *html, const struct page *page, const struct result *row)
{
    char room[256];
    const char *figure = result_text(row, "figure", room, sizeof room);
    buf_lit(html, "<tr><th scope=\"row\">");
    html_text(html, row->name);
    buf_lit(html, "</th><td class=\"prose\">");
    html_text(html, figure);
    if (*row->workload)
        buf_printf(html, "%s<small>", *figure ? " " : "");
    html_text(html, row->workload);
    if (row->workers > 0)
        buf_printf(html, ", %u workers", row->workers);
    buf_str(html, *row->workload ? "</small></td>" : "</td>");
    add_text(html, row, "expected");
    add_measured(html, row);
    add_verdict(html, result_text(row, "verdict", room, sizeof room));
    add_text(html, row, "source");
    add_which(html, page, row);
    buf_lit(html, "</tr>\n");
}

void page_expectations(struct page *page)
{
    struct buf *html = &page->html;
    size_t all = count(page, "expectation", NULL);
    buf_lit(html, "<section id=\"expectations\"><h2>Expectations</h2>\n");
    if (all == 0) {
        buf_lit(html, "<p class=\"how\">None was checked: <code>drover-lab expect</code> does "
                      "it.</p></section>\n");
        return;
    }
    buf_printf(html,
               "<p class=\"seen\">What was written down before it was measured: %zu of %zu hold, "
               "%zu differ.</p><p class=\"how\">A threshold stays as it was; a difference is "
               "shown, not tuned away.</p>\n<div class=\"scroll\" tabindex=\"0\"><table><thead>"
               "<tr><th scope=\"col\">strategy</th><th scope=\"col\">figure</th>"
               "<th scope=\"col\">expected</th>"
               "<th scope=\"col\">measured</th><th scope=\"col\">verdict</th>"
               "<th scope=\"col\">source</th>",
               count(page, "expectation", "holds"), all, count(page, "expectation", "differs"));
    add_which_head(html, page);
    buf_lit(html, "</tr></thead><tbody>\n");
    /* What differs comes first: it is what one looks for. */
    for (int holds = 0; holds < 2; holds++)
        for (size_t i = 0; i < page->results->count; i++) {
            const struct result *row = &page->results->rows[i];
            if (is_verdict(row, "expectation", NULL) &&
                is_verdict(row, "expectation", "holds") == (holds == 1))
                add_expectation(html, page, row);
        }
    buf_lit(html, "</tbody></table></div></section>\n");
}

static void add_claim(struct buf *html, const struct page *page, const struct result *row)
{
    char room[1024];
    buf_lit(html, "<tr><th scope=\"row\" class=\"prose\"><q>");
    html_text(html, result_text(row, "text", room, sizeof room));
    buf_lit(html, "</q></th>");
    add_verdict(html, result_text(row, "verdict", room, sizeof room));
    add_text(html, row, "evidence");
    buf_lit(html, "<td class=\"prose\">");
    const char *source = json_string_value(json_object_get(row->line, "source"));
    html_text(html, source ? source : "");
    buf_lit(html, "</td>");
    add_which(html, page, row);
    buf_lit(html, "</tr>\n");
}

void page_claims(struct page *page)
{
    struct buf *html = &page->html;
    size_t all = count(page, "claim", NULL);
    buf_lit(html, "<section id=\"claims\"><h2>Claims</h2>\n");
    if (all == 0) {
        buf_lit(html, "<p class=\"how\">None was tried: <code>drover-lab claims</code> does "
                      "it.</p></section>\n");
        return;
    }
    buf_printf(html,
               "<p class=\"seen\">What is told of listeners, epoll and I/O models, tried on this "
               "kernel: %zu of %zu hold, %zu fail, %zu depend on something.</p>\n"
               "<div class=\"scroll\" tabindex=\"0\"><table class=\"claims\"><thead><tr>"
               "<th scope=\"col\">claim</th><th scope=\"col\">verdict</th>"
               "<th scope=\"col\">evidence</th><th scope=\"col\">told by</th>",
               count(page, "claim", "holds"), all, count(page, "claim", "fails"),
               count(page, "claim", "depends"));
    add_which_head(html, page);
    buf_lit(html, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < page->results->count; i++)
        if (is_verdict(&page->results->rows[i], "claim", NULL))
            add_claim(html, page, &page->results->rows[i]);
    buf_lit(html, "</tbody></table></div></section>\n");
}
