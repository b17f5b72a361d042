#include "lab/report/bars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lab/report/html.h"

#define WIDTH      430
#define ROW_HEIGHT 21
#define FRAME      66 /* the axis and its label */

static double sum_of(const struct bar *bar)
{
    return bar->parts[0] + bar->parts[1] + bar->parts[2];
}

static int by_order(const void *a, const void *b)
{
    const struct bar *x = a, *y = b;
    int order = (x->order < y->order) - (x->order > y->order);
    return order ? order : strcmp(x->name, y->name);
}

static void add_axes(const struct bars *bars, struct buf *script, unsigned height)
{
    double most = bars->most;
    for (size_t i = 0; i < bars->count && bars->most <= 0; i++)
        most = fmax(most, sum_of(&bars->all[i]) * 1.12);
    buf_printf(script,
               "set border 0\nset grid noytics xtics\nset xrange [0:%.6g]\n"
               "set yrange [%zu.5:-0.5]\nset xlabel '%s' offset 0,0.4 tc rgb '#010007'\n"
               "set lmargin at screen 0.43\nset rmargin at screen 0.96\n"
               "set tmargin at screen 0.995\nset bmargin at screen %.4f\nset ytics scale 0 (",
               most > 0 ? most : 1, bars->count - 1, bars->x_label, 56.0 / height);
    for (size_t i = 0; i < bars->count; i++) {
        buf_str(script, i ? ", " : "");
        plot_label(script, bars->all[i].name);
        buf_printf(script, " %zu", i);
    }
    buf_lit(script, ")\n");
}

static void add_values(const struct bars *bars, struct buf *script)
{
    for (size_t i = 0; i < bars->count; i++) {
        char text[64];
        const struct bar *bar = &bars->all[i];
        number_words(text, sizeof text, isnan(bar->value) ? sum_of(bar) : bar->value);
        buf_printf(script,
                   "set label %zu '%s' at %.6g,%zu left offset 0.4,0 front font ',12' tc rgb "
                   "'#010007'\n",
                   i + 1, text, sum_of(bar), i);
    }
}

static void add_boxes(const struct bars *bars, struct buf *script)
{
    buf_lit(script, "$d << EOD\n");
    for (size_t i = 0; i < bars->count; i++) {
        double from = 0;
        buf_printf(script, "%zu", i);
        for (size_t j = 0; j < bars->part_count; j++) {
            double part = bars->all[i].parts[j];
            /* gnuplot fails where nothing at all is to be drawn. */
            if (part > 0 || j == 0)
                buf_printf(script, " %.6g %.6g", from, from + part);
            else
                buf_lit(script, " NaN NaN");
            from += bars->all[i].parts[j];
        }
        buf_lit(script, "\n");
    }
    buf_lit(script, "EOD\nplot ");
    for (size_t j = 0; j < bars->part_count; j++) {
        const struct bar_part *part = &bars->parts[j];
        buf_printf(script,
                   "%s$d using %zu:1:%zu:%zu:($1-0.34):($1+0.34) with boxxyerror fs %s "
                   "lc rgb '#0100%02x' fc rgb '#0100%02x'",
                   j ? ", " : "", 2 * j + 2, 2 * j + 2, 2 * j + 3,
                   part->is_light ? "transparent solid 0.3 border" : "solid noborder", part->colour,
                   part->colour);
    }
    buf_lit(script, "\n");
}

/* Some bar has that part. */
static bool is_used(const struct bars *bars, size_t part)
{
    for (size_t i = 0; i < bars->count; i++)
        if (bars->all[i].parts[part] > 0)
            return true;
    return false;
}

static void describe(const struct bars *bars, struct plot *plot)
{
    buf_str(&plot->title, bars->title);
    for (size_t i = 0; i < bars->count; i++) {
        buf_printf(&plot->description, "%s: ", bars->all[i].name);
        for (size_t j = 0; j < bars->part_count; j++)
            if (bars->all[i].parts[j] > 0)
                buf_printf(&plot->description, "%.3g%s %s, ", bars->all[i].parts[j], bars->unit,
                           bars->parts[j].words);
        char sum[64];
        number_words(sum, sizeof sum, sum_of(&bars->all[i]));
        buf_printf(&plot->description, "%s%s in all. ", sum, bars->unit);
    }
}

static void add_legend(const struct bars *bars, struct buf *html)
{
    buf_lit(html, "<ul class=\"legend row\">");
    for (size_t j = 0; j < bars->part_count; j++) {
        if (!is_used(bars, j))
            continue;
        buf_printf(html, "<li><span class=\"box k%d%s\" aria-hidden=\"true\"></span> ",
                   bars->parts[j].colour, bars->parts[j].is_light ? " light" : "");
        html_text(html, bars->parts[j].words);
        buf_lit(html, "</li>");
    }
    buf_lit(html, "</ul>");
}

void bars_draw(struct bars *bars, struct page *page)
{
    struct buf *html = &page->html;
    unsigned height = (unsigned)bars->count * ROW_HEIGHT + FRAME;
    qsort(bars->all, bars->count, sizeof *bars->all, by_order);
    buf_lit(html, "<figure class=\"tall\"><figcaption>");
    html_element(html, "h4", bars->title);
    add_legend(bars, html);
    buf_lit(html, "</figcaption>\n");
    struct plot *plot = plots_add(&page->plots, html, WIDTH, height);
    if (plot) {
        add_axes(bars, &plot->script, height);
        add_values(bars, &plot->script);
        add_boxes(bars, &plot->script);
        describe(bars, plot);
    }
    buf_lit(html, "</figure>\n");
}
