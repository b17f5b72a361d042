#include "worker/access_format.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    enum access_what what;
    const char *name;
} directives[] = {
    {"%%", ACCESS_PERCENT, ""},
    {"%h", ACCESS_CLIENT, ""},
    {"%a", ACCESS_CLIENT, ""},
    {"%l", ACCESS_DASH, ""},
    {"%u", ACCESS_DASH, ""},
    {"%t", ACCESS_TIME, ""},
    {"%r", ACCESS_LINE, ""},
    {"%s", ACCESS_STATUS, ""},
    {"%>s", ACCESS_STATUS, ""},
    {"%b", ACCESS_BODY, ""},
    {"%B", ACCESS_BODY_0, ""},
    {"%O", ACCESS_SENT, ""},
    {"%D", ACCESS_US, ""},
    {"%T", ACCESS_S, ""},
    {"%{s}T", ACCESS_S, ""},
    {"%{ms}T", ACCESS_MS, ""},
    {"%{us}T", ACCESS_US, ""},
    {"%p", ACCESS_PORT, ""},
    {"%v", ACCESS_HOST, ""},
    {"%V", ACCESS_HOST, ""},
    {"%m", ACCESS_METHOD, ""},
    {"%U", ACCESS_PATH, ""},
    {"%q", ACCESS_QUERY, ""},
    {"%H", ACCESS_PROTOCOL, ""},
    {"%P", ACCESS_PID, ""},
    {"%{pid}P", ACCESS_PID, ""},
    {"%{slot}P", ACCESS_SLOT, ""},
    {"%k", ACCESS_SERVED, ""},
    {"%{Referer}i", ACCESS_FIELD, "Referer"},
    {"%{x-1_2}i", ACCESS_FIELD, "x-1_2"},
};

Test(access_format, every_directive_is_one_part)
{
    char what[512];
    static struct access_format f;
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++) {
        cr_expect(access_format_read(&f, directives[i].text, what, sizeof what), "%s: %s",
                  directives[i].text, what);
        cr_expect_eq(f.count, 1, "%s", directives[i].text);
        cr_expect_eq(f.parts[0].what, directives[i].what, "%s", directives[i].text);
        if (f.parts[0].what == ACCESS_FIELD)
            cr_expect(span_eq(f.parts[0].text, span_of(directives[i].name)), "%s",
                      directives[i].text);
        cr_expect_eq(f.has_port, directives[i].what == ACCESS_PORT);
        cr_expect(!f.is_json);
    }
}

Test(access_format, names_stand_for_formats)
{
    char what[512];
    static struct access_format f;
    cr_expect(access_format_read(&f, "common", what, sizeof what));
    size_t common = f.count;
    cr_expect(access_format_read(&f, "combined", what, sizeof what));
    cr_expect(!f.is_json);
    cr_expect_gt(f.count, common);
    cr_expect(access_format_read(&f, "json", what, sizeof what));
    cr_expect(f.is_json);
}

Test(access_format, text_between_is_kept)
{
    char what[512];
    static struct access_format f;
    cr_assert(access_format_read(&f, "a \\\"%s\\\"\\t\\\\%%x", what, sizeof what), "%s", what);
    cr_assert_eq(f.count, 5);
    cr_expect(span_eq(f.parts[0].text, SPAN("a \"")));
    cr_expect(span_eq(f.parts[2].text, SPAN("\"\t\\")));
    cr_expect_eq(f.parts[3].what, ACCESS_PERCENT);
    cr_expect(span_eq(f.parts[4].text, SPAN("x")));
    cr_expect_eq(f.parts[4].reserve, 1, "the newline");
    cr_expect_eq(f.parts[3].reserve, 2, "and the x");
}

static const struct {
    const char *value;
    const char *what; /* how it begins */
} refused[] = {
    {"", "must be combined, common, json, or a text with directives"},
    {"Combined", "must be combined, common, json, or a text with directives"},
    {"jsn", "must be combined, common, json, or a text with directives"},
    {"%z", "column 1: there is no directive \"%z\"; there are: %%, %a,"},
    {"%h %S", "column 4: there is no directive \"%S\"; there are: "},
    {"%{Referer}x", "column 1: there is no directive \"%{Referer}x\"; there are: "},
    {"%{days}T", "column 1: there is no directive \"%{days}T\"; there are: "},
    {"%{Referer}", "column 1: a directive's letter is missing"},
    {"%h %", "column 4: a directive's letter is missing"},
    {"%h %{Referer", "column 4: the } is missing"},
    {"%{}i", "column 3: must be the name of a field"},
    {"%{a b}i", "column 3: must be the name of a field"},
    {"%>h", "column 1: there is no directive \"%>\"; there are: "},
    {"%h\\n", "column 3: a backslash must be followed by t, \" or another one"},
    {"%h\\", "column 3: a backslash must be followed by t, \" or another one"},
    {"%h\n%s", "column 3: there is a control byte"},
    {"abc\ndef", "column 4: there is a control byte"},
};

Test(access_format, what_is_wrong_is_told_with_its_column)
{
    static struct access_format f;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char what[512] = "";
        cr_expect(!access_format_read(&f, refused[i].value, what, sizeof what), "\"%s\"",
                  refused[i].value);
        cr_expect_eq(strncmp(what, refused[i].what, strlen(refused[i].what)), 0, "\"%s\": %s",
                     refused[i].value, what);
    }
}

Test(access_format, has_its_bounds)
{
    static struct access_format f;
    char text[ACCESS_FORMAT_MAX + 2], what[512];
    memset(text, 'x', sizeof text);
    memcpy(text, "%h", 2);
    text[ACCESS_FORMAT_MAX] = '\0';
    cr_expect(access_format_read(&f, text, what, sizeof what), "%s", what);
    text[ACCESS_FORMAT_MAX] = 'x';
    text[ACCESS_FORMAT_MAX + 1] = '\0';
    cr_expect(!access_format_read(&f, text, what, sizeof what));
    cr_expect_str_eq(what, "is longer than 1024 bytes");
    for (int i = 0; i <= ACCESS_PARTS_MAX; i++)
        memcpy(text + 2 * (size_t)i, "%h", 3);
    cr_expect(!access_format_read(&f, text, what, sizeof what));
    cr_expect_str_eq(what, "column 163: there are too many directives and texts between them; 80 "
                           "are allowed");
    text[2 * ACCESS_PARTS_MAX] = '\0';
    cr_expect(access_format_read(&f, text, what, sizeof what), "%s", what);
}
