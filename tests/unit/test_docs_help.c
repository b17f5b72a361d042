/* help.c: what a program says of itself, in blocks. */
#include <criterion/criterion.h>
#include <string.h>

#include "docs/help.h"

static struct help parsed(const char *text)
{
    struct help help = {0};
    cr_assert_eq(help_parse(&help, text), 0);
    return help;
}

static void has(const struct help *help, size_t i, enum block_kind kind, const char *term,
                const char *text)
{
    cr_assert_lt(i, help->count, "block %zu of %zu", i, help->count);
    const struct block *b = &help->blocks[i];
    cr_assert_eq(b->kind, kind, "block %zu: kind %d", i, b->kind);
    cr_assert_str_eq(b->text, text);
    if (term)
        cr_assert_str_eq(b->term, term);
    else
        cr_assert_null(b->term);
}

Test(docs_help, usage_paragraphs_and_rows)
{
    struct help help = parsed("usage: it [--now]\n\nDoes it,\nand waits.\n\n"
                              "  --now            at once,\n                   whatever runs\n"
                              "  --control PATH   where\n\nRoot may ask.\n");
    cr_assert_eq(help.count, 5);
    has(&help, 0, BLOCK_USAGE, NULL, "it [--now]");
    has(&help, 1, BLOCK_TEXT, NULL, "Does it, and waits.");
    has(&help, 2, BLOCK_ITEM, "--now", "at once, whatever runs");
    has(&help, 3, BLOCK_ITEM, "--control PATH", "where");
    has(&help, 4, BLOCK_TEXT, NULL, "Root may ask.");
    help_free(&help);
    cr_assert_eq(help.count, 0);
}

Test(docs_help, a_paragraph_follows_the_usage_without_an_empty_line)
{
    struct help help = parsed("usage: it\nDoes it.");
    cr_assert_eq(help.count, 2);
    has(&help, 1, BLOCK_TEXT, NULL, "Does it.");
    help_free(&help);
}

Test(docs_help, rows_without_an_indent_begin_with_one_word)
{
    struct help help = parsed("kernel   the same\nand more  of it\n");
    cr_assert_eq(help.count, 2);
    has(&help, 0, BLOCK_ITEM, "kernel", "the same");
    has(&help, 1, BLOCK_TEXT, NULL, "and more  of it");
    help_free(&help);
}

Test(docs_help, empty)
{
    struct help help = parsed("");
    cr_assert_eq(help.count, 0);
    help_free(&help);
}

Test(docs_help, a_program_is_run)
{
    static const char *const argv[] = {"/bin/echo", "usage: of echo", NULL};
    struct help help = {0};
    cr_assert_eq(help_run(&help, argv), 0);
    has(&help, 0, BLOCK_USAGE, NULL, "of echo");
    help_free(&help);
}

Test(docs_help, a_program_that_fails_or_is_not_there_is_an_error)
{
    static const char *const fails[] = {"/bin/false", NULL}, *const none[] = {"/none", NULL};
    struct help help = {0};
    cr_assert_eq(help_run(&help, fails), -1);
    cr_assert_eq(help_run(&help, none), -1);
    help_free(&help);
}
