#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

static void add_escaped(struct buf *to, unsigned char c)
{
    static const char short_ones[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (const char *one = short_ones; *one; one += 2)
        if ((unsigned char)*one == c) {
            buf_printf(to, "\\%c", one[1]);
            return;
        }
    buf_printf(to, "\\u%04x", c);
}

void json_put_string(struct buf *to, const char *text)
{
    size_t n = strlen(text);
    buf_lit(to, "\"");
    while (n > 0) {
        unsigned char c = (unsigned char)*text;
        size_t length = utf8_length(text, n);
        if (length == 0)
            buf_lit(to, "\\ufffd");
        else if (length == 1 && (c < ' ' || c == '"' || c == '\\' || c == 0x7f))
            add_escaped(to, c);
        else
            buf_add(to, text, length);
        length += length == 0;
        text += length;
        n -= length;
    }
    buf_lit(to, "\"");
}

void json_put_member(struct buf *to, const char *name, const char *text)
{
    json_put_string(to, name);
    buf_lit(to, ":");
    json_put_string(to, text);
}

/* -------------------------------------------------------------------------------- the members */

/* No value ends with one of these: a text ends with its quote. */
static bool is_first(const struct buf *to)
{
    return to->len == 0 || strchr("{[:\n", to->p[to->len - 1]);
}

static void begin(struct buf *to, const char *name)
{
    if (!is_first(to))
        buf_lit(to, ",");
    if (!name)
        return;
    json_put_string(to, name);
    buf_lit(to, ":");
}

void json_put_open(struct buf *to, const char *name, char bracket)
{
    begin(to, name);
    buf_add(to, &bracket, 1);
}

void json_put_close(struct buf *to, char bracket)
{
    buf_add(to, bracket == '{' ? "}" : "]", 1);
}

void json_put_text(struct buf *to, const char *name, const char *text)
{
    begin(to, name);
    json_put_string(to, text);
}

void json_put_int(struct buf *to, const char *name, int64_t value)
{
    begin(to, name);
    buf_printf(to, "%" PRId64, value);
}

void json_put_count(struct buf *to, const char *name, uint64_t value)
{
    begin(to, name);
    buf_u64(to, value);
}

void json_put_bool(struct buf *to, const char *name, bool value)
{
    begin(to, name);
    buf_str(to, value ? "true" : "false");
}

void json_put_null(struct buf *to, const char *name)
{
    begin(to, name);
    buf_lit(to, "null");
}

void json_put_number(struct buf *to, const char *name, double value)
{
    if (!isfinite(value)) {
        json_put_null(to, name);
        return;
    }
    begin(to, name);
    buf_printf(to, "%.3f", value);
}
