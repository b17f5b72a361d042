#include "http/range.h"

#include <stdbool.h>

/* Takes the digits at the front. Returns false if there is none. */
static bool take_number(struct span *s, uint64_t *value)
{
    size_t i = 0;
    *value = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        if (__builtin_mul_overflow(*value, 10U, value) ||
            __builtin_add_overflow(*value, (unsigned)(s->p[i] - '0'), value))
            *value = UINT64_MAX;
    }
    s->p += i;
    s->n -= i;
    return i > 0;
}

static bool take_byte(struct span *s, char byte)
{
    if (s->n == 0 || *s->p != byte)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* "-500": the last 500 bytes, or all there are. */
static bool read_suffix(struct span spec, uint64_t size, struct http_range *range)
{
    uint64_t wanted;
    if (!take_number(&spec, &wanted) || spec.n > 0)
        return false;
    if (wanted > 0 && size == 0) /* satisfiable, but no Content-Range can say so */
        return false;
    range->length = wanted < size ? wanted : size;
    range->first = size - range->length;
    return true;
}

/* "0-499" or "500-". */
static bool read_span(struct span spec, uint64_t size, struct http_range *range)
{
    uint64_t first;
    uint64_t last = UINT64_MAX;
    if (!take_number(&spec, &first) || !take_byte(&spec, '-'))
        return false;
    if (spec.n > 0 && (!take_number(&spec, &last) || spec.n > 0 || last < first))
        return false;
    *range = (struct http_range){.first = first, .length = 0};
    if (first < size)
        range->length = (last < size ? last : size - 1) - first + 1;
    return true;
}

/* Returns false if the spec is malformed. One that is not satisfiable has no length. */
static bool read_spec(struct span spec, uint64_t size, struct http_range *range)
{
    if (take_byte(&spec, '-'))
        return read_suffix(spec, size, range);
    return read_span(spec, size, range);
}

static bool take_unit(struct span *value)
{
    const struct span unit = SPAN("bytes="); /* its case is ignored: RFC 9110, 14.1 */
    if (value->n < unit.n || !span_eq_nocase((struct span){.p = value->p, .n = unit.n}, unit))
        return false;
    value->p += unit.n;
    value->n -= unit.n;
    return true;
}

int http_ranges(struct span value, uint64_t size, struct http_range ranges[HTTP_RANGES_MAX])
{
    struct span spec;
    uint64_t left = size; /* what the ranges may still have together */
    int specs = 0;
    int satisfiable = 0;
    if (!take_unit(&value))
        return -1;
    while (span_next_element(&value, &spec)) {
        struct http_range range;
        if (++specs > HTTP_RANGES_MAX || !read_spec(spec, size, &range) || range.length > left)
            return -1;
        if (range.length > 0)
            ranges[satisfiable++] = range;
        left -= range.length;
    }
    return specs > 0 ? satisfiable : -1;
}
