#include "http/path.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BAD_REQUEST = -400, NOT_FOUND = -404, TOO_LONG = -414 };

/* The decoded path so far. It starts with '/', and `segment` is behind its last '/'. */
struct path {
    char *out;
    size_t size; /* less the NUL */
    size_t length;
    size_t segment;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Takes %XX off the front. Returns the byte, or minus a status. */
static int take_escape(struct span *rest)
{
    int high = rest->n > 2 ? hex_value(rest->p[1]) : -1;
    int low = rest->n > 2 ? hex_value(rest->p[2]) : -1;
    if (high < 0 || low < 0)
        return BAD_REQUEST;
    int byte = high * 16 + low;
    if (byte == '\0')
        return BAD_REQUEST;
    if (byte == '/')
        return NOT_FOUND;
    rest->p += 3;
    rest->n -= 3;
    return byte;
}

static int add_byte(struct path *path, char byte)
{
    if (path->length == path->size)
        return TOO_LONG;
    path->out[path->length++] = byte;
    return 0;
}

/* Forgets the last segment, which is "..", and the one before it. */
static int climb(struct path *path)
{
    size_t slash = path->segment - 1;
    if (slash == 0)
        return BAD_REQUEST;
    const char *before = memrchr(path->out, '/', slash);
    path->length = path->segment = (size_t)(before - path->out) + 1;
    return 0;
}

/* Ends a segment: at a slash, which is added, or at the end of the path. */
static int end_segment(struct path *path, bool slash)
{
    struct span last = {.p = path->out + path->segment, .n = path->length - path->segment};
    if (span_eq(last, SPAN("..")))
        return climb(path);
    if (span_eq(last, SPAN(".")))
        path->length = path->segment;
    if (path->length == path->segment || !slash)
        return 0;
    int result = add_byte(path, '/');
    path->segment = path->length;
    return result;
}

static int take_byte(struct path *path, struct span *rest)
{
    if (*rest->p == '%') {
        int byte = take_escape(rest);
        return byte < 0 ? byte : add_byte(path, (char)byte);
    }
    char byte = *rest->p;
    if (byte == '\0')
        return BAD_REQUEST;
    rest->p++;
    rest->n--;
    return byte == '/' ? end_segment(path, true) : add_byte(path, byte);
}

static int decode(struct span encoded, char *out, size_t size)
{
    struct path path = {.out = out, .size = size - 1, .length = 1, .segment = 1};
    struct span rest = {.p = encoded.p + 1, .n = encoded.n - 1};
    out[0] = '/';

    int result = 0;
    while (result == 0 && rest.n > 0)
        result = take_byte(&path, &rest);
    if (result == 0)
        result = end_segment(&path, false);
    if (result < 0)
        return result;
    out[path.length] = '\0';
    return (int)path.length;
}

/* Copies a path in which every byte stands for itself, as in most: there is no escape, no NUL, and
 * no segment that is empty or starts with a dot. False where it is none. */
static bool copy_plain(struct span path, char *out)
{
    static const bool is_special[256] = {['%'] = true, ['/'] = true, ['\0'] = true};
    for (size_t i = 0; i < path.n; i++) {
        char byte = path.p[i];
        out[i] = byte;
        if (!is_special[(unsigned char)byte])
            continue;
        char next = i + 1 < path.n ? path.p[i + 1] : 'x';
        if (byte != '/' || next == '/' || next == '.')
            return false;
    }
    out[path.n] = '\0';
    return true;
}

int http_path_decode(struct span encoded, char *out, size_t size)
{
    if (encoded.n == 0 || encoded.p[0] != '/')
        return BAD_REQUEST;
    if (size < sizeof "/")
        return TOO_LONG;
    if (encoded.n < size && copy_plain(encoded, out))
        return (int)encoded.n;
    return decode(encoded, out, size);
}

/* pchar of RFC 3986, 3.3, and the slash. */
static const bool plain[256] = {
    ['!'] = true,         ['$'] = true, ['&' ... ';'] = true, ['='] = true,
    ['@' ... 'Z'] = true, ['_'] = true, ['a' ... 'z'] = true, ['~'] = true,
};

long http_path_encode(struct span path, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;
    for (size_t i = 0; i < path.n; i++) {
        uint8_t byte = (uint8_t)path.p[i];
        size_t need = plain[byte] ? 1 : 3;
        if (length + need >= size)
            return -1;
        if (need == 1) {
            out[length] = path.p[i];
        } else {
            out[length] = '%';
            out[length + 1] = digits[byte >> 4];
            out[length + 2] = digits[byte & 0xf];
        }
        length += need;
    }
    if (length >= size)
        return -1;
    out[length] = '\0';
    return (long)length;
}
