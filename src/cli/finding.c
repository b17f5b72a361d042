#include "cli/finding.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* Columns: a grade, what it is about, and the words. */
#define GRADE_WIDTH 6
#define WHAT_WIDTH  20
#define INDENT      (GRADE_WIDTH + WHAT_WIDTH)
#define WIDTH       96

static const char *const grades[] = {[GRADE_OK] = "ok", [GRADE_NOTE] = "note", [GRADE_BAD] = "bad"};
_Static_assert(sizeof grades / sizeof *grades == GRADE_BAD + 1, "a grade without a name");

struct finding *findings_add(struct findings *findings, const char *what)
{
    assert(findings->count < FINDINGS_MAX);
    struct finding *f = &findings->list[findings->count++];
    *f = (struct finding){.what = what};
    return f;
}

static void put(char text[FINDING_TEXT_SIZE], const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void put(char text[FINDING_TEXT_SIZE], const char *format, va_list args)
{
    vsnprintf(text, FINDING_TEXT_SIZE, format, args);
}

void finding_found(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f->found, format, args);
    va_end(args);
}

void finding_means(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f->means, format, args);
    va_end(args);
}

void finding_change(struct finding *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(f->change, format, args);
    va_end(args);
}

size_t findings_of(const struct findings *findings, enum grade grade)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->count; i++)
        count += findings->list[i].grade == grade;
    return count;
}

/* ------------------------------------------------------------------------------------- text */

/* Names in the environment are anybody's. */
static void add_safely(struct buf *to, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        unsigned char c = (unsigned char)*text;
        size_t length = utf8_shown(text, n);
        if (length > 0)
            buf_add(to, text, length);
        else
            buf_printf(to, "\\x%02x", c);
        length += length == 0;
        text += length;
        n -= length;
    }
}

/* Breaks at spaces; a word that is longer than a line has one of its own. Begins in column
 * `column`, and ends the line. */
static void add_wrapped(struct buf *to, const char *text, size_t column)
{
    size_t at = column;
    for (size_t n; *text; text += n + (text[n] == ' ')) {
        n = strcspn(text, " ");
        size_t width = utf8_count(text, n);
        if (at > column && at + 1 + width > WIDTH) {
            buf_printf(to, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            buf_lit(to, " ");
            at++;
        }
        buf_add(to, text, n);
        at += width;
    }
    buf_lit(to, "\n");
}

static void add_finding(struct buf *to, const struct finding *f)
{
    struct buf words = {0};
    add_safely(&words, f->found);
    if (*f->means)
        buf_printf(&words, ": %s", f->means);
    buf_add(&words, "", 1);
    buf_printf(to, "%-*s%-*s", GRADE_WIDTH, grades[f->grade], WHAT_WIDTH, f->what);
    if (!words.failed)
        add_wrapped(to, words.p, INDENT);
    buf_free(&words);
    if (!*f->change)
        return;
    buf_printf(to, "%*s-> ", INDENT, "");
    add_wrapped(to, f->change, INDENT + 3);
}

static void add_sum(const struct findings *findings, struct buf *to)
{
    size_t notes = findings_of(findings, GRADE_NOTE);
    const char *comma = "";
    if (findings_of(findings, GRADE_BAD) == 0) {
        buf_lit(to, "\ndrover can run here");
        if (notes > 0)
            buf_printf(to, "; %zu note%s", notes, notes == 1 ? "" : "s");
        buf_lit(to, ".\n");
        return;
    }
    buf_lit(to, "\ndrover cannot run here: ");
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].grade == GRADE_BAD) {
            buf_printf(to, "%s%s", comma, findings->list[i].what);
            comma = ", ";
        }
    buf_lit(to, ".\n");
}

void findings_text(const struct findings *findings, struct buf *to)
{
    for (size_t i = 0; i < findings->count; i++)
        add_finding(to, &findings->list[i]);
    add_sum(findings, to);
}

/* ------------------------------------------------------------------------------------- JSON */

static void add_object(struct buf *to, const struct finding *f)
{
    const char *const members[][2] = {{"what", f->what},
                                      {"grade", grades[f->grade]},
                                      {"found", f->found},
                                      {"means", f->means},
                                      {"change", f->change}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        buf_str(to, i == 0 ? "{" : ",");
        json_put_member(to, members[i][0], members[i][1]);
    }
    buf_lit(to, "}");
}

void findings_json(const struct findings *findings, const char *version, struct buf *to)
{
    bool can_run = findings_of(findings, GRADE_BAD) == 0;
    buf_lit(to, "{");
    json_put_member(to, "version", version);
    buf_printf(to, ",\"can_run\":%s,\"findings\":[", can_run ? "true" : "false");
    for (size_t i = 0; i < findings->count; i++) {
        buf_str(to, i == 0 ? "\n" : ",\n");
        add_object(to, &findings->list[i]);
    }
    buf_lit(to, "\n]}\n");
}
