#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The smallest allocation: a short answer's head fits. */
#define BUF_MIN 512

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

/* Doubles, so that n appends cost O(n). */
static bool reserve(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : BUF_MIN;
    while (cap < need) {
        if (__builtin_mul_overflow(cap, 2U, &cap))
            return false;
    }
    char *p = realloc(b->p, cap);
    if (!p)
        return false;
    b->p = p;
    b->cap = cap;
    return true;
}

char *buf_more_room(struct buf *b, size_t n)
{
    size_t need;
    if (b->failed)
        return NULL;
    if (__builtin_add_overflow(b->len, n, &need) || (need > b->cap && !reserve(b, need))) {
        b->failed = true;
        return NULL;
    }
    return b->p + b->len;
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[20]; /* UINT64_MAX has 20 */
    char *p = digits + sizeof digits;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void buf_vprintf(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *to = n < 0 ? NULL : buf_room(b, (size_t)n + 1); /* the NUL is written, not counted */
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_drop(struct buf *b, size_t n)
{
    b->len -= n;
    if (n > 0 && b->len > 0)
        memmove(b->p, b->p + n, b->len);
}
