#include "config/values.h"

#include <stdio.h>
#include <string.h>

#include "base/span.h"

static const struct unit {
    const char *name;
    int64_t milliseconds;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 60 * 60 * 1000}};

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

bool value_duration(const char *text, int64_t *milliseconds)
{
    size_t digits = strspn(text, "0123456789");
    int64_t n;
    if (!number((struct span){.p = text, .n = digits}, &n))
        return false;
    if (n == 0 && text[digits] == '\0') {
        *milliseconds = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text + digits, units[i].name) == 0)
            return !__builtin_mul_overflow(n, units[i].milliseconds, milliseconds);
    return false;
}

bool value_bool(const char *text, bool *value)
{
    *value = strcmp(text, "yes") == 0;
    return *value || strcmp(text, "no") == 0;
}

void value_print_duration(int64_t milliseconds, char *text, size_t size)
{
    size_t unit = sizeof units / sizeof *units - 1;
    while (unit > 0 && milliseconds % units[unit].milliseconds != 0)
        unit--;
    if (milliseconds == 0)
        snprintf(text, size, "0");
    else
        snprintf(text, size, "%lld%s", (long long)(milliseconds / units[unit].milliseconds),
                 units[unit].name);
}
