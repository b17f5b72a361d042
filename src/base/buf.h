/*
 * buf - bytes that grow.
 *
 * A failed allocation is remembered in `failed`; what is appended after it is dropped, so a
 * writer appends all it has and looks once, at the end. A zeroed struct is an empty buf.
 */
#ifndef DROVER_BASE_BUF_H
#define DROVER_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/span.h"

struct buf {
    char *p; /* owned; NULL until something is appended */
    size_t len;
    size_t cap;
    bool failed;
};

/* Gives the memory back and leaves an empty buf. */
void buf_free(struct buf *b);

/* Its bytes, borrowed until it changes. */
static inline struct span span_of_buf(const struct buf *b)
{
    return (struct span){.p = b->p, .n = b->len};
}

/* Forgets the bytes and the failure, keeps the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

/* private: as buf_room(), where there is not enough */
char *buf_more_room(struct buf *b, size_t n);

/*
 * Room for at least n more bytes after the present ones. Returns where they go, or NULL when
 * memory ran out. Bytes put there count once buf_grow() has been told.
 */
static inline char *buf_room(struct buf *b, size_t n)
{
    return !b->failed && n <= b->cap - b->len && b->p ? b->p + b->len : buf_more_room(b, n);
}

static inline void buf_grow(struct buf *b, size_t n)
{
    b->len += n;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    char *to = n > 0 ? buf_room(b, n) : NULL; /* memcpy(3) from NULL is undefined even for 0 */
    if (!to)
        return;
    memcpy(to, p, n);
    b->len += n;
}

static inline void buf_span(struct buf *b, struct span s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_u64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* A literal is appended without strlen. */
#define buf_lit(b, literal) buf_add((b), "" literal, sizeof(literal) - 1)

/* Drops the first n bytes (n <= len). */
void buf_drop(struct buf *b, size_t n);

#endif
