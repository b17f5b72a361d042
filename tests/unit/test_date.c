#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/date.h"

#define NOW 1767225600 /* Thu, 01 Jan 2026 00:00:00 GMT */

static const struct {
    const char *text;
    time_t date;
} pairs[] = {
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
    {"Wed, 01 Mar 2000 00:00:00 GMT", 951868800},
    {"Sun, 31 Dec 2000 23:59:59 GMT", 978307199},
    {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
    {"Thu, 01 Jan 2026 00:00:00 GMT", NOW},
    {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
    {"Mon, 01 Mar 2100 00:00:00 GMT", 4107542400},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200},
    {"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800},
};

Test(date, format_and_parse)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char out[HTTP_DATE_LENGTH + 1];
        time_t date = 4711;
        http_date_format(out, pairs[i].date);
        cr_expect_str_eq(out, pairs[i].text, "%s, not %s", pairs[i].text, out);
        cr_expect(http_date_parse(span_of(pairs[i].text), NOW, &date), "%s", pairs[i].text);
        cr_expect_eq(date, pairs[i].date, "%s: %lld", pairs[i].text, (long long)date);
    }
}

Test(date, years_outside_are_clipped)
{
    static const struct {
        time_t date;
        const char *text;
    } rows[] = {
        {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {LONG_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-62167219201, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {LONG_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[HTTP_DATE_LENGTH + 1];
        http_date_format(out, rows[i].date);
        cr_expect_str_eq(out, rows[i].text, "%lld: %s", (long long)rows[i].date, out);
    }
}

/* The C library's calendar is the judge, over all years, by steps that meet every time of day. */
Test(date, agrees_with_gmtime)
{
    for (time_t date = -62167219200; date < 253402300800; date += 86400 * 29 + 7919) {
        char want[40];
        char out[HTTP_DATE_LENGTH + 1];
        struct tm tm;
        time_t back = 0;
        gmtime_r(&date, &tm);
        strftime(want, sizeof want, "%a, %d %b ", &tm);
        size_t n = strlen(want);
        snprintf(want + n, sizeof want - n, "%04d ", (tm.tm_year + 1900) % 10000);
        strftime(want + n + 5, sizeof want - n - 5, "%H:%M:%S GMT", &tm);
        http_date_format(out, date);
        cr_assert_str_eq(out, want, "%lld: %s, not %s", (long long)date, out, want);
        cr_assert(http_date_parse(span_of(out), NOW, &back), "%s", out);
        cr_assert_eq(back, date, "%s: %lld", out, (long long)back);
    }
}

Test(date, neither_locale_nor_time_zone_matters)
{
    char out[HTTP_DATE_LENGTH + 1];
    time_t date;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    http_date_format(out, 784111777);
    cr_expect_str_eq(out, "Sun, 06 Nov 1994 08:49:37 GMT");
    cr_expect(http_date_parse(span_of(out), NOW, &date));
    cr_expect_eq(date, 784111777);
}

static const struct {
    const char *name;
    const char *text;
    time_t date;
} obsolete[] = {
    {"RFC 850", "Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"RFC 850, longest day", "Wednesday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"RFC 850, this century", "Thursday, 01-Jan-26 00:00:00 GMT", NOW},
    {"RFC 850, 50 years on", "Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400},
    {"RFC 850, 50 years and a second on", "Wednesday, 01-Jan-76 00:00:01 GMT", 189302401},
    {"RFC 850, year 00", "Saturday, 01-Jan-00 00:00:00 GMT", 946684800},
    {"RFC 850, year 99", "Friday, 01-Jan-99 00:00:00 GMT", 915148800},
    {"asctime", "Sun Nov  6 08:49:37 1994", 784111777},
    {"asctime, day of two digits", "Wed Nov 16 08:49:37 1994", 784975777},
    {"asctime, day with a zero", "Sun Nov 06 08:49:37 1994", 784111777},
    {"leap second", "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    {"wrong name of the day", "Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
};

Test(date, parse_obsolete)
{
    for (size_t i = 0; i < sizeof obsolete / sizeof *obsolete; i++) {
        time_t date = 4711;
        cr_expect(http_date_parse(span_of(obsolete[i].text), NOW, &date), "%s", obsolete[i].name);
        cr_expect_eq(date, obsolete[i].date, "%s: %lld", obsolete[i].name, (long long)date);
    }
}

/* At the turn of a century, two digits may be of the one after. */
Test(date, two_digits_in_1999)
{
    time_t date;
    time_t now = 946684799; /* 31 Dec 1999 23:59:59 */
    cr_expect(http_date_parse(SPAN("Saturday, 01-Jan-05 00:00:00 GMT"), now, &date));
    cr_expect_eq(date, 1104537600, "2005, not 1905");
    cr_expect(http_date_parse(SPAN("Saturday, 01-Jan-94 00:00:00 GMT"), now, &date));
    cr_expect_eq(date, 757382400, "1994");
}

Test(date, two_digits_at_the_ends_of_time)
{
    time_t date;
    cr_expect(http_date_parse(SPAN("Saturday, 01-Jan-05 00:00:00 GMT"), LONG_MIN, &date));
    cr_expect(http_date_parse(SPAN("Saturday, 01-Jan-05 00:00:00 GMT"), LONG_MAX, &date));
}

static const struct {
    const char *name;
    const char *text;
} bad[] = {
    {"empty", ""},
    {"a word", "yesterday"},
    {"a number", "784111777"},
    {"day of another tongue", "Son, 06 Nov 1994 08:49:37 GMT"},
    {"day in capitals", "SUN, 06 Nov 1994 08:49:37 GMT"},
    {"month in capitals", "Sun, 06 NOV 1994 08:49:37 GMT"},
    {"long day", "Sunday, 06 Nov 1994 08:49:37 GMT"},
    {"short day of RFC 850", "Sun, 06-Nov-94 08:49:37 GMT"},
    {"no day", "06 Nov 1994 08:49:37 GMT"},
    {"no comma", "Sun 06 Nov 1994 08:49:37 GMT"},
    {"other zone", "Sun, 06 Nov 1994 08:49:37 CET"},
    {"UTC", "Sun, 06 Nov 1994 08:49:37 UTC"},
    {"zone by number", "Sun, 06 Nov 1994 08:49:37 +0000"},
    {"no zone", "Sun, 06 Nov 1994 08:49:37"},
    {"cut", "Sun, 06 Nov 1994 08:49:37 GM"},
    {"more behind", "Sun, 06 Nov 1994 08:49:37 GMT; length=5"},
    {"blank behind", "Sun, 06 Nov 1994 08:49:37 GMT "},
    {"day of one digit", "Sun, 6 Nov 1994 08:49:37 GMT"},
    {"day 0", "Sun, 00 Nov 1994 08:49:37 GMT"},
    {"day 31 of 30", "Sun, 31 Nov 1994 08:49:37 GMT"},
    {"day 32", "Sun, 32 Dec 1994 08:49:37 GMT"},
    {"29 February of 1994", "Sun, 29 Feb 1994 08:49:37 GMT"},
    {"29 February of 1900", "Sun, 29 Feb 1900 08:49:37 GMT"},
    {"29 February of 2100", "Sun, 29 Feb 2100 08:49:37 GMT"},
    {"30 February of 2000", "Sun, 30 Feb 2000 08:49:37 GMT"},
    {"29 February of '23", "Sunday, 29-Feb-23 08:49:37 GMT"},
    {"hour 24", "Sun, 06 Nov 1994 24:00:00 GMT"},
    {"minute 60", "Sun, 06 Nov 1994 08:60:37 GMT"},
    {"second 61", "Sun, 06 Nov 1994 08:49:61 GMT"},
    {"hour of a sign", "Sun, 06 Nov 1994 -1:49:37 GMT"},
    {"year of two digits", "Sun, 06 Nov 94 08:49:37 GMT"},
    {"year of five digits", "Sun, 06 Nov 11994 08:49:37 GMT"},
    {"asctime with a zone", "Sun Nov  6 08:49:37 1994 GMT"},
    {"asctime, day of one digit", "Sun Nov 6 08:49:37 1994"},
    {"asctime, two digits behind the blank", "Sun Nov  16 08:49:37 1994"},
    {"ISO 8601", "1994-11-06T08:49:37Z"},
};

Test(date, parse_bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        time_t date = 4711;
        cr_expect_not(http_date_parse(span_of(bad[i].text), NOW, &date), "%s", bad[i].name);
        cr_expect_eq(date, 4711, "%s: left alone", bad[i].name);
    }
}

Test(date, every_cut_is_refused)
{
    static const char *const forms[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        for (size_t n = 0; n < strlen(forms[i]); n++) {
            time_t date;
            char *cut = strndup(forms[i], n); /* on the heap for the sanitizer */
            cr_assert_not_null(cut);
            cr_expect_not(http_date_parse((struct span){cut, n}, NOW, &date), "%s", cut);
            free(cut);
        }
    }
}
