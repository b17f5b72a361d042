#include <criterion/criterion.h>

#include "base/buf.h"
#include "http/range.h"

#define BIG "99999999999999999999999999"
#define MAX UINT64_MAX

static const struct {
    const char *name;
    const char *value;
    uint64_t size;
    int count;
    struct http_range ranges[3];
} rows[] = {
    /* RFC 9110, 14.1.2 */
    {"first 500", "bytes=0-499", 10000, 1, {{0, 500}}},
    {"second 500", "bytes=500-999", 10000, 1, {{500, 500}}},
    {"final 500, from the end", "bytes=-500", 10000, 1, {{9500, 500}}},
    {"final 500, from the start", "bytes=9500-", 10000, 1, {{9500, 500}}},
    {"first and last byte", "bytes=0-0,-1", 10000, 2, {{0, 1}, {9999, 1}}},
    {"first, middle and last 1000",
     "bytes= 0-999, 4500-5499, -1000",
     10000,
     3,
     {{0, 1000}, {4500, 1000}, {9000, 1000}}},
    {"second 500 in two", "bytes=500-600,601-999", 10000, 2, {{500, 101}, {601, 399}}},
    {"overlapping", "bytes=500-700,601-999", 10000, 2, {{500, 201}, {601, 399}}},

    {"one byte", "bytes=5-5", 10, 1, {{5, 1}}},
    {"last byte", "bytes=9-9", 10, 1, {{9, 1}}},
    {"behind the last byte", "bytes=10-10", 10, 0, {{0}}},
    {"open behind the last byte", "bytes=10-", 10, 0, {{0}}},
    {"clipped at the end", "bytes=5-10", 10, 1, {{5, 5}}},
    {"all", "bytes=0-", 10, 1, {{0, 10}}},
    {"all and more", "bytes=0-999", 10, 1, {{0, 10}}},
    {"suffix of all", "bytes=-10", 10, 1, {{0, 10}}},
    {"suffix longer than all", "bytes=-11", 10, 1, {{0, 10}}},
    {"suffix of nothing", "bytes=-0", 10, 0, {{0}}},
    {"satisfiable beside not", "bytes=20-30,-0,3-4", 10, 1, {{3, 2}}},
    {"none of several", "bytes=20-30,-0,10-", 10, 0, {{0}}},
    {"order is kept", "bytes=8-9,0-1", 10, 2, {{8, 2}, {0, 2}}},
    {"leading zeros", "bytes=0000000000000000000000005-06", 10, 1, {{5, 2}}},

    {"unit in capitals", "BYTES=0-0", 10, 1, {{0, 1}}},
    {"empty elements", "bytes=,0-0,, ,1-1,", 10, 2, {{0, 1}, {1, 1}}},
    {"blanks around", "bytes= 0-0\t,\t1-1 ", 10, 2, {{0, 1}, {1, 1}}},

    {"last overflows", "bytes=0-" BIG, 10, 1, {{0, 10}}},
    {"first overflows", "bytes=" BIG "-", 10, 0, {{0}}},
    {"both overflow", "bytes=" BIG "-" BIG, 10, 0, {{0}}},
    {"suffix overflows", "bytes=-" BIG, 10, 1, {{0, 10}}},
    {"2 to the 64th is not 0", "bytes=18446744073709551616-", 10, 0, {{0}}},
    {"largest size", "bytes=0-" BIG, MAX, 1, {{0, MAX}}},
    {"largest size, last byte", "bytes=18446744073709551614-", MAX, 1, {{MAX - 1, 1}}},
    {"largest size, behind it", "bytes=18446744073709551615-", MAX, 0, {{0}}},
    {"largest size, sum overflows", "bytes=0-,0-", MAX, -1, {{0}}},

    {"empty, from the start", "bytes=0-", 0, 0, {{0}}},
    {"empty, first byte", "bytes=0-0", 0, 0, {{0}}},
    {"empty, suffix of nothing", "bytes=-0", 0, 0, {{0}}},
    {"empty, suffix", "bytes=-5", 0, -1, {{0}}},

    {"as long as all", "bytes=0-4,5-9", 10, 2, {{0, 5}, {5, 5}}},
    {"longer than all", "bytes=0-4,4-9", 10, -1, {{0}}},
    {"all twice", "bytes=0-,0-", 10, -1, {{0}}},

    {"nothing", "", 10, -1, {{0}}},
    {"unit alone", "bytes", 10, -1, {{0}}},
    {"no range", "bytes=", 10, -1, {{0}}},
    {"commas alone", "bytes=, ,", 10, -1, {{0}}},
    {"other unit", "lines=0-4", 10, -1, {{0}}},
    {"unit one letter longer", "bytess=0-4", 10, -1, {{0}}},
    {"blank before =", "bytes =0-4", 10, -1, {{0}}},
    {"no =", "bytes 0-4", 10, -1, {{0}}},
    {"last before first", "bytes=5-4", 10, -1, {{0}}},
    {"last before first, behind the end", "bytes=25-24", 10, -1, {{0}}},
    {"one bad of several", "bytes=0-0,5-4", 10, -1, {{0}}},
    {"number alone", "bytes=5", 10, -1, {{0}}},
    {"minus alone", "bytes=-", 10, -1, {{0}}},
    {"two minuses", "bytes=--5", 10, -1, {{0}}},
    {"three numbers", "bytes=1-2-3", 10, -1, {{0}}},
    {"blank in a range", "bytes=1 -2", 10, -1, {{0}}},
    {"blank behind the minus", "bytes=1- 2", 10, -1, {{0}}},
    {"plus", "bytes=+1-2", 10, -1, {{0}}},
    {"hex", "bytes=0x1-2", 10, -1, {{0}}},
    {"letters", "bytes=a-b", 10, -1, {{0}}},
    {"letter behind", "bytes=1-2x", 10, -1, {{0}}},
    {"semicolon", "bytes=1-2;3-4", 10, -1, {{0}}},
    {"quoted", "bytes=\"1-2\"", 10, -1, {{0}}},
};

Test(range, table)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_range ranges[HTTP_RANGES_MAX];
        int count = http_ranges(span_of(rows[i].value), rows[i].size, ranges);
        cr_expect_eq(count, rows[i].count, "%s: %d", rows[i].name, count);
        for (int k = 0; k < count && k < 3; k++) {
            cr_expect_eq(ranges[k].first, rows[i].ranges[k].first, "%s: first of %d", rows[i].name,
                         k);
            cr_expect_eq(ranges[k].length, rows[i].ranges[k].length, "%s: length of %d",
                         rows[i].name, k);
        }
    }
}

static int count_of(int specs, const char *spec)
{
    struct http_range ranges[HTTP_RANGES_MAX];
    struct buf b = {0};
    buf_lit(&b, "bytes=");
    for (int i = 0; i < specs; i++) {
        buf_str(&b, spec);
        buf_lit(&b, ",");
    }
    int count = http_ranges((struct span){b.p, b.len}, 1000, ranges);
    buf_free(&b);
    return count;
}

Test(range, number_at_its_limit)
{
    cr_expect_eq(count_of(HTTP_RANGES_MAX, "0-0"), HTTP_RANGES_MAX);
    cr_expect_eq(count_of(HTTP_RANGES_MAX + 1, "0-0"), -1);
    cr_expect_eq(count_of(HTTP_RANGES_MAX, "2000-"), 0);
    cr_expect_eq(count_of(HTTP_RANGES_MAX + 1, "2000-"), -1, "unsatisfiable ones count too");
}
