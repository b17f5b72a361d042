/* mdoc.c: text that mdoc(7) would take for markup. */
#include <criterion/criterion.h>
#include <string.h>

#include "docs/mdoc.h"

static void comes_to(struct buf *to, const char *wanted)
{
    buf_add(to, "", 1);
    cr_assert_str_eq(to->p, wanted);
    buf_free(to);
}

static void text(const char *given, const char *wanted)
{
    struct buf to = {0};
    mdoc_text(&to, given);
    comes_to(&to, wanted);
}

static void typed(const char *given, const char *wanted)
{
    struct buf to = {0};
    mdoc_typed(&to, given);
    comes_to(&to, wanted);
}

Test(docs_mdoc, a_full_stop_ends_it)
{
    text("the pid", "the pid.\n");
    text("Done.", "Done.\n");
    text("One of:", "One of:\n");
    text("read(2) says (so.)", "read(2) says (so.)\n");
}

Test(docs_mdoc, a_sentence_begins_a_line)
{
    text("Stop it. Then go. v1.2 is", "Stop it.\nThen go.\nv1.2 is.\n");
}

Test(docs_mdoc, what_would_be_markup_is_escaped)
{
    text(".Sh is \\f", "\\&.Sh is \\ef.\n");
    text("'quoted' text", "\\&'quoted' text.\n");
    text("within --drain-timeout", "within \\-\\-drain\\-timeout.\n");
    text("single-page", "single-page.\n");
    text("stays .so", "stays .so.\n");
}

Test(docs_mdoc, lines_are_not_long)
{
    struct buf to = {0};
    for (int i = 0; i < 100; i++)
        buf_lit(&to, "words and ");
    buf_add(&to, "", 1);
    struct buf out = {0};
    mdoc_text(&out, to.p);
    buf_add(&out, "", 1);
    for (const char *line = out.p; *line; line += strcspn(line, "\n") + 1)
        cr_assert_leq(strcspn(line, "\n"), 80);
    buf_free(&to);
    buf_free(&out);
}

Test(docs_mdoc, options_variables_and_brackets)
{
    typed("--listen ADDR", "Fl -listen Ar ADDR");
    typed("-c FILE", "Fl c Ar FILE");
    typed("stop [--control PATH] [--now]", "Cm stop Oo Fl -control Ar PATH Oc Oo Fl -now Oc");
    typed("run NAME... [-o report.html]", "Cm run Ar NAME ... Oo Fl o Cm report.html Oc");
    typed("--workers N[,N...]", "Fl -workers Ar N[,N...]");
}
