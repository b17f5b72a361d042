#include "http/scan.h"

#include <stdlib.h>

#include "support.h"

#define LINE_MAX_BYTES 41
#define OFFSETS        16

typedef const char *scan_fn(const char *p, const char *end);

static const struct {
    const char *name;
    scan_fn *scan;
    unsigned class;
} scans[] = {{"token", scan_token, SCAN_TOKEN},
             {"target", scan_target, SCAN_TARGET},
             {"value", scan_value, SCAN_VALUE}};

/* What each is meant to be: byte by byte, from the table. */
static const char *plain(const char *p, const char *end, unsigned class)
{
    while (p < end && scan_classes[(unsigned char)*p] & class)
        p++;
    return p;
}

static void compare(size_t i, const char *p, const char *end, const char *what)
{
    const char *got = scans[i].scan(p, end);
    const char *wanted = plain(p, end, scans[i].class);
    cr_assert_eq(got, wanted, "%s, %s: %td instead of %td of %td bytes", scans[i].name, what,
                 got - p, wanted - p, end - p);
}

/* The table itself, as the RFCs have it. */
Test(scan, classes)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char host[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"
                               "!$&'()*+;=";
    for (int byte = 0; byte < 256; byte++) {
        bool is_token = byte && strchr(token, byte);
        bool is_host = byte && strchr(host, byte);
        bool is_target = byte > ' ' && byte < 0x7f && byte != '#';
        bool is_value = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        cr_expect_eq(scan_is((char)byte, SCAN_TOKEN), is_token, "token %02x", (unsigned)byte);
        cr_expect_eq(scan_is((char)byte, SCAN_TARGET), is_target, "target %02x", (unsigned)byte);
        cr_expect_eq(scan_is((char)byte, SCAN_VALUE), is_value, "value %02x", (unsigned)byte);
        cr_expect_eq(scan_is((char)byte, SCAN_HOST), is_host, "host %02x", (unsigned)byte);
    }
}

/* The line stands alone on the heap, so that a sanitizer sees a read behind it. */
Test(scan, every_byte_at_every_offset)
{
    for (size_t length = 0; length <= LINE_MAX_BYTES; length++) {
        char *line = malloc(length ? length : 1);
        cr_assert_not_null(line);
        for (size_t at = 0; at < length; at++)
            for (int byte = 0; byte < 256; byte++) {
                memset(line, 'a', length);
                line[at] = (char)byte;
                for (size_t i = 0; i < LENGTH(scans); i++)
                    compare(i, line, line + length, "one byte");
            }
        free(line);
    }
}

/* The second is where the marks of the first could be wrong: a borrow, a carry. */
Test(scan, every_two_bytes)
{
    char line[2 * OFFSETS + 8];
    for (size_t at = 0; at < OFFSETS; at++)
        for (int first = 0; first < 256; first++)
            for (int second = 0; second < 256; second++) {
                memset(line, 'a', sizeof line);
                line[at] = (char)first;
                line[at + 1] = (char)second;
                for (size_t i = 0; i < LENGTH(scans); i++)
                    compare(i, line, line + sizeof line, "two bytes");
            }
}

Test(scan, bytes_by_chance)
{
    unsigned seed = 1;
    char line[200];
    for (int round = 0; round < 20000; round++) {
        unsigned bad = next_random(&seed) % 64; /* as many of 256 may be any byte */
        size_t from = next_random(&seed) % OFFSETS;
        size_t length = from + next_random(&seed) % (sizeof line - from);
        for (size_t i = 0; i < length; i++)
            line[i] = next_random(&seed) % 256 < bad ? (char)next_random(&seed)
                                                     : (char)('a' + next_random(&seed) % 26);
        for (size_t i = 0; i < LENGTH(scans); i++)
            compare(i, line + from, line + length, "by chance");
    }
}

/* Nothing behind the end counts. */
Test(scan, the_end)
{
    char line[64];
    for (size_t length = 0; length < sizeof line; length++) {
        memset(line, 'a', sizeof line);
        for (size_t i = 0; i < LENGTH(scans); i++) {
            cr_expect_eq(scans[i].scan(line, line + length), line + length, "%zu", length);
            line[length] = '\n';
            cr_expect_eq(scans[i].scan(line, line + length), line + length, "%zu", length);
        }
    }
}

/* Eight at a time by themselves, where sixteen at a time find most. */
Test(scan, the_marks_of_a_word)
{
    static const struct {
        uint64_t (*mark)(uint64_t word);
        unsigned class;
        const char *name;
        bool is_exact; /* else what is marked is looked up */
    } marks[] = {{scan_mark_value, SCAN_VALUE, "value", false},
                 {scan_mark_target, SCAN_TARGET, "target", true},
                 {scan_mark_name, SCAN_TOKEN, "name", false}};
    for (size_t i = 0; i < LENGTH(marks); i++)
        for (unsigned at = 0; at < 8; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                uint64_t word = SCAN_EVERY('a');
                word = (word & ~((uint64_t)0xff << 8 * at)) | (uint64_t)byte << 8 * at;
                uint64_t found = marks[i].mark(word);
                bool is_of_it = scan_is((char)byte, marks[i].class);
                unsigned first = found ? (unsigned)__builtin_ctzll(found) / 8 : 8;
                if (!is_of_it || (found && !marks[i].is_exact))
                    cr_assert_eq(first, at, "%s %02x at %u: %u", marks[i].name, byte, at, first);
                else
                    cr_assert_eq(found, 0, "%s %02x at %u", marks[i].name, byte, at);
            }
}
