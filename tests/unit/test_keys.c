#include "config/keys.h"

#include "support.h"

static struct {
    const char *zone;
    int64_t count, room, level;
    int64_t wait;
    int loud;
} it;

static const struct drover_key keys[] = {
    {"zone", DROVER_TEXT, "UTC", 0, 0, "which zone", &it.zone},
    {"count", DROVER_NUMBER, "3", 1, 9, "how many", &it.count},
    {"room", DROVER_SIZE, "64k", 1024, 1 << 20, "how much", &it.room},
    {"wait", DROVER_DURATION, "500ms", 0, 60000, "how long", &it.wait},
    {"level", DROVER_NUMBER, NULL, -5, 5, "how high", &it.level},
    {"loud", DROVER_YES_NO, NULL, 0, 0, "whether", &it.loud},
    {.name = NULL}};

static void set_defaults(void)
{
    char why[256] = "";
    memset(&it, 0x55, sizeof it);
    cr_assert_eq(keys_default(keys, why, sizeof why), 0, "%s", why);
}

TestSuite(keys, .init = set_defaults);

Test(keys, defaults)
{
    cr_expect_str_eq(it.zone, "UTC");
    cr_expect_eq(it.count, 3);
    cr_expect_eq(it.room, 65536);
    cr_expect_eq(it.wait, 500);
    cr_expect_eq(it.level, 0);
    cr_expect_eq(it.loud, 0);
}

/* Without a fallback a value is nothing, even where its bounds would not allow that. */
Test(keys, defaults_without_a_fallback)
{
    const char *text = "x";
    int64_t n = 7;
    const struct drover_key bare[] = {{"text", DROVER_TEXT, NULL, 0, 0, "", &text},
                                      {"n", DROVER_NUMBER, NULL, 1, 9, "", &n},
                                      {.name = NULL}};
    char why[256] = "";
    cr_expect_eq(keys_default(bare, why, sizeof why), 0, "%s", why);
    cr_expect_null(text);
    cr_expect_eq(n, 0);
}

static const struct {
    const char *assignment;
    int64_t *member;
    int64_t value;
} integers[] = {
    {"count=1", &it.count, 1},      {"count=9", &it.count, 9},     {"room=1k", &it.room, 1024},
    {"room=1m", &it.room, 1 << 20}, {"room=1025", &it.room, 1025}, {"wait=0", &it.wait, 0},
    {"wait=60s", &it.wait, 60000},  {"level=-5", &it.level, -5},   {"level=5", &it.level, 5},
    {"level=-0", &it.level, 0},
};

Test(keys, integers_at_their_bounds)
{
    char why[256] = "";
    for (size_t i = 0; i < LENGTH(integers); i++) {
        const char *line = integers[i].assignment;
        cr_expect_eq(keys_set(keys, line, why, sizeof why), 0, "%s: %s", line, why);
        cr_expect_eq(*integers[i].member, integers[i].value, "%s: %lld", line,
                     (long long)*integers[i].member);
    }
}

Test(keys, texts_and_yes_or_no)
{
    char why[256] = "";
    cr_expect_eq(keys_set(keys, "zone=", why, sizeof why), 0, "%s", why);
    cr_expect_str_eq(it.zone, "", "an empty text is one");
    cr_expect_eq(keys_set(keys, "zone=a=b c", why, sizeof why), 0, "%s", why);
    cr_expect_str_eq(it.zone, "a=b c");
    cr_expect_eq(keys_set(keys, "loud=yes", why, sizeof why), 0, "%s", why);
    cr_expect_eq(it.loud, 1);
    cr_expect_eq(keys_set(keys, "loud=no", why, sizeof why), 0, "%s", why);
    cr_expect_eq(it.loud, 0);
}

static const struct {
    const char *assignment;
    const char *why;
} refused[] = {
    {"count=0", "--set count=0: must be a whole number from 1 to 9"},
    {"count=10", "--set count=10: must be a whole number from 1 to 9"},
    {"count=-1", "--set count=-1: must be a whole number from 1 to 9"},
    {"count=", "--set count=: must be a whole number from 1 to 9"},
    {"count", "--set count: must be a whole number from 1 to 9"},
    {"count=3x", "--set count=3x: must be a whole number from 1 to 9"},
    {"count=1k", "--set count=1k: must be a whole number from 1 to 9"},
    {"level=-6", "--set level=-6: must be a whole number from -5 to 5"},
    {"level=--1", "--set level=--1: must be a whole number from -5 to 5"},
    {"room=1023", "--set room=1023: must be a number of bytes, or one with k, m or g, as in 64k, "
                  "from 1k to 1m"},
    {"room=2m", "--set room=2m: must be a number of bytes, or one with k, m or g, as in 64k, "
                "from 1k to 1m"},
    {"room=-1k", "--set room=-1k: must be a number of bytes, or one with k, m or g, as in 64k, "
                 "from 1k to 1m"},
    {"wait=5", "--set wait=5: must be a number with ms, s, m or h, as in 250ms or 10s, from 0 to "
               "1m"},
    {"wait=61s", "--set wait=61s: must be a number with ms, s, m or h, as in 250ms or 10s, from 0 "
                 "to 1m"},
    {"loud=1", "--set loud=1: must be yes or no"},
    {"zoone=UTC", "--set zoone=UTC: there is no key \"zoone\"; did you mean zone?"},
    {"Zone=UTC", "--set Zone=UTC: there is no key \"Zone\"; did you mean zone?"},
    {"quux=1", "--set quux=1: there is no key \"quux\"; the application has zone, count, room, "
               "wait, level, loud"},
    {"=1", "--set =1: there is no key \"\"; the application has zone, count, room, wait, level, "
           "loud"},
};

Test(keys, what_is_wrong_and_what_is_allowed)
{
    for (size_t i = 0; i < LENGTH(refused); i++) {
        char why[256] = "";
        cr_expect_eq(keys_set(keys, refused[i].assignment, why, sizeof why), -1, "%s",
                     refused[i].assignment);
        cr_expect_str_eq(why, refused[i].why, "%s", why);
    }
    cr_expect_eq(it.count, 3, "a value that is refused changes nothing");
    cr_expect_eq(it.room, 65536);
}

Test(keys, without_bounds_all_but_negative_numbers)
{
    int64_t n = 0;
    const struct drover_key any[] = {{"n", DROVER_NUMBER, NULL, 0, 0, "", &n}, {.name = NULL}};
    char why[256] = "";
    cr_expect_eq(keys_set(any, "n=9223372036854775807", why, sizeof why), 0, "%s", why);
    cr_expect_eq(n, INT64_MAX);
    cr_expect_eq(keys_set(any, "n=-1", why, sizeof why), -1);
    cr_expect_str_eq(why, "--set n=-1: must be a whole number");
    const struct drover_key some[] = {{"n", DROVER_NUMBER, NULL, 1, INT64_MAX, "", &n},
                                      {.name = NULL}};
    cr_expect_eq(keys_set(some, "n=0", why, sizeof why), -1);
    cr_expect_str_eq(why, "--set n=0: must be a whole number, at least 1");
}

Test(keys, an_application_without_any)
{
    char why[256] = "";
    cr_expect_eq(keys_default(NULL, why, sizeof why), 0, "%s", why);
    cr_expect_eq(keys_set(NULL, "a=b", why, sizeof why), -1);
    cr_expect_str_eq(why, "--set a=b: the application has no keys");
}

static int64_t place;

static const struct {
    struct drover_key key;
    const char *why;
} bad[] = {
    {{"", DROVER_NUMBER, NULL, 0, 0, "", &place},
     "the key \"\": its name must be 1 to 31 letters, digits, '-' and '_'"},
    {{"a b", DROVER_NUMBER, NULL, 0, 0, "", &place},
     "the key \"a b\": its name must be 1 to 31 letters, digits, '-' and '_'"},
    {{"a=b", DROVER_NUMBER, NULL, 0, 0, "", &place},
     "the key \"a=b\": its name must be 1 to 31 letters, digits, '-' and '_'"},
    {{"a", (enum drover_key_type)17, NULL, 0, 0, "", &place},
     "the key \"a\": its type is none of enum drover_key_type"},
    {{"a", DROVER_NUMBER, NULL, 0, 0, "", NULL}, "the key \"a\": it has no place for its value"},
    {{"a", DROVER_NUMBER, NULL, 0, 0, NULL, &place}, "the key \"a\": it has no line of help"},
    {{"a", DROVER_NUMBER, NULL, 2, 1, "", &place}, "the key \"a\": its min is above its max"},
    {{"a", DROVER_NUMBER, "3", 1, 2, "", &place},
     "the key \"a\": its default, 3, must be a whole number from 1 to 2"},
    {{"a", DROVER_SIZE, "3q", 0, 0, "", &place},
     "the key \"a\": its default, 3q, must be a number of bytes, or one with k, m or g, as in 64k"},
    {{"first", DROVER_NUMBER, NULL, 0, 0, "", &place},
     "the key \"first\": there are two of that "
     "name"},
};

Test(keys, tables_that_cannot_be_used)
{
    for (size_t i = 0; i < LENGTH(bad); i++) {
        char why[256] = "";
        const struct drover_key table[] = {
            {"first", DROVER_NUMBER, NULL, 0, 0, "", &place}, bad[i].key, {.name = NULL}};
        cr_expect_eq(keys_default(table, why, sizeof why), -1, "%s", bad[i].why);
        cr_expect_str_eq(why, bad[i].why, "%s", why);
    }
}

Test(keys, help)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    cr_assert_not_null(to);
    keys_print(to, keys);
    keys_print(to, NULL);
    fclose(to);
    cr_expect_str_eq(text,
                     "  --set zone=TEXT   (default: UTC)\n        which zone\n"
                     "  --set count=N   (default: 3)\n        how many\n"
                     "  --set room=SIZE   (default: 64k)\n        how much\n"
                     "  --set wait=TIME   (default: 500ms)\n        how long\n"
                     "  --set level=N   (default: 0)\n        how high\n"
                     "  --set loud=yes|no   (default: no)\n        whether\n",
                     "%s", text);
    free(text);
}
