#include "worker/body.h"

#include "base/limits.h"
#include "support.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    bool chunked;
    uint64_t length;
    struct span input;
    int outcome;
    size_t rest; /* bytes that are left for the next request, when the body is whole */
} rows[] = {
    {"none", false, 0, BYTES(""), 1, 0},
    {"none, and a request", false, 0, BYTES("GET /"), 1, 5},
    {"whole", false, 3, BYTES("abc"), 1, 0},
    {"whole, and a request", false, 3, BYTES("abcGET /"), 1, 5},
    {"short", false, 3, BYTES("ab"), 0, 0},
    {"nothing yet", false, 3, BYTES(""), 0, 0},
    {"as long as allowed", false, BODY_DISCARD_MAX, BYTES("abc"), 0, 0},
    {"longer", false, BODY_DISCARD_MAX + 1, BYTES("abc"), -413, 0},
    {"longer, before its first byte", false, BODY_DISCARD_MAX + 1, BYTES(""), -413, 0},
    {"as long as can be said", false, UINT64_MAX, BYTES("abc"), -413, 0},

    {"chunked: nothing yet", true, 0, BYTES(""), 0, 0},
    {"chunked: whole", true, 0, BYTES("3\r\nabc\r\n0\r\n\r\n"), 1, 0},
    {"chunked: whole, and a request", true, 0, BYTES("3\r\nabc\r\n0\r\n\r\nGET /"), 1, 5},
    {"chunked: empty, and a request", true, 0, BYTES("0\r\n\r\nGET /"), 1, 5},
    {"chunked: with trailers", true, 0, BYTES("1\r\na\r\n0\r\na: b\r\n\r\nG"), 1, 1},
    {"chunked: short", true, 0, BYTES("3\r\nab"), 0, 0},
    {"chunked: the end is missing", true, 0, BYTES("3\r\nabc\r\n0\r\n"), 0, 0},
    {"chunked: no size", true, 0, BYTES("x\r\n"), -400, 0},
    {"chunked: wrong behind a chunk", true, 0, BYTES("1\r\nabc"), -400, 0},
};

/* Feeds the bytes in pieces of `step`; each stands alone on the heap for the sanitizer. */
static int feed(struct body *body, struct span bytes, size_t step, size_t *rest)
{
    int outcome = 0;
    size_t at = 0;
    do {
        size_t n = bytes.n - at < step ? bytes.n - at : step;
        char *copy = malloc(n ? n : 1);
        cr_assert_not_null(copy);
        if (n > 0)
            memcpy(copy, bytes.p + at, n);
        struct span input = {.p = copy, .n = n};
        outcome = body_take(body, &input);
        if (outcome == 0)
            cr_assert_eq(input.n, 0, "all is taken while more must come");
        at += n;
        *rest = input.n + bytes.n - at;
        free(copy);
    } while (outcome == 0 && at < bytes.n);
    return outcome;
}

Test(body, whole_and_in_pieces)
{
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (size_t step = 1; step <= rows[i].input.n + 1; step++) {
            struct http_request request = {.chunked = rows[i].chunked,
                                           .content_length = rows[i].length};
            struct body body = body_of(&request);
            size_t rest = 0;
            int outcome = feed(&body, rows[i].input, step, &rest);
            cr_expect_eq(outcome, rows[i].outcome, "%s, by %zu: %d", rows[i].name, step, outcome);
            if (outcome == 1)
                cr_expect_eq(rest, rows[i].rest, "%s, by %zu: %zu", rows[i].name, step, rest);
        }
}

/* As many bytes as this one takes, in pieces like those that a socket gives. */
static int feed_known(uint64_t length, uint64_t given)
{
    static char piece[READ_BUFFER_SIZE];
    struct http_request request = {.content_length = length};
    struct body body = body_of(&request);
    int outcome = 0;
    while (given > 0 && outcome == 0) {
        size_t n = given < sizeof piece ? (size_t)given : sizeof piece;
        struct span input = {.p = piece, .n = n};
        outcome = body_take(&body, &input);
        given -= n;
    }
    return outcome;
}

Test(body, the_longest_of_known_length_is_taken)
{
    cr_expect_eq(feed_known(BODY_DISCARD_MAX, BODY_DISCARD_MAX), 1);
    cr_expect_eq(feed_known(BODY_DISCARD_MAX, BODY_DISCARD_MAX - 1), 0);
    cr_expect_eq(feed_known(BODY_DISCARD_MAX + 1, 1), -413);
}

/* Chunks of 64 KiB, `total` bytes altogether, and the end. */
static int feed_chunks(size_t total)
{
    static char data[0x10000 + 2];
    struct http_request request = {.chunked = true};
    struct body body = body_of(&request);
    int outcome = 0;
    while (total > 0 && outcome == 0) {
        char line[16];
        size_t n = total < 0x10000 ? total : 0x10000;
        int length = snprintf(line, sizeof line, "%zx\r\n", n);
        struct span size = {.p = line, .n = (size_t)length};
        cr_assert_eq(body_take(&body, &size), 0);
        memset(data, 'x', n);
        memcpy(data + n, "\r\n", 2);
        struct span chunk = {.p = data, .n = n + 2};
        outcome = body_take(&body, &chunk);
        total -= n;
    }
    struct span end = SPAN("0\r\n\r\n");
    return outcome == 0 ? body_take(&body, &end) : outcome;
}

Test(body, the_longest_in_chunks_is_taken)
{
    cr_expect_eq(feed_chunks(BODY_DISCARD_MAX), 1);
    cr_expect_eq(feed_chunks(BODY_DISCARD_MAX + 1), -413);
    cr_expect_eq(feed_chunks(2 * BODY_DISCARD_MAX), -413);
}
