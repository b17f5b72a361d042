#include <criterion/criterion.h>

#include "base/span.h"

Test(span, of)
{
    cr_expect_eq(span_of(NULL).n, 0);
    cr_expect_eq(span_of("").n, 0);
    cr_expect_eq(span_of("abc").n, 3);
    cr_expect(span_eq(span_of("abc"), SPAN("abc")));
}

static const struct {
    const char *name;
    const char *a;
    const char *b;
    bool same;
    bool same_nocase;
} pairs[] = {
    {"both empty", "", "", true, true},
    {"empty and NULL", "", NULL, true, true},
    {"same", "Host", "Host", true, true},
    {"other case", "HOST", "hosT", false, true},
    {"a prefix", "Hos", "Host", false, false},
    {"other letter", "Hose", "Host", false, false},
    {"@ and ` differ by the case bit alone", "@", "`", false, false},
    {"[ and { differ by the case bit alone", "[", "{", false, false},
    {"no case outside ASCII", "\xc4", "\xe4", false, false},
};

Test(span, eq)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct span a = span_of(pairs[i].a);
        struct span b = span_of(pairs[i].b);
        cr_expect_eq(span_eq(a, b), pairs[i].same, "%s", pairs[i].name);
        cr_expect_eq(span_eq(b, a), pairs[i].same, "%s, swapped", pairs[i].name);
        cr_expect_eq(span_eq_nocase(a, b), pairs[i].same_nocase, "%s, no case", pairs[i].name);
    }
}

static const struct {
    const char *name;
    const char *in;
    const char *out;
} trims[] = {
    {"empty", "", ""},
    {"nothing to trim", "a b", "a b"},
    {"both ends", " \ta\t b\t ", "a\t b"},
    {"blanks alone", " \t ", ""},
    {"no other white space", "\r a\n", "\r a\n"},
};

Test(span, trim)
{
    for (size_t i = 0; i < sizeof trims / sizeof *trims; i++)
        cr_expect(span_eq(span_trim(span_of(trims[i].in)), span_of(trims[i].out)), "%s",
                  trims[i].name);
}

static const struct {
    const char *name;
    const char *list;
    const char *elements; /* joined by '|' */
} lists[] = {
    {"empty", "", ""},
    {"one", "a", "a"},
    {"two", "a,b", "a|b"},
    {"blanks around", " a , b\t,\tc ", "a|b|c"},
    {"empty elements", ",, a,, ,b,", "a|b"},
    {"commas alone", " , ,", ""},
    {"quoted comma", "\"a,b\", c", "\"a,b\"|c"},
    {"escaped quote", "\"a\\\",b\", c", "\"a\\\",b\"|c"},
    {"open quote", "\"a,b", "\"a,b"},
    {"backslash at the end", "\"a\\", "\"a\\"},
    {"parameters stay", "a;q=1, b", "a;q=1|b"},
};

Test(span, next_element)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct span list = span_of(lists[i].list);
        struct span element;
        char joined[64] = "";
        size_t n = 0;
        while (span_next_element(&list, &element)) {
            if (n > 0)
                joined[n++] = '|';
            for (size_t k = 0; k < element.n; k++)
                joined[n++] = element.p[k];
        }
        joined[n] = '\0';
        cr_expect_str_eq(joined, lists[i].elements, "%s: %s", lists[i].name, joined);
        cr_expect_eq(list.n, 0, "%s: nothing is left", lists[i].name);
    }
}

static const struct {
    const char *name;
    const char *in;
    bool good;
    uint64_t value;
} numbers[] = {
    {"zero", "0", true, 0},
    {"leading zeros", "0005", true, 5},
    {"largest", "18446744073709551615", true, UINT64_MAX},
    {"largest and one", "18446744073709551616", false, 0},
    {"a digit more", "184467440737095516150", false, 0},
    {"far too long", "99999999999999999999999999999999999999", false, 0},
    {"empty", "", false, 0},
    {"plus", "+1", false, 0},
    {"minus", "-1", false, 0},
    {"blank before", " 1", false, 0},
    {"blank behind", "1 ", false, 0},
    {"hex", "0x1", false, 0},
    {"a letter behind", "1a", false, 0},
    {"below 0", "1/", false, 0},
    {"above 9", "1:", false, 0},
};

Test(span, to_u64)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint64_t value = 4711;
        bool good = span_to_u64(span_of(numbers[i].in), &value);
        cr_expect_eq(good, numbers[i].good, "%s", numbers[i].name);
        cr_expect_eq(value, good ? numbers[i].value : 4711, "%s: value", numbers[i].name);
    }
}
