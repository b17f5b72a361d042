/* header.c: a header's comments and declarations as a manual. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "docs/header.h"

static struct buf out;

/* The manual of a header that says this, behind its first comment. */
static void becomes(const char *text, const char *wanted)
{
    char path[] = "/tmp/headerXXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    cr_assert_not_null(file);
    fprintf(file, "/* it.h - skipped */\n#ifndef IT_H\n#define IT_H\n\n%s\n#endif\n", text);
    fclose(file);
    int done = header_manual(&out, path);
    unlink(path);
    cr_assert_eq(done, 0);
    buf_add(&out, "", 1);
    cr_assert_str_eq(out.p, wanted);
    buf_free(&out);
}

Test(docs_header, a_function_and_its_comment)
{
    becomes(
        "/* Does it. */\nint drover_do(struct it *it,\n              void (*fn)(int a, int b));\n",
        ".Bl -tag -width 4n\n"
        ".It Ft \"int\" Fn drover_do \"struct it *it\" \"void (*fn)(int a, int b)\"\n"
        "Does it.\n.El\n");
}

Test(docs_header, two_functions_share_a_comment_of_two_paragraphs)
{
    becomes("/*\n * One.\n *\n * Two.\n */\nconst char *one(void);\nint two(void);\n",
            ".Bl -tag -width 4n\n.It Ft \"const char *\" Fn one \"void\"\n"
            ".It Ft \"int\" Fn two \"void\"\nOne.\n.Pp\nTwo.\n.El\n");
}

Test(docs_header, a_section)
{
    becomes("/* ------- the request\n *\n * It is borrowed.\n */\n",
            ".Ss The request\nIt is borrowed.\n");
}

Test(docs_header, members_with_comments_before_and_behind)
{
    becomes("/* A span. */\nstruct span {\n    const char *p; /* borrowed */\n\n    /* Bytes. */\n"
            "    int (*n)(void *p,\n             int q);\n};\n",
            ".Bl -tag -width 4n\n.It Vt \"struct span\"\nA span.\n.Bl -tag -width 4n\n"
            ".It Vt \"const char *p;\"\nborrowed.\n.It Vt \"int (*n)(void *p, int q);\"\nBytes.\n"
            ".El\n.El\n");
}

Test(docs_header, constants_and_macros)
{
    becomes(
        "/* How many. */\n#define DROVER_MANY 64\n\n/* All of it. */\n#define DROVER_ALL(a) \\\n"
        "    f(a);                \\\n    g(a)\n\nenum {\n    DROVER_ONE = 1, /* the first */\n"
        "};\n",
        ".Bl -tag -width 4n\n.It Dv \"DROVER_MANY 64\"\nHow many.\n.El\n"
        ".Bl -tag -width 4n\n.It Dv \"DROVER_ALL(a)\"\nAll of it.\n.El\n"
        ".Bl -tag -width 4n\n.It Vt \"enum\"\n.Bl -tag -width 4n\n"
        ".It Dv \"DROVER_ONE = 1\"\nthe first.\n.El\n.El\n");
}

Test(docs_header, a_file_that_is_not_there_is_an_error)
{
    cr_assert_eq(header_manual(&out, "/none.h"), -1);
}
