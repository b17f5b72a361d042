#include "config/lines.h"

#include <stdlib.h>

#include "base/limits.h"
#include "support.h"

/* All that is in a text, as "LINE:COLUMN key COLUMN value" or "LINE:COLUMN fault", a line each. */
static void show(const char *text, size_t n, char *shown, size_t size)
{
    char *copy = malloc(n + 1); /* alone, so that a sanitizer sees a byte too many */
    struct lines lines = {.p = copy, .n = n};
    struct line line;
    enum lines_result result;
    size_t used = 0;
    cr_assert_not_null(copy);
    memcpy(copy, text, n);
    copy[n] = '\0';
    shown[0] = '\0';
    while ((result = lines_next(&lines, &line)) != LINES_END) {
        const char *value = result == LINES_FAULT ? line.fault : line.value ? line.value : "(none)";
        used += (size_t)snprintf(shown + used, size - used, "%s%u:", used ? "\n" : "", lines.line);
        if (result != LINES_FAULT)
            used += (size_t)snprintf(shown + used, size - used, "%s%u %s ",
                                     result == LINES_SECTION ? "[" : "", line.key_column, line.key);
        used += (size_t)snprintf(shown + used, size - used, "%u %s", line.value_column, value);
    }
    free(copy);
}

static void expect(const char *text, size_t n, const char *shown)
{
    char got[4096];
    show(text, n, got, sizeof got);
    cr_expect_str_eq(got, shown, "%s:\n%s\nnot\n%s", text, got, shown);
}

static const struct {
    const char *text, *shown;
} good[] = {
    {"", ""},
    {"\n\n", ""},
    {"  \t \n", ""},
    {"# words = 1\n   # more\n#", ""},
    {"workers=4", "1:1 workers 9 4"},
    {"workers = 4\n", "1:1 workers 11 4"},
    {" \tworkers\t = \t4 \t\n", "1:3 workers 15 4"},
    {"workers = 4\r\nlisting = no\r\n", "1:1 workers 11 4\n2:1 listing 11 no"},
    {"\n\na = b\n", "3:1 a 5 b"},
    {"\xef\xbb\xbf"
     "a = b\n",
     "1:1 a 5 b"},
    {"workers = 4 # as many as CPUs\n", "1:1 workers 11 4"},
    {"workers = 4\t#\n", "1:1 workers 11 4"},
    {"set = color=#fff\n", "1:1 set 7 color=#fff"},
    {"a = b#c #d", "1:1 a 5 b#c"},
    {"a = x y  z", "1:1 a 5 x y  z"},
    {"a = b = c", "1:1 a 5 b = c"},
    {"field = X: a #b", "1:1 field 9 X: a"},
    {"field = \"X: a #b\"", "1:1 field 9 X: a #b"},
    {"field = 'X: a #b' # words", "1:1 field 9 X: a #b"},
    {"a = \"say \\\"it\\\" \\\\ \\x41\\x0a.\"", "1:1 a 5 say \"it\" \\ A\n."},
    {"a = 'say \"it\" \\n'", "1:1 a 5 say \"it\" \\n"},
    {"a = \"it's\"", "1:1 a 5 it's"},
    {"a = it's \"so\"", "1:1 a 5 it's \"so\""},
    {"a = \"\"", "1:1 a 5 "},
    {"a = \"  b  \"  ", "1:1 a 5   b  "},
    {"a =", "1:1 a 4 (none)"},
    {"a = \n", "1:1 a 5 (none)"},
    {"a = # none\n", "1:1 a 5 (none)"},
    {"caf\xc3\xa9 = \xe2\x82\xac", "1:1 caf\xc3\xa9 8 \xe2\x82\xac"},
    {"a = \xff", "1:1 a 5 \xff"},
    {"[site a]", "1:[2 site 7 a"},
    {" [\tsite  a-b.c ]\t# words\r\na = b", "1:[4 site 10 a-b.c\n2:1 a 5 b"},
    {"[site]\n[b c]", "1:[2 site 6 (none)\n2:[2 b 4 c"},
    {"[\xc3\xa9 \xe2\x82\xac]", "1:[2 \xc3\xa9 4 \xe2\x82\xac"},
};

Test(lines, what_is_read)
{
    for (size_t i = 0; i < LENGTH(good); i++)
        expect(good[i].text, strlen(good[i].text), good[i].shown);
}

static const struct {
    const char *text, *shown;
} bad[] = {
    {"[", "1:1 a section begins with [site NAME]"},
    {"[]", "1:1 a section begins with [site NAME]"},
    {"[ ] # none", "1:1 a section begins with [site NAME]"},
    {"[site", "1:1 a section begins with [site NAME]"},
    {"a = 1\n  [site a\nb = 2", "1:1 a 5 1\n2:3 a section begins with [site NAME]\n3:1 b 5 2"},
    {"[site a b]", "1:1 a section begins with [site NAME]"},
    {"[site # a]", "1:1 a section begins with [site NAME]"},
    {"[site a] b = 1", "1:10 behind a section's ] may stand a comment: white space and #"},
    {"[site a]# b", "1:9 behind a section's ] may stand a comment: white space and #"},
    {"[site a]]", "1:9 behind a section's ] may stand a comment: white space and #"},
    {"= 4", "1:1 there is no key before the ="},
    {"--workers = 4", "1:1 keys have no dashes before them, as in workers = 4"},
    {"workers", "1:8 there is no = behind workers; a line is KEY = VALUE"},
    {"workers 4\nb = 2", "1:9 there is no = behind workers; a line is KEY = VALUE\n2:1 b 5 2"},
    {"workers: 4", "1:10 there is no = behind workers:; a line is KEY = VALUE"},
    {"a = \"b", "1:5 this quote is not ended in its line"},
    {"a = 'b\nc = d", "1:5 this quote is not ended in its line\n2:1 c 5 d"},
    {"a = \"b\\\"", "1:5 this quote is not ended in its line"},
    {"a = \"b\" c", "1:9 behind the closing quote may stand a comment: white space and #"},
    {"a = \"b\"#c", "1:8 behind the closing quote may stand a comment: white space and #"},
    {"a = 'b''c'", "1:8 behind the closing quote may stand a comment: white space and #"},
    {"a = \"b\\n\"",
     "1:7 behind \\ in double quotes may stand \" and \\ and xNN, two hex digits that are not 00"},
    {"a = \"\\x00\"",
     "1:6 behind \\ in double quotes may stand \" and \\ and xNN, two hex digits that are not 00"},
    {"a = \"\\x4",
     "1:6 behind \\ in double quotes may stand \" and \\ and xNN, two hex digits that are not 00"},
    {"a = \"\\",
     "1:6 behind \\ in double quotes may stand \" and \\ and xNN, two hex digits that are not 00"},
    {"a = b\rc = d", "1:6 there is a control byte; in a value in \"quotes\" it is \\x0d"},
    {"\xc3\xa9 = \x1b[31m", "1:5 there is a control byte; in a value in \"quotes\" it is \\x1b"},
    {"# \x7f", "1:3 there is a control byte; in a value in \"quotes\" it is \\x7f"},
};

Test(lines, what_is_wrong_and_where)
{
    for (size_t i = 0; i < LENGTH(bad); i++)
        expect(bad[i].text, strlen(bad[i].text), bad[i].shown);
}

Test(lines, a_nul_ends_nothing)
{
    static const char text[] = "a = b\0c\nd = e\n\0";
    expect(text, sizeof text - 1,
           "1:6 there is a NUL byte; a configuration file is text\n2:1 d 5 e\n"
           "3:1 there is a NUL byte; a configuration file is text");
}

Test(lines, as_long_as_a_line_may_be)
{
    static char text[CONFIG_LINE_MAX + 2], shown[2 * CONFIG_LINE_MAX];
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "a=", 2);
    show(text, CONFIG_LINE_MAX, shown, sizeof shown);
    cr_expect_eq(strncmp(shown, "1:1 a 3 xxx", 11), 0, "%.20s", shown);
    show(text, CONFIG_LINE_MAX + 1, shown, sizeof shown);
    cr_expect_str_eq(shown, "1:1 this line is longer than 8192 bytes");
}
