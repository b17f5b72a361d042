#include "status/units.h"

#include "support.h"

typedef const char *unit_fn(char text[UNITS_SIZE], double n);

Test(units, counts_bytes_and_times)
{
    static const struct {
        unit_fn *fn;
        double n;
        const char *wanted;
    } rows[] = {
        {units_count, 0, "0"},
        {units_count, 999999, "999999"},
        {units_count, 999999.6, "1.00M"},
        {units_count, 12345678, "12.3M"},
        {units_count, 999.6e6, "1.00G"},
        {units_count, 18446744073709551615.0, "18.4E"},
        {units_bytes, 0, "0 B"},
        {units_bytes, 999, "999 B"},
        {units_bytes, 1000, "1.00 kB"},
        {units_bytes, 12.4e6, "12.4 MB"},
        {units_bytes, 18446744073709551615.0, "18.4 EB"},
        {units_time, 0, "0 us"},
        {units_time, 57.4, "57 us"},
        {units_time, 999.6, "1.00 ms"},
        {units_time, 3900, "3.90 ms"},
        {units_time, 1.2e6, "1.20 s"},
        {units_time, 117e6, "117 s"},
        {units_time, 1e9, "1000 s"},
    };
    char text[UNITS_SIZE];
    for (size_t i = 0; i < LENGTH(rows); i++)
        cr_expect_str_eq(rows[i].fn(text, rows[i].n), rows[i].wanted, "%s: %s", rows[i].wanted,
                         text);
}

Test(units, ages_have_two_units)
{
    static const struct {
        int64_t ms;
        const char *wanted;
    } rows[] = {
        {-5, "0.0 s"},          {400, "0.4 s"},
        {9999, "10.0 s"},       {12000, "12 s"},
        {182000, "3 min 2 s"},  {15120000, "4 h 12 min"},
        {273600000, "3 d 4 h"}, {INT64_MAX, "106751991167 d 7 h"},
    };
    char text[UNITS_SIZE];
    for (size_t i = 0; i < LENGTH(rows); i++)
        cr_expect_str_eq(units_age(text, rows[i].ms), rows[i].wanted, "%s: %s", rows[i].wanted,
                         text);
}

Test(units, dates_of_long_ago_have_their_day)
{
    char text[UNITS_SIZE];
    setenv("TZ", "UTC", 1);
    const int64_t noon = INT64_C(1769860800000); /* 2026-01-31 12:00:00 */
    cr_expect_str_eq(units_date(text, noon + 1999, noon + 5000), "12:00:01");
    cr_expect_str_eq(units_date(text, noon, noon + 86400000), "2026-01-31 12:00");
    cr_expect_str_eq(units_date(text, noon + 86400000, noon), "2026-02-01 12:00");
}

Test(units, texts_are_what_a_terminal_may_have)
{
    static const struct {
        const char *name, *text;
        int columns;
        const char *wanted;
    } rows[] = {
        {"plain", "/srv/www", 0, "/srv/www"},
        {"controls", "a\x1b[31mb\n\x7f", 0, "a?[31mb??"},
        {"C1 controls",
         "a\xc2\x9b"
         "b",
         0, "a??b"},
        {"no UTF-8",
         "a\xff"
         "b",
         0, "a?b"},
        {"what turns a line around", "a\u202eb\u2066c\u061cd", 0, "a???b???c??d"},
        {"what cannot be seen", "\u200b\u2028\u2060\ufeff", 0, "????????????"},
        {"the characters beside these", "\u200a\u2010\u2027\u202f\u205f\u2070\ufefe\uff00", 0,
         "\u200a\u2010\u2027\u202f\u205f\u2070\ufefe\uff00"},
        {"UTF-8", "\xc3\xa9\xe2\x82\xac", 0, "\xc3\xa9\xe2\x82\xac"},
        {"as long", "12345678", 8, "12345678"},
        {"longer", "123456789", 8, "12345..."},
        {"characters count, not bytes", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4,
         "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"},
        {"and are not cut in two", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "\xc3\xa9..."},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf to = {0};
        units_safe(&to, rows[i].text, rows[i].columns);
        buf_add(&to, "", 1);
        cr_expect_str_eq(to.p, rows[i].wanted, "%s: %s", rows[i].name, to.p);
        buf_free(&to);
    }
}
