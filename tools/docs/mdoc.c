#include "docs/mdoc.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Columns of a line of text: mandoc complains of more than 80 bytes. */
#define WIDTH 76

static void add_escaped(struct buf *to, const char *p, size_t n, bool starts_line)
{
    if (starts_line && n > 0 && (*p == '.' || *p == '\''))
        buf_lit(to, "\\&");
    bool is_option = n > 2 && strspn(p, "(\"'-") > 0 && strstr(p, "--") && strstr(p, "--") < p + 2;
    for (size_t i = 0; i < n; i++) {
        bool is_dash = p[i] == '-' && (is_option || i == 0 || !isalnum((unsigned char)p[i - 1]));
        if (p[i] == '\\')
            buf_lit(to, "\\e");
        else if (is_dash && i + 1 < n)
            buf_lit(to, "\\-");
        else
            buf_add(to, p + i, 1);
    }
}

/* Does a sentence end with this word? */
static bool ends_sentence(const char *p, size_t n)
{
    while (n > 0 && strchr(")\"'", p[n - 1]))
        n--;
    return n > 1 && strchr(".!?", p[n - 1]) && p[n - 2] != '.';
}

void mdoc_text(struct buf *to, const char *text)
{
    size_t column = 0, n = 0;
    bool is_ended = true;
    for (text += strspn(text, " "); *text; text += n, text += strspn(text, " ")) {
        n = strcspn(text, " ");
        if (column > 0)
            buf_str(to, column + n > WIDTH || is_ended ? "\n" : " ");
        column = column + n > WIDTH || is_ended ? 0 : column;
        add_escaped(to, text, n, column == 0);
        column += n + 1;
        is_ended = ends_sentence(text, n);
    }
    buf_str(to, is_ended || strchr(":;", text[-1]) ? "\n" : ".\n");
}

static bool is_variable(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (islower((unsigned char)p[i]))
            return false;
    return n > 0 && isupper((unsigned char)p[strspn(p, "'/[,+-:")]);
}

/* One word, without the brackets around it. */
static void add_word(struct buf *to, const char *p, size_t n)
{
    bool has_more = n > 3 && memcmp(p + n - 3, "...", 3) == 0;
    n -= has_more ? 3 : 0;
    if (*p == '-' && n > 1) {
        buf_lit(to, "Fl ");
        buf_add(to, p + 1, n - 1);
    } else {
        buf_str(to, is_variable(p, n) ? "Ar " : "Cm ");
        add_escaped(to, p, n, true);
    }
    if (has_more)
        buf_lit(to, " ...");
}

void mdoc_typed(struct buf *to, const char *text)
{
    size_t n;
    bool is_first = true;
    for (text += strspn(text, " "); *text; text += n, text += strspn(text, " ")) {
        n = strcspn(text, " ");
        size_t opens = *text == '[',
               closes = n > 0 && text[n - 1] == ']' && !memchr(text + 1, '[', n - 1);
        if (!is_first)
            buf_lit(to, " ");
        if (opens)
            buf_lit(to, "Oo ");
        add_word(to, text + opens, n - opens - closes);
        if (closes)
            buf_lit(to, " Oc");
        is_first = false;
    }
}

void mdoc_item(struct buf *to, const char *typed)
{
    buf_lit(to, ".It ");
    mdoc_typed(to, typed);
    buf_lit(to, "\n");
}

void mdoc_literal(struct buf *to, const char *text, size_t n)
{
    bool starts_line = true;
    for (size_t i = 0; i < n; i++) {
        if (starts_line && (text[i] == '.' || text[i] == '\''))
            buf_lit(to, "\\&");
        starts_line = text[i] == '\n';
        if (text[i] == '\\')
            buf_lit(to, "\\e");
        else
            buf_add(to, text + i, 1);
    }
}
