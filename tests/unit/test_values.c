#include "config/values.h"

#include "support.h"

#define REFUSED (-1)

static const struct {
    const char *text;
    int64_t value;
} numbers[] = {
    {"0", 0},
    {"7", 7},
    {"007", 7},
    {"65535", 65535},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", REFUSED},
    {"18446744073709551616", REFUSED},
    {"99999999999999999999999999", REFUSED},
    {"", REFUSED},
    {"-1", REFUSED},
    {"+1", REFUSED},
    {" 1", REFUSED},
    {"1 ", REFUSED},
    {"1k", REFUSED},
    {"0x10", REFUSED},
    {"1.5", REFUSED},
    {"auto", REFUSED},
};

Test(values, numbers)
{
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        int64_t value = 4711;
        bool good = value_number(numbers[i].text, &value);
        cr_expect_eq(good, numbers[i].value != REFUSED, "\"%s\"", numbers[i].text);
        cr_expect_eq(value, good ? numbers[i].value : 4711, "\"%s\": %lld", numbers[i].text,
                     (long long)value);
    }
}

static const struct {
    const char *text;
    int64_t milliseconds;
    const char *printed; /* NULL: as the text */
} durations[] = {
    {"0", 0, NULL},
    {"0ms", 0, "0"},
    {"0s", 0, "0"},
    {"0h", 0, "0"},
    {"00", 0, "0"},
    {"1ms", 1, NULL},
    {"250ms", 250, NULL},
    {"999ms", 999, NULL},
    {"1000ms", 1000, "1s"},
    {"1001ms", 1001, NULL},
    {"10s", 10000, NULL},
    {"60s", 60000, "1m"},
    {"75s", 75000, NULL},
    {"5m", 300000, NULL},
    {"60m", 3600000, "1h"},
    {"90m", 5400000, NULL},
    {"1h", 3600000, NULL},
    {"24h", 86400000, NULL},
    {"9223372036854775807ms", INT64_MAX, NULL},
    {"2562047788015h", 9223372036854000000, NULL},
    {"2562047788016h", REFUSED, NULL},
    {"9223372036854775808ms", REFUSED, NULL},
    {"9223372036854776s", REFUSED, NULL},
    {"1", REFUSED, NULL},
    {"10", REFUSED, NULL},
    {"", REFUSED, NULL},
    {"s", REFUSED, NULL},
    {"ms", REFUSED, NULL},
    {"-1s", REFUSED, NULL},
    {"+1s", REFUSED, NULL},
    {"1 s", REFUSED, NULL},
    {" 1s", REFUSED, NULL},
    {"1s ", REFUSED, NULL},
    {"1S", REFUSED, NULL},
    {"1M", REFUSED, NULL},
    {"1sec", REFUSED, NULL},
    {"1d", REFUSED, NULL},
    {"1us", REFUSED, NULL},
    {"1.5s", REFUSED, NULL},
    {"1m30s", REFUSED, NULL},
    {"never", REFUSED, NULL},
};

Test(values, durations)
{
    for (size_t i = 0; i < LENGTH(durations); i++) {
        int64_t value = -1;
        char text[32];
        bool good = value_duration(durations[i].text, &value);
        cr_expect_eq(good, durations[i].milliseconds != REFUSED, "\"%s\"", durations[i].text);
        if (!good)
            continue;
        cr_expect_eq(value, durations[i].milliseconds, "\"%s\": %lld", durations[i].text,
                     (long long)value);
        const char *printed = durations[i].printed ? durations[i].printed : durations[i].text;
        value_print_duration(value, text, sizeof text);
        cr_expect_str_eq(text, printed, "%s: %s", durations[i].text, text);
    }
}

Test(values, a_printed_duration_reads_the_same)
{
    unsigned seed = 3;
    for (int i = 0; i < 10000; i++) {
        int64_t value = (int64_t)next_random(&seed) << (next_random(&seed) % 20), again = -1;
        char text[32];
        value_print_duration(value, text, sizeof text);
        cr_assert(value_duration(text, &again), "%s", text);
        cr_assert_eq(again, value, "%s", text);
    }
}

static const struct {
    const char *text;
    int64_t bytes;
    const char *printed; /* NULL: as the text */
} sizes[] = {
    {"0", 0, NULL},
    {"0k", 0, "0"},
    {"1", 1, NULL},
    {"1023", 1023, NULL},
    {"1024", 1024, "1k"},
    {"1k", 1024, NULL},
    {"1025", 1025, NULL},
    {"64k", 65536, NULL},
    {"1024k", 1048576, "1m"},
    {"1m", 1048576, NULL},
    {"1536k", 1572864, NULL},
    {"2g", 2147483648, NULL},
    {"1024g", 1099511627776, NULL},
    {"9223372036854775807", INT64_MAX, NULL},
    {"8589934591g", 9223372035781033984, NULL},
    {"8589934592g", REFUSED, NULL},
    {"9007199254740992k", REFUSED, NULL},
    {"9223372036854775808", REFUSED, NULL},
    {"", REFUSED, NULL},
    {"k", REFUSED, NULL},
    {"-1k", REFUSED, NULL},
    {"+1k", REFUSED, NULL},
    {"1 k", REFUSED, NULL},
    {"1K", REFUSED, NULL},
    {"1M", REFUSED, NULL},
    {"1kb", REFUSED, NULL},
    {"1b", REFUSED, NULL},
    {"1t", REFUSED, NULL},
    {"1.5m", REFUSED, NULL},
    {"1m512k", REFUSED, NULL},
    {"1s", REFUSED, NULL},
    {"lots", REFUSED, NULL},
};

Test(values, sizes)
{
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        int64_t value = -1;
        char text[32];
        bool good = value_size(sizes[i].text, &value);
        cr_expect_eq(good, sizes[i].bytes != REFUSED, "\"%s\"", sizes[i].text);
        if (!good)
            continue;
        cr_expect_eq(value, sizes[i].bytes, "\"%s\": %lld", sizes[i].text, (long long)value);
        value_print_size(value, text, sizeof text);
        cr_expect_str_eq(text, sizes[i].printed ? sizes[i].printed : sizes[i].text, "%s: %s",
                         sizes[i].text, text);
    }
}

Test(values, a_printed_size_reads_the_same)
{
    unsigned seed = 7;
    for (int i = 0; i < 10000; i++) {
        int64_t value = (int64_t)next_random(&seed) << (next_random(&seed) % 31), again = -1;
        char text[32];
        value_print_size(value, text, sizeof text);
        cr_assert(value_size(text, &again), "%s", text);
        cr_assert_eq(again, value, "%s", text);
    }
}

Test(values, bools)
{
    static const char *const refused[] = {"",    "Yes", "YES", "y",   "true", "on",
                                          "no ", "1",   "0",   "off", "n",    "yesno"};
    bool value = false;
    cr_expect(value_bool("yes", &value));
    cr_expect(value);
    cr_expect(value_bool("no", &value));
    cr_expect_not(value);
    for (size_t i = 0; i < LENGTH(refused); i++)
        cr_expect_not(value_bool(refused[i], &value), "\"%s\"", refused[i]);
}

Test(values, on_or_off_and_no_other_word)
{
    static const char *const refused[] = {"",     "On", "OFF",  "yes",  "no",
                                          "true", "1",  "off ", "onoff"};
    bool value = false;
    cr_expect(value_on_off("on", &value));
    cr_expect(value);
    cr_expect(value_on_off("off", &value));
    cr_expect_not(value);
    for (size_t i = 0; i < LENGTH(refused); i++)
        cr_expect_not(value_on_off(refused[i], &value), "\"%s\"", refused[i]);
}
