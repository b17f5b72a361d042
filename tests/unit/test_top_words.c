#include "cli/top_words.h"

#include <math.h>

#include "support.h"

typedef void words_fn(double value, char text[WORDS_SIZE]);

Test(top_words, numbers)
{
    static const struct {
        words_fn *words;
        double value;
        const char *text;
    } cases[] = {
        {words_rate, 0, "0"},
        {words_rate, 0.04, "0"},
        {words_rate, 0.06, "0.1"},
        {words_rate, 9.94, "9.9"},
        {words_rate, 9.96, "10"},
        {words_rate, 999.4, "999"},
        {words_rate, 999.6, "1.00k"},
        {words_rate, 9994, "9.99k"},
        {words_rate, 9996, "10.0k"},
        {words_rate, 99960, "100k"},
        {words_rate, 999400, "999k"},
        {words_rate, 999600, "1.00M"},
        {words_rate, 1.23e15, "1.23P"},
        {words_rate, 18446744073709551615.0, "18.4E"},
        {words_rate, NAN, "-"},
        {words_count, 99999, "99999"},
        {words_count, 100000, "100k"},
        {words_bytes, 0, "0"},
        {words_bytes, 1023, "1023"},
        {words_bytes, 1024, "1.0K"},
        {words_bytes, 9.96 * 1024, "10K"},
        {words_bytes, 1023.6 * 1024, "1.0M"},
        {words_bytes, 3.5 * 1024 * 1024 * 1024, "3.5G"},
        {words_bytes, NAN, "-"},
        {words_age, 999, "0s"},
        {words_age, 59999, "59s"},
        {words_age, 60000, "1m00s"},
        {words_age, 3599000, "59m59s"},
        {words_age, 3600000, "1h00m"},
        {words_age, 86399000, "23h59m"},
        {words_age, 99.0 * 86400000, "99d00h"},
        {words_age, NAN, "-"},
        {words_latency, 0.4, "0.000"},
        {words_latency, 21, "0.021"},
        {words_latency, 99.4, "0.099"},
        {words_latency, 99.6, "0.10"},
        {words_latency, 1234, "1.23"},
        {words_latency, 12345, "12.3"},
        {words_latency, 117e6, "117000"},
        {words_latency, NAN, "-"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[WORDS_SIZE];
        cases[i].words(cases[i].value, text);
        cr_expect_str_eq(text, cases[i].text, "case %zu: %s and not %s", i, text, cases[i].text);
    }
}

Test(top_words, a_rate_has_five_characters_at_most)
{
    for (double value = 0.001; value < 1e19; value *= 1.0007) {
        char text[WORDS_SIZE];
        words_rate(value, text);
        cr_assert_leq(strlen(text), 5, "%f: %s", value, text);
        words_bytes(value, text);
        cr_assert_leq(strlen(text), 5, "%f: %s", value, text);
        words_count(value, text);
        cr_assert_leq(strlen(text), 5, "%f: %s", value, text);
    }
}
