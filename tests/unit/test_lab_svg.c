#include "lab/report/svg.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct svg_words words = {.prefix = "p7-", .title = "a < b", .description = "\"c\""};

#define HEAD                                                                                       \
    "<svg class=\"plot\" role=\"img\" aria-labelledby=\"p7-title p7-desc\" viewBox=\"0 0 9 5\">\n" \
    "<title id=\"p7-title\">a &lt; b</title>\n<desc id=\"p7-desc\">&quot;c&quot;</desc>\n"

struct svg_case {
    const char *name, *inside, *embedded;
};

Test(lab_svg, a_drawing_becomes_the_pages)
{
    static const struct svg_case cases[] = {
        {"a colour of the page", "<path stroke='rgb(  1,   0,  14)'/>",
         "<path stroke='var(--c14)'/>"},
        {"in a style", "<path style='stroke:rgb(1,0,6)'/>", "<path style='stroke:var(--c6)'/>"},
        {"another colour stays", "<path stroke='rgb(86, 180, 233)'/>",
         "<path stroke='rgb(86, 180, 233)'/>"},
        {"black is the text's", "<g fill=\"black\" stroke='black'>x</g>",
         "<g fill=\"currentColor\" stroke='currentColor'>x</g>"},
        {"ids are its own", "<g id=\"g\"><use xlink:href='#m'/><p fill='url(#q)' id='m'/></g>",
         "<g id=\"p7-g\"><use href='#p7-m'/><p fill='url(#p7-q)' id='p7-m'/></g>"},
        {"other titles go", "<title>Gnuplot</title><desc>x</desc><g id='a'>t</g>",
         "<g id='p7-a'>t</g>"},
        {"filters go", "<filter id='f'><feFlood/></filter>t", "t"},
        {"empty groups go", "<g stroke=\"x\">\n\t</g>t<g a=\"b\">u</g>", "t<g a=\"b\">u</g>"},
        {"marks that nobody uses go",
         "<path id='gpPt1' d='a'/>\n<path id='gpPt2' d='b'/>\n<use xlink:href='#gpPt2'/>",
         "<path id='p7-gpPt2' d='b'/>\n<use href='#p7-gpPt2'/>"},
        {"text stays", "<text>a&lt;b rgb</text>", "<text>a&lt;b rgb</text>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf drawing = {0}, out = {0}, expected = {0};
        buf_printf(&drawing, "<?xml version=\"1.0\"?>\n<svg \n viewBox=\"0 0 9 5\"\n>%s</svg>\n",
                   cases[i].inside);
        buf_printf(&expected, HEAD "%s</svg>\n", cases[i].embedded);
        cr_expect(svg_embed(&out, drawing.p, drawing.len, &words), "%s", cases[i].name);
        buf_add(&out, "", 1);
        buf_add(&expected, "", 1);
        cr_expect_str_eq(out.p, expected.p, "%s:\n%s", cases[i].name, out.p);
        buf_free(&drawing);
        buf_free(&out);
        buf_free(&expected);
    }
}

Test(lab_svg, what_is_no_drawing_is_refused)
{
    static const char *const drawings[] = {
        "",
        "hello",
        "<svg",
        "<svg viewBox=\"0 0 1 1\">",
        "<svg >x</svg>",
        "<svg >viewBox=\"0 0 1 1\"</svg>",
        "</svg><svg viewBox=\"",
    };
    for (size_t i = 0; i < sizeof drawings / sizeof *drawings; i++) {
        struct buf out = {0};
        cr_expect_not(svg_embed(&out, drawings[i], strlen(drawings[i]), &words), "%s", drawings[i]);
        buf_free(&out);
    }
}
