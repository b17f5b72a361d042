#include "config/lines.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

#define BYTE_ORDER_MARK \
    "\xef\xbb\xbf" /* the byte order mark, which editors of Windows begin with */

/* One line of text, without its end; a NUL is in `end`'s place. */
struct cursor {
    char *start;
    char *at;
    char *end;
    struct line *line;
};

static unsigned column(const struct cursor *c, const char *at)
{
    return 1 + (unsigned)utf8_count(c->start, (size_t)(at - c->start));
}

static enum lines_result fault(struct cursor *c, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum lines_result fault(struct cursor *c, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->line->fault, sizeof c->line->fault, format, args);
    va_end(args);
    c->line->value_column = column(c, at);
    return LINES_FAULT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *c)
{
    while (is_blank(*c->at))
        c->at++;
}

/* Is here the end, but for a comment? */
static bool is_over(const struct cursor *c)
{
    return c->at == c->end || (*c->at == '#' && (c->at == c->start || is_blank(c->at[-1])));
}

/* A NUL would end a value for some and not for others; no control has a meaning but the tab. */
static enum lines_result check_bytes(struct cursor *c)
{
    if (c->end - c->start > CONFIG_LINE_MAX)
        return fault(c, c->start, "this line is longer than %d bytes", CONFIG_LINE_MAX);
    for (const char *at = c->start; at < c->end; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '\0')
            return fault(c, at, "there is a NUL byte; a configuration file is text");
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return fault(c, at, "there is a control byte; in a value in \"quotes\" it is \\x%02x",
                         byte);
    }
    return LINES_PAIR;
}

/* -------------------------------------------------------------------------------- the value */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash, as one byte; false when nothing may that does. */
static bool unescape(struct cursor *c, char *byte)
{
    *byte = *c->at;
    if (*c->at == '"' || *c->at == '\\') {
        c->at++;
        return true;
    }
    if (*c->at != 'x' || hex(c->at[1]) < 0 || hex(c->at[2]) < 0)
        return false;
    *byte = (char)(hex(c->at[1]) * 16 + hex(c->at[2]));
    c->at += 3;
    return *byte != '\0';
}

/* The value moves to the left over its escapes. */
static enum lines_result read_quoted(struct cursor *c)
{
    char *open = c->at;
    char *to = open + 1;
    for (c->at++; *c->at != *open; to++) {
        if (c->at == c->end)
            return fault(c, open, "this quote is not ended in its line");
        const char *here = c->at;
        *to = *c->at++;
        if (*open == '"' && *to == '\\' && !unescape(c, to))
            return fault(c, here,
                         "behind \\ in double quotes may stand \" and \\ and xNN, two hex digits "
                         "that are not 00");
    }
    c->at++;
    if (!is_blank(*c->at) && c->at < c->end)
        return fault(c, c->at, "behind the closing quote may stand a comment: white space and #");
    skip_blanks(c);
    if (!is_over(c))
        return fault(c, c->at, "behind the closing quote may stand a comment: white space and #");
    *to = '\0';
    c->line->value = open + 1;
    return LINES_PAIR;
}

static enum lines_result read_value(struct cursor *c)
{
    skip_blanks(c);
    c->line->value_column = column(c, c->at);
    c->line->value = NULL;
    if (is_over(c))
        return LINES_PAIR;
    if (*c->at == '"' || *c->at == '\'')
        return read_quoted(c);
    c->line->value = c->at;
    while (!is_over(c))
        c->at++;
    while (is_blank(c->at[-1]))
        c->at--;
    *c->at = '\0';
    return LINES_PAIR;
}

/* ---------------------------------------------------------------------------------- the line */

/* Up to a blank or the bracket. */
static char *take_word(struct cursor *c)
{
    skip_blanks(c);
    char *word = c->at;
    while (c->at < c->end && !is_blank(*c->at) && *c->at != ']')
        c->at++;
    return word;
}

static enum lines_result read_section(struct cursor *c)
{
    char *open = c->at++;
    char *word = take_word(c), *word_end = c->at;
    char *name = take_word(c), *name_end = c->at;
    skip_blanks(c);
    if (*c->at != ']' || word == word_end)
        return fault(c, open, "a section begins with [site NAME]");
    c->at++;
    if (!is_over(c) && !is_blank(*c->at))
        return fault(c, c->at, "behind a section's ] may stand a comment: white space and #");
    skip_blanks(c);
    if (!is_over(c))
        return fault(c, c->at, "behind a section's ] may stand a comment: white space and #");
    *c->line = (struct line){.is_section = true,
                             .key = word,
                             .key_column = column(c, word),
                             .value = name < name_end ? name : NULL,
                             .value_column = column(c, name)};
    *word_end = *name_end = '\0';
    return LINES_SECTION;
}

static enum lines_result read_pair(struct cursor *c)
{
    char *key = c->at;
    if (*key == '=')
        return fault(c, key, "there is no key before the =");
    if (*key == '-')
        return fault(c, key, "keys have no dashes before them, as in workers = 4");
    while (c->at < c->end && !is_blank(*c->at) && *c->at != '=')
        c->at++;
    char *key_end = c->at;
    skip_blanks(c);
    if (*c->at != '=')
        return fault(c, c->at, "there is no = behind %.*s; a line is KEY = VALUE",
                     key_end - key < 60 ? (int)(key_end - key) : 60, key);
    c->at++;
    c->line->key = key;
    c->line->key_column = column(c, key);
    enum lines_result result = read_value(c);
    *key_end = '\0';
    return result;
}

/* Takes a line off the text; false at its end. */
static bool take_line(struct lines *lines, struct cursor *c)
{
    if (lines->at >= lines->n)
        return false;
    c->start = lines->p + lines->at;
    size_t left = lines->n - lines->at;
    char *end = memchr(c->start, '\n', left);
    c->end = end ? end : c->start + left;
    lines->at += (size_t)(c->end - c->start) + 1;
    if (lines->line++ == 0 && strncmp(c->start, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        c->start += strlen(BYTE_ORDER_MARK);
    if (end && end > c->start && end[-1] == '\r')
        c->end--;
    *c->end = '\0';
    return true;
}

enum lines_result lines_next(struct lines *lines, struct line *line)
{
    struct cursor c = {.line = line};
    while (take_line(lines, &c)) {
        line->is_section = *c.start == '[';
        if (check_bytes(&c) == LINES_FAULT)
            return LINES_FAULT;
        c.at = c.start;
        skip_blanks(&c);
        line->is_section = *c.at == '[';
        if (!is_over(&c))
            return line->is_section ? read_section(&c) : read_pair(&c);
    }
    return LINES_END;
}
