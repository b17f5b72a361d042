#include "lab/report/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"

#define WIDTH  340
#define HEIGHT 250

/* gnuplot's point types, and the same marks as characters for the legends. The sizes differ so that
 * marks of equal places are seen within one another. */
static const struct {
    int type;
    double size;
    const char *character;
} marks[FAMILY_SIZE_MAX] = {
    {6, 0.95, "&#9675;"}, {5, 0.55, "&#9632;"}, {8, 1.1, "&#9651;"}, {13, 0.6, "&#9670;"}};

static void add_point(struct line *line, double x, double y)
{
    size_t at = line->count;
    for (size_t i = 0; i < line->count; i++)
        if (line->points[i].x == x)
            return; /* the first is the one with the default settings */
    if (line->count == LINE_POINTS_MAX || !isfinite(x) || !isfinite(y) || x <= 0 || y <= 0)
        return;
    for (; at > 0 && line->points[at - 1].x > x; at--)
        line->points[at] = line->points[at - 1];
    line->points[at].x = x;
    line->points[at].y = y;
    line->count++;
}

static void gather_name(struct line *line, const struct page *page, const char *kind,
                        const char *workload, const char *field,
                        double (*x)(const struct group *group))
{
    for (int odd = 0; odd < 2; odd++)
        for (size_t i = 0; i < page->groups->count; i++) {
            const struct group *group = &page->groups->all[i];
            const struct result *row = group->rows[0];
            if (group->is_odd == odd && row->machine == page->machine &&
                strcmp(row->kind, kind) == 0 && strcmp(row->name, line->name) == 0 &&
                strcmp(row->workload, workload) == 0)
                add_point(line, x(group), group_median(group, field));
        }
}

size_t lines_gather(struct lines *lines, const struct page *page, const char *kind,
                    const char *workload, const char *field, double (*x)(const struct group *group))
{
    size_t drawn = 0;
    for (size_t i = 0; i < lines->families->name_count; i++) {
        lines->all[i] = (struct line){.name = lines->families->names[i]};
        gather_name(&lines->all[i], page, kind, workload, field, x);
        drawn += lines->all[i].count > 0;
    }
    return drawn;
}

/* The same axes in all plots. */
static void add_ranges(const struct lines *lines, struct buf *script)
{
    double x_most = 1, x_least = INFINITY, y_most = 0, y_least = INFINITY;
    for (size_t i = 0; i < lines->families->name_count; i++)
        for (size_t j = 0; j < lines->all[i].count; j++) {
            x_most = fmax(x_most, lines->all[i].points[j].x);
            x_least = fmin(x_least, lines->all[i].points[j].x);
            y_most = fmax(y_most, lines->all[i].points[j].y);
            y_least = fmin(y_least, lines->all[i].points[j].y);
        }
    buf_printf(script,
               "set logscale xy\nset xrange [%.6g:%.6g]\nset yrange [%.6g:%.6g]\n"
               "set format '%%g'\nunset mytics\n%s\n"
               "set xlabel '%s' offset 0,0.7 tc rgb '#010007'\n"
               "set ylabel '%s' offset 1.2,0 tc rgb '#010007'\n"
               "set lmargin at screen 0.18\nset rmargin at screen 0.97\n"
               "set tmargin at screen 0.97\nset bmargin at screen 0.21\n",
               x_least / 1.15, x_most * 1.15, fmin(y_least / 1.4, 0.7), y_most * 1.5, lines->x_tics,
               lines->x_label, lines->y_label);
}

static void add_data(const struct lines *lines, struct buf *script)
{
    for (size_t i = 0; i < lines->families->name_count; i++) {
        buf_printf(script, "$d%zu << EOD\n", i);
        for (size_t j = 0; j < lines->all[i].count; j++)
            buf_printf(script, "%.6g %.6g\n", lines->all[i].points[j].x, lines->all[i].points[j].y);
        buf_lit(script, "EOD\n");
    }
}

/* `first` is where the family's names begin. */
static void add_curves(const struct lines *lines, const struct family *family, size_t first,
                       struct buf *script)
{
    const char *comma = "";
    buf_lit(script, "plot ");
    for (size_t i = 0; i < lines->families->name_count; i++)
        if ((i < first || i >= first + family->count) && lines->all[i].count > 0) {
            buf_printf(script, "%s$d%zu with lines lw 1 lc rgb '#0100%02x'", comma, i,
                       COLOUR_GHOST);
            comma = ", ";
        }
    if (lines->reference) {
        buf_printf(script, "%s%s", comma, lines->reference);
        comma = ", ";
    }
    for (size_t i = 0; i < family->count; i++)
        if (lines->all[first + i].count > 0) {
            buf_printf(script, "%s$d%zu with linespoints lw 2 pt %d ps %.2f lc rgb '#0100%02x'",
                       comma, first + i, marks[i].type, marks[i].size, COLOUR_SERIES + (int)i);
            comma = ", ";
        }
    buf_lit(script, "\n");
}

static void describe(const struct lines *lines, const struct family *family, size_t first,
                     struct plot *plot)
{
    buf_printf(&plot->title, "%s: %s", lines->title, family->title);
    for (size_t i = 0; i < family->count; i++) {
        const struct line *line = &lines->all[first + i];
        buf_printf(&plot->description, "%s: ", line->name);
        if (line->count == 0)
            buf_lit(&plot->description, "not measured");
        for (size_t j = 0; j < line->count; j++)
            buf_printf(&plot->description, "%s%.3g at %.6g %s", j ? ", " : "", line->points[j].y,
                       line->points[j].x, j == 0 ? lines->x_words : "");
        buf_lit(&plot->description, ". ");
    }
}

static void add_legend(const struct lines *lines, const struct family *family, size_t first,
                       struct buf *html)
{
    buf_lit(html, "<ul class=\"legend\">");
    for (size_t i = 0; i < family->count; i++) {
        const struct line *line = &lines->all[first + i];
        buf_printf(html, "<li><span class=\"mark k%zu\" aria-hidden=\"true\">%s</span> ", i + 1,
                   marks[i].character);
        html_element(html, "code", line->name);
        if (line->count > 0) {
            buf_lit(html, " <b>");
            html_number(html, line->points[line->count - 1].y);
            buf_lit(html, "</b> <small>at ");
            html_count(html, line->points[line->count - 1].x);
            buf_lit(html, "</small>");
        } else {
            buf_lit(html, " <small>not measured</small>");
        }
        buf_lit(html, "</li>");
    }
    buf_lit(html, "</ul>");
}

void lines_draw(const struct lines *lines, struct page *page)
{
    struct buf *html = &page->html;
    size_t first = 0;
    buf_lit(html, "<div class=\"panels\">\n");
    for (size_t i = 0; i < lines->families->count; i++) {
        const struct family *family = &lines->families->all[i];
        buf_lit(html, "<figure><figcaption>");
        html_element(html, "h4", family->title);
        add_legend(lines, family, first, html);
        buf_lit(html, "</figcaption>\n");
        struct plot *plot = plots_add(&page->plots, html, WIDTH, HEIGHT);
        if (plot) {
            add_ranges(lines, &plot->script);
            add_data(lines, &plot->script);
            add_curves(lines, family, first, &plot->script);
            describe(lines, family, first, plot);
        }
        buf_lit(html, "</figure>\n");
        first += family->count;
    }
    buf_lit(html, "</div>\n");
}
