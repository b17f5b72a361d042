#include "base/utf8.h"

#include <stdint.h>

static size_t length_by_first(unsigned char c)
{
    return c < 0x80                ? 1
           : c >= 0xc2 && c < 0xe0 ? 2
           : c >= 0xe0 && c < 0xf0 ? 3
           : c >= 0xf0 && c < 0xf5 ? 4
                                   : 0;
}

/* Longer than it need be, a surrogate, or above the last character? The controls of U+0080 to
 * U+009F, which terminals heed, are refused with them. */
static int is_bad(const unsigned char *c)
{
    return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
           (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
           (c[0] == 0xf4 && c[1] > 0x8f);
}

size_t utf8_length(const char *bytes, size_t n)
{
    const unsigned char *c = (const unsigned char *)bytes;
    size_t length = n > 0 ? length_by_first(c[0]) : 0;
    if (length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length > 1 && is_bad(c) ? 0 : length;
}

size_t utf8_count(const char *bytes, size_t n)
{
    size_t count = 0;
    while (n > 0) {
        size_t length = utf8_length(bytes, n);
        length += length == 0;
        bytes += length;
        n -= length;
        count++;
    }
    return count;
}
