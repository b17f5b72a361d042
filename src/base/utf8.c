#include "base/utf8.h"

#include <stdbool.h>
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

/* Of three bytes, as a number: they begin with the same bits, so they are in the order of Unicode.
 */
#define OF_THREE(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (c))

/* Joiners and marks of direction, separators of lines, embeddings and isolates, the byte order
 * mark: U+200B to 200F, U+2028 to 202E, U+2060 to 206F, U+FEFF. */
static bool is_unseen(const unsigned char *c)
{
    uint32_t three = OF_THREE(c[0], c[1], c[2]);
    return (three >= OF_THREE(0xe2, 0x80, 0x8b) && three <= OF_THREE(0xe2, 0x80, 0x8f)) ||
           (three >= OF_THREE(0xe2, 0x80, 0xa8) && three <= OF_THREE(0xe2, 0x80, 0xae)) ||
           (three >= OF_THREE(0xe2, 0x81, 0xa0) && three <= OF_THREE(0xe2, 0x81, 0xaf)) ||
           three == OF_THREE(0xef, 0xbb, 0xbf);
}

size_t utf8_shown(const char *bytes, size_t n)
{
    const unsigned char *c = (const unsigned char *)bytes;
    size_t length = utf8_length(bytes, n);
    if (length == 1 && (c[0] < ' ' || c[0] == 0x7f))
        return 0;
    if (length == 2 && c[0] == 0xd8 && c[1] == 0x9c) /* U+061C, another mark of direction */
        return 0;
    return length == 3 && is_unseen(c) ? 0 : length;
}

void utf8_make_shown(char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t length = utf8_shown(bytes + at, n - at);
        if (length == 0)
            bytes[at] = '?';
        at += length ? length : 1;
    }
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
