/*
 * Latencies: p50 to the largest, quiet, under costly requests, and with one worker stalled.
 */
#include <math.h>
#include <stdio.h>

#include "lab/report/html.h"
#include "lab/report/page.h"

#define WIDTH      430
#define ROW_HEIGHT 21
#define FRAME      60

static const char *const quantiles[] = {"latency_us.p50", "latency_us.p90", "latency_us.p99",
                                        "latency_us.p999", "latency_us.max"};
#define QUANTILES (sizeof quantiles / sizeof *quantiles)

struct row {
    const char *name;
    double values[QUANTILES];
};

struct spans {
    const char *title, *words;
    struct row rows[CAST_MAX];
    size_t count;
};

static void gather(struct spans *spans, const struct page *page, const char *workload,
                   const char *phase)
{
    spans->count = 0;
    for (size_t i = 0; i < page->strategies.name_count; i++) {
        const char *name = page->strategies.names[i];
        const struct group *group = page_find(page, "strategy", name, workload, phase, 0);
        struct row *row = &spans->rows[spans->count];
        row->name = name;
        for (size_t j = 0; j < QUANTILES; j++)
            row->values[j] = group_median(group, quantiles[j]);
        if (row->values[0] > 0 && row->values[QUANTILES - 1] > 0)
            spans->count++;
    }
}

/* The same axis for all scenes, so that they can be held beside one another. */
struct range {
    double least, most;
};

static void widen(struct range *range, const struct spans *spans)
{
    for (size_t i = 0; i < spans->count; i++) {
        range->least = fmin(range->least, spans->rows[i].values[0]);
        range->most = fmax(range->most, spans->rows[i].values[QUANTILES - 1]);
    }
}

/* Below four decades all of them have room for their names. */
#define NARROW 1e4

static const char every_decade[] = "'1 \xc2\xb5s' 1, '10 \xc2\xb5s' 10, '100 \xc2\xb5s' 100, "
                                   "'1 ms' 1e3, '10 ms' 1e4, '100 ms' 1e5, '1 s' 1e6, '10 s' 1e7";
static const char every_other[] = "'' 1, '10 \xc2\xb5s' 10, '' 100, '1 ms' 1e3, '' 1e4, "
                                  "'100 ms' 1e5, '' 1e6, '10 s' 1e7";

static void add_axes(const struct spans *spans, const struct range *range, struct buf *script,
                     unsigned height)
{
    buf_printf(
        script,
        "set border 0\nset grid noytics xtics\nset logscale x\n"
        "set yrange [%zu.6:-0.6]\nset xlabel 'from when it was due' offset 0,0.4 tc rgb '#010007'\n"
        "set lmargin at screen 0.43\nset rmargin at screen 0.95\n"
        "set tmargin at screen 0.995\nset bmargin at screen %.4f\n"
        "set xrange [%.6g:%.6g]\n"
        "set xtics (%s)\nset ytics scale 0 (",
        spans->count - 1, 50.0 / height, range->least / 1.3, range->most * 1.3,
        range->most / range->least < NARROW ? every_decade : every_other);
    for (size_t i = 0; i < spans->count; i++) {
        buf_str(script, i ? ", " : "");
        plot_label(script, spans->rows[i].name);
        buf_printf(script, " %zu", i);
    }
    buf_lit(script, ")\n");
}

static void add_data(const struct spans *spans, struct buf *script)
{
    buf_lit(script, "$d << EOD\n");
    for (size_t i = 0; i < spans->count; i++) {
        buf_printf(script, "%zu", i);
        for (size_t j = 0; j < QUANTILES; j++)
            buf_printf(script, isfinite(spans->rows[i].values[j]) ? " %.6g" : " NaN",
                       spans->rows[i].values[j]);
        buf_lit(script, "\n");
    }
    buf_lit(script, "EOD\n");
}

static void add_marks(struct buf *script)
{
    /* The line, then p50, p90, p99, p99.9 and the largest: filled, small, hollow, small, bar. */
    static const struct {
        double size;
        int type;
        unsigned colour;
    } marks[QUANTILES] = {{0.7, 7, COLOUR_SERIES},
                          {0.35, 7, COLOUR_SERIES},
                          {0.7, 12, COLOUR_SERIES + 1},
                          {0.35, 7, COLOUR_SERIES + 1},
                          {0.6, 2, COLOUR_LOST}};
    buf_printf(script,
               "plot $d using 2:1:($6-$2):(0) with vectors nohead lw 1.5 lc rgb '#0100%02x'",
               COLOUR_GHOST);
    for (size_t j = 0; j < QUANTILES; j++)
        buf_printf(script, ", $d using %zu:1 with points pt %d ps %.2f lw 1.6 lc rgb '#0100%02x'",
                   j + 2, marks[j].type, marks[j].size, marks[j].colour);
    buf_lit(script, "\n");
}

static void describe(const struct spans *spans, struct plot *plot)
{
    buf_printf(&plot->title, "Latencies, %s", spans->title);
    for (size_t i = 0; i < spans->count; i++)
        buf_printf(&plot->description, "%s: median %.3g, 99 of 100 within %.3g, at most %.3g us. ",
                   spans->rows[i].name, spans->rows[i].values[0], spans->rows[i].values[2],
                   spans->rows[i].values[QUANTILES - 1]);
}

static void add_duration(struct buf *html, double us)
{
    html_number(html, us < 1000 ? us : us < 1e6 ? us / 1000 : us / 1e6);
    buf_str(html, us < 1000 ? " \xc2\xb5s" : us < 1e6 ? " ms" : " s");
}

static void add_caption(const struct spans *spans, struct buf *html)
{
    const struct row *best = &spans->rows[0], *worst = best;
    for (size_t i = 1; i < spans->count; i++) {
        if (spans->rows[i].values[2] < best->values[2])
            best = &spans->rows[i];
        if (spans->rows[i].values[2] > worst->values[2])
            worst = &spans->rows[i];
    }
    html_element(html, "h4", spans->title);
    buf_printf(html, "<p>%s The 99th percentile is least for ", spans->words);
    html_element(html, "code", best->name);
    buf_lit(html, ", ");
    add_duration(html, best->values[2]);
    buf_lit(html, ", and most for ");
    html_element(html, "code", worst->name);
    buf_lit(html, ", ");
    add_duration(html, worst->values[2]);
    buf_lit(html, ".</p>");
}

static void draw_one(struct page *page, const struct spans *spans, const struct range *range)
{
    struct buf *html = &page->html;
    unsigned height = (unsigned)spans->count * ROW_HEIGHT + FRAME;
    buf_lit(html, "<figure class=\"tall\"><figcaption>");
    add_caption(spans, html);
    buf_lit(html, "</figcaption>\n");
    struct plot *plot = plots_add(&page->plots, html, WIDTH, height);
    if (plot) {
        add_axes(spans, range, &plot->script, height);
        add_data(spans, &plot->script);
        add_marks(&plot->script);
        describe(spans, plot);
    }
    buf_lit(html, "</figure>\n");
}

static const struct {
    const char *title, *words, *workload, *phase;
} scenes[] = {
    {"quiet", "A steady load, 30 % of what the strategy can do.", "steady", "30 %"},
    {"near its limit", "A steady load, 90 % of what this strategy can do, so each has its own.",
     "steady", "90 %"},
    {"heavy", "Kept connections, and requests that cost CPU time.", "heavy", NULL},
    {"one worker stopped", "12 clients; one worker is stopped by SIGSTOP meanwhile.", "stall-stop",
     ""},
    {"one worker spins", "12 clients; one worker spins in a request meanwhile.", "stall-spin",
     NULL},
};
#define SCENES (sizeof scenes / sizeof *scenes)

static void add_sentence(struct page *page, const struct spans *quiet, const struct spans *heavy)
{
    struct buf *html = &page->html;
    const struct row *worst = NULL;
    double most = 0, before = NAN;
    for (size_t i = 0; i < quiet->count; i++)
        for (size_t j = 0; j < heavy->count; j++)
            if (quiet->rows[i].name == heavy->rows[j].name &&
                heavy->rows[j].values[2] / quiet->rows[i].values[2] > most) {
                worst = &heavy->rows[j];
                before = quiet->rows[i].values[2];
                most = worst->values[2] / before;
            }
    if (!worst)
        return;
    buf_lit(html, "<p class=\"seen\">What costly requests do is seen best with ");
    html_element(html, "code", worst->name);
    buf_lit(html, ": 99 of 100 answers came within ");
    add_duration(html, before);
    buf_lit(html, " when it was quiet, and within ");
    add_duration(html, worst->values[2]);
    buf_lit(html, " under them.</p>\n");
}

static bool draw(struct page *page)
{
    static struct spans spans[SCENES];
    struct buf *html = &page->html;
    struct range range = {.least = INFINITY};
    size_t drawn = 0;
    for (size_t i = 0; i < SCENES; i++) {
        spans[i].title = scenes[i].title;
        spans[i].words = scenes[i].words;
        gather(&spans[i], page, scenes[i].workload, scenes[i].phase);
        widen(&range, &spans[i]);
        drawn += spans[i].count > 0;
    }
    if (drawn == 0)
        return false;
    add_sentence(page, &spans[0], &spans[2]);
    buf_lit(html,
            "<p class=\"how\">Counted from when a request was due, not from when it was sent: a "
            "client that waits for its turn would hide a stall. The axis is logarithmic.</p>"
            "<ul class=\"legend row\"><li><span class=\"mark k1\" aria-hidden=\"true\">&#9679;"
            "</span> median</li><li><span class=\"mark k1\" aria-hidden=\"true\">&#8226;</span> "
            "90th percentile</li><li><span class=\"mark k2\" aria-hidden=\"true\">&#9671;</span> "
            "99th</li><li><span class=\"mark k2\" aria-hidden=\"true\">&#8226;</span> 99.9th</li>"
            "<li><span class=\"mark k11\" aria-hidden=\"true\">&#215;</span> the largest</li></ul>"
            "<div class=\"columns\">\n");
    for (size_t i = 0; i < SCENES; i++)
        if (spans[i].count > 0)
            draw_one(page, &spans[i], &range);
    buf_lit(html, "</div>\n");
    return true;
}

const struct figure figure_latency = {
    .id = "latency",
    .title = "Latencies: quiet, heavy, stalled",
    .expected =
        "<p>Quiet, all are alike. Under costly requests it matters who took the connections: "
        "where one worker has most of them (<code>epoll-exclusive</code>, "
        "<code>uring-multishot</code>), they wait for one another while other workers sleep; "
        "where they are dealt out blindly (<code>reuseport</code>), some wait behind a busy "
        "worker.</p>",
    .published =
        "<div class=\"scroll\" tabindex=\"0\"><table><caption>Cloudflare, 2017: 12 pinned workers, "
        "200 connections, ms</caption><thead><tr><th scope=\"col\"></th><th scope=\"col\">mean</th>"
        "<th scope=\"col\">median</th><th scope=\"col\">max</th><th scope=\"col\">dev.</th>"
        "</tr></thead><tbody><tr><th scope=\"row\">shared queue</th><td>30.39</td><td>30.28</td>"
        "<td>72.65</td><td>1.58</td></tr><tr><th scope=\"row\">reuseport</th><td>31.37</td>"
        "<td>24.67</td><td>144.55</td><td>25.27</td></tr></tbody></table></div>"
        "<div class=\"scroll\" tabindex=\"0\"><table><caption>Hermes, SIGCOMM 2025: 32 cores, "
        "Linux "
        "4.19, costly requests, mean / p99 ms</caption><thead><tr><th scope=\"col\"></th>"
        "<th scope=\"col\">high rate</th><th scope=\"col\">low rate</th></tr></thead><tbody>"
        "<tr><th scope=\"row\">exclusive</th><td>121 / 1030</td><td>95 / 593</td></tr>"
        "<tr><th scope=\"row\">reuseport</th><td>213 / 1820</td><td>182 / 1240</td></tr>"
        "<tr><th scope=\"row\">by EBPF, user-directed</th><td>10.5 / 377</td><td>136 / "
        "623</td></tr>"
        "</tbody></table></div>",
    .draw = draw,
};
