#include "lab/report/svg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "lab/report/html.h"

static bool starts(struct span rest, const char *with)
{
    size_t n = strlen(with);
    return rest.n >= n && memcmp(rest.p, with, n) == 0;
}

static const char *seek(struct span in, const char *what)
{
    return in.n > 0 ? memmem(in.p, in.n, what, strlen(what)) : NULL;
}

/* Everything up to the end of `what`, which must not be in it twice; 0 when it is not there. */
static size_t through(struct span in, const char *what)
{
    const char *found = seek(in, what);
    return found ? (size_t)(found - in.p) + strlen(what) : 0;
}

/* <g ...> with nothing but space before its </g>: gnuplot makes many. */
static size_t empty_group(struct span rest)
{
    size_t at = through(rest, ">");
    while (at > 0 && at < rest.n && strchr(" \t\n", rest.p[at]))
        at++;
    struct span end = {.p = rest.p + at, .n = rest.n - at};
    return at > 0 && starts(end, "</g>") ? at + 4 : 0;
}

/* The line of a mark's definition that nothing refers to. */
static size_t idle_mark(struct span rest)
{
    char name[64];
    struct span line = {.p = rest.p, .n = through(rest, "\n")};
    const char *id = seek(line, "id='gp");
    if (!id)
        return 0;
    size_t n = strcspn(id + 4, "'\n");
    if (n + 3 > sizeof name || starts(line, "<pattern"))
        return 0;
    snprintf(name, sizeof name, "#%.*s'", (int)n, id + 4);
    return seek(rest, name) ? 0 : line.n;
}

/* Bytes to leave out here; 0: none. */
static size_t dispensable(struct span rest)
{
    if (starts(rest, "<title>"))
        return through(rest, "</title>");
    if (starts(rest, "<desc>"))
        return through(rest, "</desc>");
    if (starts(rest, "<filter"))
        return through(rest, "</filter>");
    if (starts(rest, "<g "))
        return empty_group(rest);
    if (starts(rest, "<circle id=") || starts(rest, "<path id=") || starts(rest, "<rect id=") ||
        starts(rest, "<use xlink"))
        return idle_mark(rest);
    if (starts(rest, " font-family=\"inherit\""))
        return strlen(" font-family=\"inherit\"");
    return starts(rest, "\t") ? 1 : 0;
}

/* rgb(  1,   0,  N): a colour of the page. Returns its length, or 0 when it is another. */
static size_t add_colour(struct buf *out, struct span rest)
{
    int red, green, number;
    char text[32];
    size_t n = through(rest, ")");
    if (n == 0 || n >= sizeof text)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)n, rest.p);
    if (sscanf(text, "rgb(%d,%d,%d", &red, &green, &number) != 3 || red != 1 || green != 0)
        return 0;
    buf_printf(out, "var(--c%d)", number);
    return n;
}

/* What is replaced here is appended, and its length returned; 0: nothing is. */
static size_t replace(struct buf *out, struct span rest, const char *prefix)
{
    static const struct {
        const char *found, *put;
        bool prefix;
    } table[] = {
        {" id='", " id='", true},
        {" id=\"", " id=\"", true},
        {"url(#", "url(#", true},
        {"xlink:href='#", "href='#", true},
        {"'black'", "'currentColor'", false},
        {"\"black\"", "\"currentColor\"", false},
    };
    if (starts(rest, "rgb("))
        return add_colour(out, rest);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (starts(rest, table[i].found)) {
            buf_str(out, table[i].put);
            buf_str(out, table[i].prefix ? prefix : "");
            return strlen(table[i].found);
        }
    return 0;
}

static void open_tag(struct buf *out, struct span box, const struct svg_words *words)
{
    buf_printf(out,
               "<svg class=\"plot\" role=\"img\" aria-labelledby=\"%stitle %sdesc\" "
               "viewBox=\"%.*s\">\n<title id=\"%stitle\">",
               words->prefix, words->prefix, (int)box.n, box.p, words->prefix);
    html_text(out, words->title);
    buf_printf(out, "</title>\n<desc id=\"%sdesc\">", words->prefix);
    html_text(out, words->description);
    buf_lit(out, "</desc>\n");
}

bool svg_embed(struct buf *out, const char *drawing, size_t length, const struct svg_words *words)
{
    struct span rest = {.p = drawing, .n = length};
    size_t tag = through(rest, "<svg");
    struct span open = {.p = rest.p + tag, .n = rest.n - tag};
    size_t inside = through(open, ">"), at = through(open, "viewBox=\"");
    if (tag == 0 || inside == 0 || at == 0 || at > inside || !seek(open, "</svg>"))
        return false;
    struct span box = {.p = open.p + at, .n = strcspn(open.p + at, "\"")};
    open_tag(out, box, words);

    for (rest = (struct span){.p = open.p + inside, .n = open.n - inside};
         rest.n > 0 && !starts(rest, "</svg>");) {
        size_t n = dispensable(rest);
        if (n == 0)
            n = replace(out, rest, words->prefix);
        if (n == 0) {
            buf_add(out, rest.p, 1);
            n = 1;
        }
        rest.p += n;
        rest.n -= n;
    }
    buf_lit(out, "</svg>\n");
    return true;
}
