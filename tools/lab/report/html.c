#include "lab/report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* U+FFFD, the replacement character. */
#define REPLACEMENT "\xef\xbf\xbd"

/* U+202F, at which no line breaks. */
#define THIN_SPACE "&#8239;"

static const char *entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void html_text(struct buf *out, const char *text)
{
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        n = utf8_length(text, left);
        unsigned char c = (unsigned char)*text;
        const char *escaped = entity(*text);
        if (n == 0 || (c < ' ' && c != '\n' && c != '\t') || c == 0x7f) {
            buf_lit(out, REPLACEMENT);
            n = 1;
        } else if (escaped) {
            buf_str(out, escaped);
        } else {
            buf_add(out, text, n);
        }
    }
}

void html_element(struct buf *out, const char *tag, const char *text)
{
    buf_printf(out, "<%s>", tag);
    html_text(out, text);
    buf_printf(out, "</%s>", tag);
}

/* Digits after the point that leave three that count. */
static int decimals(double value)
{
    double size = fabs(value);
    if (size >= 99.95 || size == 0)
        return 0;
    return size >= 9.995 ? 1 : size >= 0.01 ? 2 : 3;
}

/* "1234567" into "1 234 567", with that space. */
static void group_thousands(char *to, size_t size, const char *digits, const char *space)
{
    size_t n = strlen(digits), sign = *digits == '-', at = 0;
    for (size_t i = 0; i < n; i++) {
        const char *gap = i > sign && (n - i) % 3 == 0 ? space : "";
        at += (size_t)snprintf(to + at, size - at, "%s%c", gap, digits[i]);
    }
}

static void words_with(char *text, size_t size, double value, const char *space)
{
    char digits[400]; /* the largest double has 309 */
    if (!isfinite(value)) {
        snprintf(text, size, "\xe2\x80\x93"); /* an en dash */
        return;
    }
    snprintf(digits, sizeof digits, "%.*f", decimals(value), value);
    if (fabs(value) >= 9999.5 && strlen(digits) < size / 4)
        group_thousands(text, size, digits, space);
    else
        snprintf(text, size, "%s", digits);
}

void html_number(struct buf *out, double value)
{
    char text[128];
    words_with(text, sizeof text, value, THIN_SPACE);
    buf_str(out, text);
}

void html_count(struct buf *out, double value)
{
    char text[128], digits[32];
    if (!isfinite(value) || value != rint(value) || fabs(value) >= 1e15) {
        html_number(out, value);
        return;
    }
    snprintf(digits, sizeof digits, "%.0f", value);
    group_thousands(text, sizeof text, digits, fabs(value) >= 10000 ? THIN_SPACE : "");
    buf_str(out, text);
}

void number_words(char *text, size_t size, double value)
{
    words_with(text, size, value, ",");
}

void html_names(struct buf *out, const char *const names[], size_t count)
{
    size_t shown = count > NAMES_MAX + 1 ? NAMES_MAX : count;
    for (size_t i = 0; i < shown; i++) {
        bool is_last = i + 1 == count;
        buf_str(out, i == 0 ? "" : is_last ? " and " : ", ");
        html_element(out, "code", names[i]);
    }
    if (shown < count)
        buf_printf(out, " and %zu more", count - shown);
}
