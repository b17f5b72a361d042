#include "status/units.h"

#include <stdio.h>
#include <time.h>

#include "base/utf8.h"

#define DAY_MS INT64_C(86400000)

/* Three digits, from 1.00 to 999. */
static const char *put(char text[UNITS_SIZE], double n, const char *unit)
{
    int decimals = n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
    snprintf(text, UNITS_SIZE, "%.*f%s", decimals, n, unit);
    return text;
}

static const char *scaled(char text[UNITS_SIZE], double n, const char *const units[], int count)
{
    int i = 0;
    while (i + 1 < count && n >= 999.5) {
        n /= 1000;
        i++;
    }
    return put(text, n, units[i]);
}

const char *units_count(char text[UNITS_SIZE], double n)
{
    static const char *const units[] = {"M", "G", "T", "P", "E"};
    if (n >= 999999.5)
        return scaled(text, n / 1e6, units, 5);
    snprintf(text, UNITS_SIZE, "%.0f", n);
    return text;
}

const char *units_bytes(char text[UNITS_SIZE], double n)
{
    static const char *const units[] = {" kB", " MB", " GB", " TB", " PB", " EB"};
    if (n >= 999.5)
        return scaled(text, n / 1000, units, 6);
    snprintf(text, UNITS_SIZE, "%.0f B", n);
    return text;
}

const char *units_time(char text[UNITS_SIZE], double us)
{
    static const char *const units[] = {" ms", " s"};
    if (us >= 999.5)
        return us >= 999.5e6 ? put(text, us / 1e6, " s") : scaled(text, us / 1000, units, 2);
    snprintf(text, UNITS_SIZE, "%.0f us", us);
    return text;
}

const char *units_age(char text[UNITS_SIZE], int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{DAY_MS, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    if (ms < 10000) {
        snprintf(text, UNITS_SIZE, "%.1f s", (double)(ms < 0 ? 0 : ms) / 1000);
        return text;
    }
    size_t i = 0;
    while (ms < units[i].ms)
        i++;
    int n = snprintf(text, UNITS_SIZE, "%lld %s", (long long)(ms / units[i].ms), units[i].name);
    if (i + 1 < sizeof units / sizeof *units)
        snprintf(text + n, UNITS_SIZE - (size_t)n, " %lld %s",
                 (long long)(ms % units[i].ms / units[i + 1].ms), units[i + 1].name);
    return text;
}

const char *units_date(char text[UNITS_SIZE], int64_t date, int64_t now)
{
    time_t t = (time_t)(date / 1000);
    struct tm tm;
    bool is_near = date <= now + DAY_MS / 2 && now - date < DAY_MS / 2;
    if (!localtime_r(&t, &tm) ||
        strftime(text, UNITS_SIZE, is_near ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(text, UNITS_SIZE, "-");
    return text;
}

/* ------------------------------------------------------------------------------------- texts */

/* Bytes of so many characters. */
static size_t cut_at(const char *text, size_t n, int columns)
{
    size_t at = 0;
    for (int i = 0; i < columns && at < n; i++) {
        size_t length = utf8_shown(text + at, n - at);
        at += length ? length : 1;
    }
    return at;
}

void units_safe(struct buf *to, const char *text, int columns)
{
    size_t n = strlen(text);
    bool is_cut = columns > 3 && cut_at(text, n, columns) < n;
    size_t end = is_cut ? cut_at(text, n, columns - 3) : n;
    for (size_t at = 0; at < end;) {
        size_t length = utf8_shown(text + at, n - at);
        if (length)
            buf_add(to, text + at, length);
        else
            buf_lit(to, "?");
        at += length ? length : 1;
    }
    if (is_cut)
        buf_lit(to, "...");
}
