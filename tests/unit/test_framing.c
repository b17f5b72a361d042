#include "worker/framing.h"

#include "base/limits.h"
#include "support.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* What is taken off an input, each frame in brackets. */
static const struct {
    const char *name;
    enum drover_framing framing;
    size_t max;
    struct span input;
    const char *frames;
    int last;    /* what follows them: not whole, or too long */
    size_t left; /* bytes that are not taken, when it is not too long */
} rows[] = {
    {"raw: nothing", DROVER_RAW, 0, BYTES(""), "", 0, 0},
    {"raw", DROVER_RAW, 0, BYTES("a\nb"), "[a\nb]", 0, 0},

    {"lines: nothing", DROVER_LINES, 0, BYTES(""), "", 0, 0},
    {"lines: one", DROVER_LINES, 0, BYTES("abc\n"), "[abc]", 0, 0},
    {"lines: with CR", DROVER_LINES, 0, BYTES("abc\r\n"), "[abc]", 0, 0},
    {"lines: two CR", DROVER_LINES, 0, BYTES("abc\r\r\n"), "[abc\r]", 0, 0},
    {"lines: a CR within", DROVER_LINES, 0, BYTES("a\rb\n"), "[a\rb]", 0, 0},
    {"lines: empty ones", DROVER_LINES, 0, BYTES("\n\r\n\n"), "[][][]", 0, 0},
    {"lines: no end", DROVER_LINES, 0, BYTES("abc"), "", 0, 3},
    {"lines: half an end", DROVER_LINES, 0, BYTES("abc\r"), "", 0, 4},
    {"lines: several", DROVER_LINES, 0, BYTES("a\nbc\r\nd"), "[a][bc]", 0, 1},
    {"lines: the longest", DROVER_LINES, 3, BYTES("abc\n"), "[abc]", 0, 0},
    {"lines: the longest with CR", DROVER_LINES, 3, BYTES("abc\r\n"), "[abc]", 0, 0},
    {"lines: the longest, no end", DROVER_LINES, 3, BYTES("abc"), "", 0, 3},
    {"lines: the longest, half an end", DROVER_LINES, 3, BYTES("abc\r"), "", 0, 4},
    {"lines: longer", DROVER_LINES, 3, BYTES("abcd\n"), "", -1, 0},
    {"lines: longer with CR", DROVER_LINES, 3, BYTES("abcd\r\n"), "", -1, 0},
    {"lines: longer, no end", DROVER_LINES, 3, BYTES("abcde"), "", -1, 0},
    {"lines: longer behind others", DROVER_LINES, 3, BYTES("a\nabcdef"), "[a]", -1, 0},

    {"2: nothing", DROVER_PREFIX_2, 0, BYTES(""), "", 0, 0},
    {"2: half a length", DROVER_PREFIX_2, 0, BYTES("\0"), "", 0, 1},
    {"2: an empty one", DROVER_PREFIX_2, 0, BYTES("\0\0"), "[]", 0, 0},
    {"2: several", DROVER_PREFIX_2, 0, BYTES("\0\2ab\0\0\0\1c"), "[ab][][c]", 0, 0},
    {"2: not whole", DROVER_PREFIX_2, 0, BYTES("\0\3ab"), "", 0, 4},
    {"2: the most significant first", DROVER_PREFIX_2, 0, BYTES("\1\0ab"), "", 0, 4},
    {"2: the longest", DROVER_PREFIX_2, 2, BYTES("\0\2ab"), "[ab]", 0, 0},
    {"2: longer", DROVER_PREFIX_2, 2, BYTES("\0\3abc"), "", -1, 0},
    {"2: longer, by its length alone", DROVER_PREFIX_2, 2, BYTES("\0\3"), "", -1, 0},
    {"2: longer behind others", DROVER_PREFIX_2, 2, BYTES("\0\1a\xff\xff"), "[a]", -1, 0},

    {"4: nothing", DROVER_PREFIX_4, 0, BYTES(""), "", 0, 0},
    {"4: a part of a length", DROVER_PREFIX_4, 0, BYTES("\0\0\0"), "", 0, 3},
    {"4: an empty one", DROVER_PREFIX_4, 0, BYTES("\0\0\0\0"), "[]", 0, 0},
    {"4: several", DROVER_PREFIX_4, 0, BYTES("\0\0\0\2ab\0\0\0\0\0\0\0\1c"), "[ab][][c]", 0, 0},
    {"4: not whole", DROVER_PREFIX_4, 0, BYTES("\0\0\0\3ab"), "", 0, 6},
    {"4: the longest", DROVER_PREFIX_4, 2, BYTES("\0\0\0\2ab"), "[ab]", 0, 0},
    {"4: longer", DROVER_PREFIX_4, 2, BYTES("\0\0\0\3abc"), "", -1, 0},
    {"4: as long as can be said", DROVER_PREFIX_4, 0, BYTES("\xff\xff\xff\xff"), "", -1, 0},
};

/* Takes what can be taken, and shows it. */
static int take_all(const struct drover_protocol *protocol, struct span *input, struct buf *shown)
{
    struct span frame;
    int result;
    while ((result = framing_take(protocol, input, &frame)) > 0) {
        buf_lit(shown, "[");
        buf_span(shown, frame);
        buf_lit(shown, "]");
    }
    return result;
}

Test(framing, frames)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct drover_protocol protocol = {.framing = rows[i].framing, .frame_max = rows[i].max};
        struct span input = rows[i].input;
        struct buf shown = {0};
        int result = take_all(&protocol, &input, &shown);
        cr_expect_eq(result, rows[i].last, "%s: %d", rows[i].name, result);
        cr_expect(span_eq((struct span){.p = shown.p, .n = shown.len}, span_of(rows[i].frames)),
                  "%s: %.*s", rows[i].name, (int)shown.len, shown.p);
        if (result == 0)
            cr_expect_eq(input.n, rows[i].left, "%s: %zu", rows[i].name, input.n);
        buf_free(&shown);
    }
}

/* Whatever comes first, the same frames come out, and the same end. */
Test(framing, every_split)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct drover_protocol protocol = {.framing = rows[i].framing, .frame_max = rows[i].max};
        for (size_t cut = 0; cut <= rows[i].input.n && rows[i].framing != DROVER_RAW; cut++) {
            struct buf kept = {0}, shown = {0};
            buf_add(&kept, rows[i].input.p, cut);
            struct span input = {.p = kept.p, .n = kept.len};
            int result = take_all(&protocol, &input, &shown);
            if (result == 0) {
                buf_drop(&kept, kept.len - input.n);
                buf_add(&kept, rows[i].input.p + cut, rows[i].input.n - cut);
                input = (struct span){.p = kept.p, .n = kept.len};
                result = take_all(&protocol, &input, &shown);
            }
            cr_expect_eq(result, rows[i].last, "%s, cut at %zu: %d", rows[i].name, cut, result);
            cr_expect(span_eq((struct span){.p = shown.p, .n = shown.len}, span_of(rows[i].frames)),
                      "%s, cut at %zu: %.*s", rows[i].name, cut, (int)shown.len, shown.p);
            buf_free(&kept);
            buf_free(&shown);
        }
    }
}

static const struct {
    enum drover_framing framing;
    size_t said, max;
} maxima[] = {
    {DROVER_LINES, 0, FRAME_MAX_DEFAULT},    {DROVER_LINES, 10, 10},
    {DROVER_LINES, FRAME_MAX, FRAME_MAX},    {DROVER_LINES, FRAME_MAX + 1, FRAME_MAX},
    {DROVER_LINES, SIZE_MAX, FRAME_MAX},     {DROVER_PREFIX_2, 0, 65535},
    {DROVER_PREFIX_2, 65536, 65535},         {DROVER_PREFIX_2, 65534, 65534},
    {DROVER_PREFIX_4, 0, FRAME_MAX_DEFAULT}, {DROVER_PREFIX_4, SIZE_MAX, FRAME_MAX},
};

Test(framing, maximum)
{
    for (size_t i = 0; i < LENGTH(maxima); i++) {
        struct drover_protocol protocol = {.framing = maxima[i].framing,
                                           .frame_max = maxima[i].said};
        cr_expect_eq(framing_max(&protocol), maxima[i].max, "%zu", i);
    }
}

static const struct {
    enum drover_framing framing;
    struct span frame;
    struct span bytes; /* p NULL: it cannot be sent */
} sent[] = {
    {DROVER_RAW, BYTES("a\nb"), BYTES("a\nb")},
    {DROVER_RAW, BYTES(""), BYTES("")},
    {DROVER_RAW, BYTES("longer than that"), BYTES("longer than that")},
    {DROVER_LINES, BYTES(""), BYTES("\n")},
    {DROVER_LINES, BYTES("abc"), BYTES("abc\n")},
    {DROVER_LINES, BYTES("a\rb"), BYTES("a\rb\n")},
    {DROVER_LINES, BYTES("abcde"), BYTES("abcde\n")},
    {DROVER_LINES, BYTES("abcdef"), {0}},
    {DROVER_LINES, BYTES("a\nb"), {0}},
    {DROVER_LINES, BYTES("a\n"), {0}},
    {DROVER_PREFIX_2, BYTES(""), BYTES("\0\0")},
    {DROVER_PREFIX_2, BYTES("a\nb"), BYTES("\0\3a\nb")},
    {DROVER_PREFIX_2, BYTES("abcdef"), {0}},
    {DROVER_PREFIX_4, BYTES(""), BYTES("\0\0\0\0")},
    {DROVER_PREFIX_4, BYTES("abcde"), BYTES("\0\0\0\5abcde")},
    {DROVER_PREFIX_4, BYTES("abcdef"), {0}},
};

/* The longest here has 5 bytes. What is written is taken as the same frame. */
Test(framing, what_is_sent)
{
    for (size_t i = 0; i < LENGTH(sent); i++) {
        struct drover_protocol protocol = {.framing = sent[i].framing, .frame_max = 5};
        struct buf out = {0};
        struct span frame = {0};
        cr_expect_eq(framing_allows(&protocol, sent[i].frame), sent[i].bytes.p != NULL, "%zu", i);
        if (!sent[i].bytes.p)
            continue;
        framing_write(&protocol, &out, sent[i].frame);
        struct span bytes = {.p = out.p, .n = out.len};
        cr_expect(span_eq(bytes, sent[i].bytes), "%zu", i);
        if (bytes.n > 0) {
            cr_expect_eq(framing_take(&protocol, &bytes, &frame), 1, "%zu", i);
            cr_expect(span_eq(frame, sent[i].frame), "%zu", i);
        }
        buf_free(&out);
    }
}

Test(framing, long_lengths_there_and_back)
{
    static const size_t lengths[] = {255, 256, 257, 65534, 65535, 65536, 70000, FRAME_MAX};
    for (size_t i = 0; i < LENGTH(lengths); i++)
        for (int framing = DROVER_LINES; framing <= DROVER_PREFIX_4; framing++) {
            struct drover_protocol protocol = {.framing = (enum drover_framing)framing,
                                               .frame_max = FRAME_MAX};
            char *bytes = calloc(1, lengths[i]);
            struct span frame = {.p = bytes, .n = lengths[i]}, taken = {0};
            struct buf out = {0};
            bool fits = framing != DROVER_PREFIX_2 || lengths[i] <= 65535;
            cr_expect_eq(framing_allows(&protocol, frame), fits);
            if (fits) {
                framing_write(&protocol, &out, frame);
                struct span input = {.p = out.p, .n = out.len};
                cr_expect_eq(framing_take(&protocol, &input, &taken), 1);
                cr_expect(span_eq(taken, frame), "%zu", lengths[i]);
                cr_expect_eq(input.n, 0);
            }
            buf_free(&out);
            free(bytes);
        }
}
