#include "http/date.h"

#include <stdint.h>
#include <string.h>

/* Days from 1 January 0 to 1 January 1970, in the Gregorian calendar throughout. */
#define DAYS_TO_EPOCH 719528

#define DAY_SECONDS 86400
#define YEAR_MAX    9999

/* A date as people write it: month 0 to 11, day 1 to 31. */
struct civil {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int weekday; /* 0 is Sunday */
    bool short_year;
};

static const char *const weekdays[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};

static const char *const months[] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* The forms of RFC 9110, 5.6.7, in the letters of strftime(3), which itself would ask the locale.
 */
static const char imf_fixdate[] = "%a, %d %b %Y %H:%M:%S GMT";
static const char rfc850_date[] = "%A, %d-%b-%y %H:%M:%S GMT";
static const char asctime_date[] = "%a %b %e %H:%M:%S %Y";

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month] + (month == 1 && is_leap(year));
}

/* Days from 1 January 0 to that of the year. */
static int year_start(int year)
{
    return year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

static time_t civil_to_time(const struct civil *c)
{
    time_t days = year_start(c->year) + c->day - 1 - DAYS_TO_EPOCH;
    for (int month = 0; month < c->month; month++)
        days += month_days(c->year, month);
    return days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
}

static time_t clip(time_t date)
{
    const time_t first = (time_t)-DAYS_TO_EPOCH * DAY_SECONDS;
    const time_t end = (time_t)(year_start(YEAR_MAX + 1) - DAYS_TO_EPOCH) * DAY_SECONDS;
    if (date < first)
        return first;
    return date < end ? date : end - 1;
}

/* Of a date within the years 0 to YEAR_MAX. */
static struct civil civil_of(time_t date)
{
    int64_t seconds = (int64_t)date + (int64_t)DAYS_TO_EPOCH * DAY_SECONDS;
    int days = (int)(seconds / DAY_SECONDS);
    int rest = (int)(seconds % DAY_SECONDS);
    struct civil c = {
        .year = days / 366, /* not too late; the loop goes on from there */
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (days + 6) % 7, /* 1 January 0 was a Saturday */
    };
    while (year_start(c.year + 1) <= days)
        c.year++;
    days -= year_start(c.year);
    for (; days >= month_days(c.year, c.month); c.month++)
        days -= month_days(c.year, c.month);
    c.day = days + 1;
    return c;
}

static char *put_number(char *to, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + digits;
}

static char *put_part(char *to, char what, const struct civil *c)
{
    switch (what) {
    case 'a': return mempcpy(to, weekdays[c->weekday], 3);
    case 'b': return mempcpy(to, months[c->month], 3);
    case 'd': return put_number(to, c->day, 2);
    case 'Y': return put_number(to, c->year, 4);
    case 'H': return put_number(to, c->hour, 2);
    case 'M': return put_number(to, c->minute, 2);
    default: return put_number(to, c->second, 2);
    }
}

void http_date_format(char out[HTTP_DATE_LENGTH + 1], time_t date)
{
    struct civil c = civil_of(clip(date));
    for (const char *form = imf_fixdate; *form; form++) {
        if (*form == '%')
            out = put_part(out, *++form, &c);
        else
            *out++ = *form;
    }
    *out = '\0';
}

static void drop(struct span *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

/* Exactly so many digits. */
static bool take_number(struct span *s, size_t digits, int *value)
{
    if (s->n < digits)
        return false;
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    drop(s, digits);
    return true;
}

/* The first `length` bytes of one of the names, or all of it. */
static bool take_name(struct span *s, const char *const *names, int count, size_t length,
                      int *index)
{
    for (int i = 0; i < count; i++) {
        struct span name = {.p = names[i], .n = strnlen(names[i], length)};
        if (s->n < name.n || !span_eq(name, (struct span){.p = s->p, .n = name.n}))
            continue;
        drop(s, name.n);
        *index = i;
        return true;
    }
    return false;
}

static bool take_byte(struct span *s, char byte)
{
    if (s->n == 0 || *s->p != byte)
        return false;
    drop(s, 1);
    return true;
}

static bool take_part(struct span *s, char what, struct civil *c)
{
    switch (what) {
    case 'a': return take_name(s, weekdays, 7, 3, &c->weekday);
    case 'A': return take_name(s, weekdays, 7, sizeof "Wednesday", &c->weekday);
    case 'b': return take_name(s, months, 12, 3, &c->month);
    case 'd': return take_number(s, 2, &c->day);
    case 'e': return take_number(s, take_byte(s, ' ') ? 1 : 2, &c->day);
    case 'Y': return take_number(s, 4, &c->year);
    case 'y': c->short_year = true; return take_number(s, 2, &c->year);
    case 'H': return take_number(s, 2, &c->hour);
    case 'M': return take_number(s, 2, &c->minute);
    default: return take_number(s, 2, &c->second);
    }
}

static bool take_form(struct span s, const char *form, struct civil *c)
{
    *c = (struct civil){0};
    for (; *form; form++) {
        bool taken = *form == '%' ? take_part(&s, *++form, c) : take_byte(&s, *form);
        if (!taken)
            return false;
    }
    return s.n == 0;
}

/* The latest year with these two digits that is not more than 50 years after `now`. */
static void complete_year(struct civil *c, time_t now)
{
    time_t present = clip(now);
    int century = civil_of(present).year / 100 * 100;
    struct civil before = *c; /* 50 years before c */
    for (c->year += century + 100;; c->year -= 100) {
        before.year = c->year - 50;
        if (before.year < 50 || civil_to_time(&before) <= present)
            return;
    }
}

bool http_date_parse(struct span s, time_t now, time_t *date)
{
    struct civil c;
    if (!take_form(s, imf_fixdate, &c) && !take_form(s, rfc850_date, &c) &&
        !take_form(s, asctime_date, &c))
        return false;
    if (c.short_year)
        complete_year(&c, now);
    if (c.day < 1 || c.day > month_days(c.year, c.month))
        return false;
    if (c.hour > 23 || c.minute > 59 || c.second > 60) /* 60: a leap second */
        return false;
    *date = civil_to_time(&c);
    return true;
}
