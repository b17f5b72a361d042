/*
 * scan - how far bytes of one class go, many bytes at a time. Pure; in a header so that it is part
 * of the loop that needs it.
 */
#ifndef DROVER_HTTP_SCAN_H
#define DROVER_HTTP_SCAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a byte may be part of. */
enum {
    SCAN_TOKEN = 1,  /* RFC 9110, 5.6.2 */
    SCAN_TARGET = 2, /* visible, but no '#': a fragment is never sent (RFC 9110, 7.1) */
    SCAN_VALUE = 4,  /* of a field: RFC 9110, 5.5 */
    SCAN_HOST = 8,   /* a reg-name of RFC 3986, 3.2.2, less its escapes and the comma, which looks
                      * like two hosts to whoever joins or splits lists */
    SCAN_VISIBLE = SCAN_TARGET | SCAN_VALUE,
    SCAN_COMMON = SCAN_VISIBLE | SCAN_TOKEN | SCAN_HOST,
};

extern const uint8_t scan_classes[256];

static inline bool scan_is(char byte, unsigned class)
{
    return scan_classes[(unsigned char)byte] & class;
}

/*
 * Eight bytes at a time, as one word with the first byte lowest. A marker sets the high bit of
 * every byte that is not of a class for certain; the table has the last word about the first one.
 */
#define SCAN_EVERY(value) ((uint64_t)(value)*0x0101010101010101U)

/* Marks the bytes below the limit, which is 0x80 at most. A borrow out of a byte comes only from
 * one that is below: the first mark is right, which is all that counts. */
static inline uint64_t scan_mark_below(uint64_t word, uint8_t limit)
{
    return (word - SCAN_EVERY(limit)) & ~word & SCAN_EVERY(0x80);
}

static inline uint64_t scan_mark_value(uint64_t word)
{
    return scan_mark_below(word, ' ') | scan_mark_below(word ^ SCAN_EVERY(0x7f), 1);
}

/* Visible ASCII but '#' is not marked. */
static inline uint64_t scan_mark_target(uint64_t word)
{
    return scan_mark_below(word, '!') | scan_mark_below(word ^ SCAN_EVERY('#'), 1) |
           scan_mark_below(word ^ SCAN_EVERY(0x7f), 1) | (word & SCAN_EVERY(0x80));
}

/* Letters and '-', of which names are made, are not. No sum here goes over the end of its byte. */
static inline uint64_t scan_mark_name(uint64_t word)
{
    uint64_t low = (word | SCAN_EVERY(0x20)) & SCAN_EVERY(0x7f); /* in lower case */
    uint64_t letter = ((low | SCAN_EVERY(0x80)) - SCAN_EVERY('a')) &
                      ~(low + SCAN_EVERY(0x7f - 'z'));
    uint64_t no_dash = ((word ^ SCAN_EVERY('-')) & SCAN_EVERY(0x7f)) + SCAN_EVERY(0x7f);
    return (word | (~letter & no_dash)) & SCAN_EVERY(0x80);
}

#ifdef __SSE2__
/* The same for sixteen bytes, a bit each, the first lowest. */
#define SCAN_EQUAL(bytes, byte) _mm_cmpeq_epi8((bytes), _mm_set1_epi8(byte))
#define SCAN_AT_MOST(bytes, limit) \
    _mm_cmpeq_epi8(_mm_min_epu8((bytes), _mm_set1_epi8(limit)), (bytes))

static inline unsigned scan_mark16_value(__m128i bytes)
{
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(SCAN_AT_MOST(bytes, 0x1f), SCAN_EQUAL(bytes, 0x7f)));
}

static inline unsigned scan_mark16_target(__m128i bytes)
{
    __m128i ascii = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(' ')); /* 0x80 and above are negative */
    __m128i other = _mm_or_si128(SCAN_EQUAL(bytes, '#'), SCAN_EQUAL(bytes, 0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_andnot_si128(other, ascii)) ^ 0xffff;
}

static inline unsigned scan_mark16_name(__m128i bytes)
{
    __m128i low = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    __m128i above_a = _mm_sub_epi8(low, _mm_set1_epi8('a'));
    __m128i letter = SCAN_AT_MOST(above_a, 'z' - 'a');
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, SCAN_EQUAL(bytes, '-'))) ^ 0xffff;
}

#define SCAN_LOAD16(p) _mm_loadu_si128((const __m128i *)(const void *)(p))

/* Goes on from p as far as there are sixteen bytes; leaves the function at one of another class. A
 * branch, not a sum: the next bytes are on their way before these are known. */
#define SCAN_WIDE(kind, class)                               \
    while (end - p >= 16) {                                  \
        unsigned marks = scan_mark16_##kind(SCAN_LOAD16(p)); \
        if (marks == 0) {                                    \
            p += 16;                                         \
            continue;                                        \
        }                                                    \
        p += __builtin_ctz(marks);                           \
        if (!scan_is(*p, class))                             \
            return p;                                        \
        p++;                                                 \
    }
#else
#define SCAN_WIDE(kind, class)
#endif

/* Then eight at a time, and what is left one by one. */
#define SCAN_FUNCTION(name, kind, class)                           \
    static inline const char *name(const char *p, const char *end) \
    {                                                              \
        SCAN_WIDE(kind, class)                                     \
        for (uint64_t word; end - p >= (ptrdiff_t)sizeof word;) {  \
            memcpy(&word, p, sizeof word);                         \
            uint64_t marks = scan_mark_##kind(le64toh(word));      \
            if (marks == 0) {                                      \
                p += sizeof word;                                  \
                continue;                                          \
            }                                                      \
            p += (unsigned)__builtin_ctzll(marks) / 8;             \
            if (!scan_is(*p, class))                               \
                return p;                                          \
            p++;                                                   \
        }                                                          \
        while (p < end && scan_is(*p, class))                      \
            p++;                                                   \
        return p;                                                  \
    }

/* Each returns where the first byte is that is none of its class, or `end`. */
SCAN_FUNCTION(scan_token, name, SCAN_TOKEN)
SCAN_FUNCTION(scan_target, target, SCAN_TARGET)
SCAN_FUNCTION(scan_value, value, SCAN_VALUE)

#endif
