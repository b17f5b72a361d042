/*
 * The Range field. The input is the size of the representation, a line end, and the field's value.
 * Verdicts: good; bad for what is to be ignored; none for what asks for no byte there is.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "http/range.h"

static int read_ranges(struct span value, uint64_t size, struct http_range ranges[HTTP_RANGES_MAX])
{
    char *copy = fuzz_copy(value);
    int count = http_ranges((struct span){.p = copy, .n = value.n}, size, ranges);
    free(copy);
    return count;
}

static void check_inside(const struct http_range *ranges, int count, uint64_t size)
{
    uint64_t left = size;
    FUZZ_CHECK(count >= -1 && count <= HTTP_RANGES_MAX, "%d ranges", count);
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK(ranges[i].length > 0, "range %d is empty", i);
        FUZZ_CHECK(ranges[i].first < size, "range %d starts behind the end", i);
        FUZZ_CHECK(ranges[i].length <= size - ranges[i].first, "range %d ends behind the end", i);
        FUZZ_CHECK(ranges[i].length <= left, "more than the whole together");
        left -= ranges[i].length;
    }
}

static void compare(struct span value, uint64_t size, const struct http_range *ranges, int count)
{
    struct http_range again[HTTP_RANGES_MAX];
    int result = read_ranges(value, size, again);
    FUZZ_CHECK(result == count, "%d for %s, first %d", result, fuzz_show(value), count);
    for (int i = 0; i < count; i++)
        FUZZ_CHECK(again[i].first == ranges[i].first && again[i].length == ranges[i].length,
                   "range %d of %s", i, fuzz_show(value));
}

/* The ranges that were found, asked for in full. */
static void check_canonical(const struct http_range *ranges, int count, uint64_t size)
{
    struct buf value = {0};
    for (int i = 0; i < count; i++) {
        buf_str(&value, i ? ", " : "BYTES=");
        buf_u64(&value, ranges[i].first);
        buf_lit(&value, "-");
        buf_u64(&value, ranges[i].first + ranges[i].length - 1);
    }
    compare(fuzz_bytes(&value), size, ranges, count);
    buf_free(&value);
}

/* Empty elements and blanks at the end mean nothing. */
static void check_padded(struct span input, const struct http_range *ranges, int count,
                         uint64_t size)
{
    struct buf value = {0};
    buf_span(&value, input);
    buf_lit(&value, " , ,\t");
    compare(fuzz_bytes(&value), size, ranges, count);
    buf_free(&value);
}

const char *fuzz_one(struct span input)
{
    struct http_range ranges[HTTP_RANGES_MAX];
    uint64_t size = 1000;
    span_to_u64(fuzz_line(&input), &size);
    int count = read_ranges(input, size, ranges);
    check_inside(ranges, count, size);
    if (count >= 0)
        check_padded(input, ranges, count, size);
    if (count > 0)
        check_canonical(ranges, count, size);
    return count > 0 ? "good" : count < 0 ? "bad" : "none";
}
