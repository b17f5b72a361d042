#include "config/values.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* The smallest first. */
static const struct unit times[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};
static const struct unit sizes[] = {{"", 1}, {"k", 1LL << 10}, {"m", 1LL << 20}, {"g", 1LL << 30}};

#define UNIT_COUNT 4
_Static_assert(sizeof times / sizeof *times == UNIT_COUNT, "four units of time");
_Static_assert(sizeof sizes / sizeof *sizes == UNIT_COUNT, "four units of size");

static bool number(struct span digits, int64_t *value)
{
    uint64_t v;
    if (!span_to_u64(digits, &v) || v > INT64_MAX)
        return false;
    *value = (int64_t)v;
    return true;
}

bool value_number(const char *text, int64_t *value)
{
    return number(span_of(text), value);
}

static bool measure(const char *text, const struct unit units[UNIT_COUNT], int64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    int64_t n;
    if (!number((struct span){.p = text, .n = digits}, &n))
        return false;
    if (n == 0 && text[digits] == '\0') {
        *value = 0;
        return true;
    }
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strcmp(text + digits, units[i].name) == 0)
            return !__builtin_mul_overflow(n, units[i].factor, value);
    return false;
}

bool value_duration(const char *text, int64_t *milliseconds)
{
    return measure(text, times, milliseconds);
}

bool value_size(const char *text, int64_t *bytes)
{
    return measure(text, sizes, bytes);
}

bool value_bool(const char *text, bool *value)
{
    *value = strcmp(text, "yes") == 0;
    return *value || strcmp(text, "no") == 0;
}

bool value_on_off(const char *text, bool *value)
{
    *value = strcmp(text, "on") == 0;
    return *value || strcmp(text, "off") == 0;
}

static void print(int64_t value, const struct unit units[UNIT_COUNT], char *text, size_t size)
{
    size_t unit = UNIT_COUNT - 1;
    while (unit > 0 && value % units[unit].factor != 0)
        unit--;
    if (value == 0)
        snprintf(text, size, "0");
    else
        snprintf(text, size, "%lld%s", (long long)(value / units[unit].factor), units[unit].name);
}

void value_print_duration(int64_t milliseconds, char *text, size_t size)
{
    print(milliseconds, times, text, size);
}

void value_print_size(int64_t bytes, char *text, size_t size)
{
    print(bytes, sizes, text, size);
}
