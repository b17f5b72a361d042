#include "cli/top_words.h"

#include <math.h>
#include <stdio.h>

/* Three digits that tell something; the bounds are where the last one would be rounded up to a
 * fourth. */
static void three_digits(double value, const char *unit, char text[WORDS_SIZE])
{
    int behind = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, WORDS_SIZE, "%.*f%s", behind, value, unit);
}

static void unknown(char text[WORDS_SIZE])
{
    snprintf(text, WORDS_SIZE, "-");
}

void words_rate(double value, char text[WORDS_SIZE])
{
    static const char *const units[] = {"k", "M", "G", "T", "P", "E"};
    size_t unit = 0;
    if (isnan(value)) {
        unknown(text);
        return;
    }
    if (value < 999.5) {
        snprintf(text, WORDS_SIZE, "%.*f", value >= 0.05 && value < 9.95, value);
        return;
    }
    value /= 1000;
    while (value >= 999.5 && unit < sizeof units / sizeof *units - 1) {
        value /= 1000;
        unit++;
    }
    three_digits(value, units[unit], text);
}

void words_count(double value, char text[WORDS_SIZE])
{
    if (value < 99999.5)
        snprintf(text, WORDS_SIZE, "%.0f", value);
    else
        words_rate(value, text);
}

void words_bytes(double bytes, char text[WORDS_SIZE])
{
    static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};
    size_t unit = 0;
    if (isnan(bytes)) {
        unknown(text);
        return;
    }
    while (bytes >= 1023.5 && unit < sizeof units / sizeof *units - 1) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, WORDS_SIZE, "%.*f%s", unit > 0 && bytes < 9.95, bytes, units[unit]);
}

void words_age(double milliseconds, char text[WORDS_SIZE])
{
    if (isnan(milliseconds)) {
        unknown(text);
        return;
    }
    long long s = (long long)(milliseconds / 1000), m = s / 60, h = m / 60, d = h / 24;
    if (s < 60)
        snprintf(text, WORDS_SIZE, "%llds", s);
    else if (m < 60)
        snprintf(text, WORDS_SIZE, "%lldm%02llds", m, s % 60);
    else if (h < 24)
        snprintf(text, WORDS_SIZE, "%lldh%02lldm", h, m % 60);
    else
        snprintf(text, WORDS_SIZE, "%lldd%02lldh", d, h % 24);
}

void words_latency(double us, char text[WORDS_SIZE])
{
    double ms = us / 1000;
    if (isnan(us))
        unknown(text);
    else if (ms < 0.0995)
        snprintf(text, WORDS_SIZE, "%.3f", ms);
    else
        three_digits(ms, "", text);
}
