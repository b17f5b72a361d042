#include "lab/report/plots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/span.h"
#include "lab/report/gnuplot.h"
#include "lab/report/svg.h"

/* Where a plot belongs in the page is marked by a control character, which html_text() lets
 * nobody write, and its number. */
#define PLACE "\x01"

/* Points of the text in a plot; with the size of its box it is drawn as large as the page's small
 * text. */
#define FONT_SIZE 13

static const char looks[] = "set datafile missing 'NaN'\n"
                            "set encoding utf8\n"
                            "set border 3 lw 1 lc rgb '#010007'\n"
                            "set tics nomirror out scale 0.4 textcolor rgb '#010007'\n"
                            "set grid lt 1 lw 1 lc rgb '#010006'\n"
                            "unset key\n";

struct plot *plots_add(struct plots *plots, struct buf *page, unsigned width, unsigned height)
{
    if (plots->count == plots->room) {
        size_t room = plots->room ? plots->room * 2 : 32;
        struct plot *all = reallocarray(plots->all, room, sizeof *all);
        if (!all) {
            page->failed = true;
            return NULL;
        }
        plots->all = all;
        plots->room = room;
    }
    buf_printf(page, PLACE "%zu" PLACE, plots->count);
    struct plot *plot = &plots->all[plots->count++];
    *plot = (struct plot){0};
    buf_printf(&plot->script,
               "reset\nset terminal svg size %u,%u dynamic noenhanced font 'inherit,%d'\n%s", width,
               height, FONT_SIZE, looks);
    return plot;
}

void plots_free(struct plots *plots)
{
    for (size_t i = 0; i < plots->count; i++) {
        buf_free(&plots->all[i].script);
        buf_free(&plots->all[i].title);
        buf_free(&plots->all[i].description);
    }
    free(plots->all);
    *plots = (struct plots){0};
}

static int no_memory(struct buf *wrong)
{
    buf_lit(wrong, "out of memory");
    return EX_OSERR;
}

/* "" when there is none. */
static const char *text_of(struct buf *text)
{
    buf_add(text, "", 1);
    return text->failed ? "" : text->p;
}

/* The next drawing off the front of what gnuplot wrote; nothing when there is none. */
static struct span next_drawing(struct span *drawn)
{
    static const char end[] = "</svg>";
    const char *found = drawn->n ? memmem(drawn->p, drawn->n, end, sizeof end - 1) : NULL;
    struct span one = {.p = drawn->p, .n = found ? (size_t)(found - drawn->p) + sizeof end - 1 : 0};
    drawn->p += one.n;
    drawn->n -= one.n;
    return one;
}

/* Plots are placed in the order in which they were added, which is that of their drawings. */
static int put_in_place(const struct plots *plots, const struct buf *page, struct span drawn,
                        struct buf *out, struct buf *wrong)
{
    size_t at = 0;
    for (size_t i = 0; i < plots->count; i++) {
        char place[32], prefix[32];
        snprintf(place, sizeof place, PLACE "%zu" PLACE, i);
        snprintf(prefix, sizeof prefix, "p%zu-", i);
        const char *found = memmem(page->p + at, page->len - at, place, strlen(place));
        struct plot *plot = &plots->all[i];
        struct svg_words words = {.prefix = prefix,
                                  .title = text_of(&plot->title),
                                  .description = text_of(&plot->description)};
        struct span one = next_drawing(&drawn);
        if (found)
            buf_add(out, page->p + at, (size_t)(found - page->p) - at);
        if (!found || !svg_embed(out, one.p, one.n, &words)) {
            buf_printf(wrong, "gnuplot did not draw '%s'", words.title);
            return EX_SOFTWARE;
        }
        at = (size_t)(found - page->p) + strlen(place);
    }
    buf_add(out, page->p + at, page->len - at);
    return out->failed ? no_memory(wrong) : 0;
}

int plots_draw(const struct plots *plots, const struct buf *page, struct buf *out,
               struct buf *wrong)
{
    struct buf script = {0}, drawn = {0};
    for (size_t i = 0; i < plots->count; i++) {
        const struct buf *one = &plots->all[i].script;
        script.failed = script.failed || one->failed;
        buf_add(&script, one->p, one->len);
        buf_lit(&script, "\nset output\n"); /* ends the drawing */
    }
    int status = script.failed || page->failed ? no_memory(wrong) : 0;
    if (status == 0 && plots->count > 0)
        status = gnuplot_run(&script, &drawn, wrong);
    if (status == 0)
        status = put_in_place(plots, page, (struct span){.p = drawn.p, .n = drawn.len}, out, wrong);
    buf_free(&script);
    buf_free(&drawn);
    return status;
}

void plot_label(struct buf *script, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  " .,:+/()-_";
    buf_lit(script, "'");
    for (; *name; name++)
        buf_add(script, strchr(allowed, *name) ? name : "?", 1);
    buf_lit(script, "'");
}

void plot_colour(struct buf *script, unsigned colour)
{
    buf_printf(script, "rgb '#0100%02x'", colour);
}
