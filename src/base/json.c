#include "base/json.h"

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
