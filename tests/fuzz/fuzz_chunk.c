/* Chunked bodies. The input is what follows a request's head. Verdicts: good, bad, more. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/chunk.h"

/* An input that is not longer is split in two at every place. */
#define EVERY_SPLIT_MAX 128

struct outcome {
    int result;
    size_t taken;    /* bytes of the input */
    struct buf data; /* all pieces */
};

/* One delivery. The bytes of a refused body and what was taken of it have no meaning. */
static void deliver(struct http_chunked *chunked, struct span bytes, struct outcome *outcome)
{
    char *copy = fuzz_copy(bytes);
    struct span rest = {.p = copy, .n = bytes.n};
    while (outcome->result == 0 && rest.n > 0) {
        struct span data;
        size_t before = rest.n;
        outcome->result = http_chunked_read(chunked, &rest, &data);
        FUZZ_CHECK(rest.n < before, "nothing was taken");
        FUZZ_CHECK(rest.p + rest.n == copy + bytes.n, "bytes were lost");
        FUZZ_CHECK(data.n == 0 || (data.p >= copy && data.p + data.n <= rest.p), "borrowed data");
        buf_span(&outcome->data, data);
    }
    outcome->taken += bytes.n - rest.n;
    free(copy);
}

static void start(struct outcome *outcome)
{
    buf_clear(&outcome->data);
    outcome->result = 0;
    outcome->taken = 0;
}

static void compare(struct outcome *split, struct outcome *whole, const char *how, size_t where)
{
    FUZZ_CHECK(split->result == whole->result, "%s %zu: %d, whole: %d", how, where, split->result,
               whole->result);
    FUZZ_CHECK(split->taken == whole->taken, "%s %zu: %zu bytes taken, whole: %zu", how, where,
               split->taken, whole->taken);
    FUZZ_CHECK(span_eq(fuzz_bytes(&split->data), fuzz_bytes(&whole->data)),
               "%s %zu: %zu bytes of data, whole: %zu, or others", how, where, split->data.len,
               whole->data.len);
}

static void check_splits_in_two(struct span input, struct outcome *whole, struct outcome *split)
{
    for (size_t at = 1; at < input.n && input.n <= EVERY_SPLIT_MAX; at++) {
        struct http_chunked chunked = {0};
        start(split);
        deliver(&chunked, (struct span){.p = input.p, .n = at}, split);
        deliver(&chunked, (struct span){.p = input.p + at, .n = input.n - at}, split);
        compare(split, whole, "split at", at);
    }
}

/* Pieces of 1 to `most` bytes. */
static void check_pieces(struct span input, size_t most, struct outcome *whole,
                         struct outcome *split)
{
    struct http_chunked chunked = {0};
    uint32_t seed = fuzz_seed(input);
    start(split);
    for (size_t at = 0, n; at < input.n; at += n) {
        n = fuzz_below(&seed, most) + 1;
        n = n < input.n - at ? n : input.n - at;
        deliver(&chunked, (struct span){.p = input.p + at, .n = n}, split);
    }
    compare(split, whole, "pieces of at most", most);
}

/* A body that was taken, read once more in the plainest way: a size, a line's end, bytes. */
static void check_data(struct span body, struct span data)
{
    const char *p = body.p;
    for (;;) {
        char *digits_end;
        const char *line_end = memmem(p, (size_t)(body.p + body.n - p), "\r\n", 2);
        FUZZ_CHECK(line_end, "a size line has no end");
        uint64_t size = strtoull(p, &digits_end, 16);
        FUZZ_CHECK(digits_end > p, "no size at %td", p - body.p);
        p = line_end + 2;
        if (size == 0)
            break;
        FUZZ_CHECK(size <= data.n && memcmp(p, data.p, size) == 0, "data at %td", p - body.p);
        data = (struct span){.p = data.p + size, .n = data.n - size};
        p += size + 2;
    }
    FUZZ_CHECK(data.n == 0, "%zu bytes of data too many", data.n);
    FUZZ_CHECK(memcmp(body.p + body.n - 4, "\r\n\r\n", 4) == 0, "no empty line");
    FUZZ_CHECK(memmem(p - 2, (size_t)(body.p + body.n - p + 2), "\r\n\r\n", 4) ==
                   body.p + body.n - 4,
               "bytes of the next request were taken");
}

/* The data in chunks of other sizes is the same data. */
static void check_again(struct span input, struct outcome *whole, struct outcome *again)
{
    struct http_chunked chunked = {0};
    struct buf body = {0};
    struct span rest = fuzz_bytes(&whole->data);
    uint32_t seed = fuzz_seed(input);
    for (size_t n; rest.n > 0; rest.p += n, rest.n -= n) {
        n = fuzz_below(&seed, rest.n) + 1;
        buf_printf(&body, "%zx\r\n", n);
        buf_add(&body, rest.p, n);
        buf_lit(&body, "\r\n");
    }
    buf_lit(&body, "0\r\n\r\n");
    start(again);
    deliver(&chunked, fuzz_bytes(&body), again);
    FUZZ_CHECK(again->taken == body.len, "%zu of %zu bytes taken", again->taken, body.len);
    again->taken = whole->taken;
    compare(again, whole, "other sizes", 0);
    buf_free(&body);
}

const char *fuzz_one(struct span input)
{
    struct http_chunked chunked = {0};
    struct outcome whole = {0};
    struct outcome other = {0};
    deliver(&chunked, input, &whole);
    check_splits_in_two(input, &whole, &other);
    check_pieces(input, 1, &whole, &other);
    check_pieces(input, 7, &whole, &other);
    check_pieces(input, 300, &whole, &other);
    if (whole.result > 0) {
        check_data((struct span){.p = input.p, .n = whole.taken}, fuzz_bytes(&whole.data));
        check_again(input, &whole, &other);
    }
    buf_free(&whole.data);
    buf_free(&other.data);
    return whole.result > 0 ? "good" : whole.result < 0 ? "bad" : "more";
}
