/*
 * HTTP dates. The input is the present, in seconds since the Epoch, a line end, and the date.
 * Verdicts: good, bad.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/date.h"

/* The first second of year 0, and the last of year 9999. */
#define FIRST (-62167219200)
#define LAST  253402300799

/* gmtime(3) knows the calendar, too. The names of days and months are those of every C locale that
 * setlocale(3) was not called in. */
static void check_format(time_t date)
{
    char text[64];
    char want[64];
    struct tm tm;
    time_t clipped = date < FIRST ? FIRST : date > LAST ? LAST : date;
    http_date_format(text, date);
    gmtime_r(&clipped, &tm);
    strftime(want, sizeof want, "%a, %d %b ", &tm);
    snprintf(want + strlen(want), 32, "%04d %02d:%02d:%02d GMT", tm.tm_year + 1900, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    FUZZ_CHECK(strcmp(text, want) == 0, "%lld: \"%s\", not \"%s\"", (long long)date, text, want);
}

static bool parse(struct span text, time_t now, time_t *date)
{
    char *copy = fuzz_copy(text);
    bool good = http_date_parse((struct span){.p = copy, .n = text.n}, now, date);
    free(copy);
    return good;
}

/* A date, printed, is read as itself. A leap second at the end of time is not printed. */
static void check_again(time_t date, time_t now)
{
    char text[HTTP_DATE_LENGTH + 1];
    time_t again = 0;
    http_date_format(text, date);
    FUZZ_CHECK(parse(span_of(text), now, &again), "\"%s\" is refused", text);
    FUZZ_CHECK(again == (date < LAST ? date : LAST), "%lld was printed as %s, read as %lld",
               (long long)date, text, (long long)again);
}

/* No date is the beginning of another. */
static void check_longer(struct span text, time_t now)
{
    struct buf longer = {0};
    time_t date;
    for (const char *c = " 0T"; *c; c++) {
        buf_clear(&longer);
        buf_span(&longer, text);
        buf_add(&longer, c, 1);
        FUZZ_CHECK(!parse(fuzz_bytes(&longer), now, &date), "taken with '%c' behind it", *c);
    }
    buf_free(&longer);
}

/* Only the form with dashes has two digits for the year: at most 50 years from now. */
static void check_year(struct span text, time_t now, time_t date)
{
    const time_t slack = 2 * 86400; /* leap days */
    if (!memchr(text.p, '-', text.n) || now < 0 || now > LAST)
        return;
    FUZZ_CHECK(date <= now + 50 * (time_t)31556952 + slack, "more than 50 years ahead");
    FUZZ_CHECK(date >= now - 50 * (time_t)31556952 - slack, "more than 50 years ago");
}

const char *fuzz_one(struct span input)
{
    time_t date = 4711;
    struct span line = fuzz_line(&input);
    bool before = line.n > 0 && line.p[0] == '-';
    uint64_t seconds = 0;
    span_to_u64((struct span){.p = line.p + before, .n = line.n - before}, &seconds);
    time_t now = (time_t)(seconds & INT64_MAX) * (before ? -1 : 1);
    check_format(now);
    if (!parse(input, now, &date)) {
        FUZZ_CHECK(date == 4711, "refused, but the date was changed");
        return "bad";
    }
    check_format(date);
    check_again(date, now);
    check_longer(input, now);
    check_year(input, now, date);
    return "good";
}
