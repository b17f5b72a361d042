#include "config/configuration.h"

#include "config/keys.h"
#include "support.h"

static int64_t number;
static const char *text;

static const struct drover_key keys[] = {{"n", DROVER_NUMBER, "5", 1, 9, "", &number},
                                         {"t", DROVER_TEXT, NULL, 0, 0, "", &text},
                                         {.name = NULL}};
static const struct drover_app app = {.name = "a", .keys = keys};

static struct configuration configuration(const char *one, const char *two)
{
    struct configuration c = {.app = &app};
    if (one)
        c.settings.sets[c.settings.set_count++] = one;
    if (two)
        c.settings.sets[c.settings.set_count++] = two;
    return c;
}

static void apply(struct configuration c)
{
    char why[256] = "";
    cr_expect_eq(configuration_apply(&c, why, sizeof why), 0, "%s", why);
}

Test(configuration, applies_its_keys_and_the_defaults_of_the_others)
{
    apply(configuration("n=7", "t=one"));
    cr_expect_eq(number, 7);
    cr_expect_str_eq(text, "one");
    apply(configuration("t=two", NULL));
    cr_expect_eq(number, 5);
    cr_expect_str_eq(text, "two");
    apply(configuration(NULL, NULL));
    cr_expect_null(text);
}

Test(configuration, says_what_it_cannot_apply)
{
    struct configuration c = configuration("n=10", NULL);
    char why[256] = "";
    cr_expect_eq(configuration_apply(&c, why, sizeof why), -1);
    cr_expect_str_eq(why, "--set n=10: must be a whole number from 1 to 9");
}

Test(configuration, a_key_is_tested_without_being_set)
{
    char what[256] = "";
    apply(configuration("n=7", NULL));
    cr_expect_eq(keys_test(keys, "n=8", what, sizeof what), 0);
    cr_expect_eq(keys_test(keys, "n=0", what, sizeof what), -1);
    cr_expect_str_eq(what, "must be a whole number from 1 to 9");
    cr_expect_eq(keys_test(keys, "m=1", what, sizeof what), -1);
    cr_expect_str_eq(what, "there is no key \"m\"; the application has n, t");
    cr_expect_eq(number, 7);
}

Test(configuration, the_pid_file_and_the_control_socket_are_fixed)
{
    static const struct {
        struct settings present, next;
        const char *fixed;
    } rows[] = {
        {{.pidfile = NULL}, {.pidfile = NULL}, ""},
        {{.pidfile = "/a", .control = "/b"}, {.pidfile = "/a", .control = "/b"}, ""},
        {{.pidfile = "/a"}, {.pidfile = "/b"}, "pidfile "},
        {{.pidfile = NULL}, {.pidfile = "/a"}, "pidfile "},
        {{.pidfile = "/a"}, {.pidfile = NULL}, "pidfile "},
        {{.control = NULL}, {.control = "off"}, "control "},
        {{.control = "/a"}, {.control = "/b"}, "control "},
        {{.pidfile = "/a", .control = "/a"}, {.pidfile = "/b"}, "pidfile control "},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const struct configuration present = {.settings = rows[i].present};
        const struct configuration next = {.settings = rows[i].next};
        const char *changed[CONFIGURATION_FIXED_MAX];
        char names[64] = "";
        size_t count = configuration_fixed(&present, &next, changed);
        for (size_t k = 0; k < count; k++)
            strcat(strcat(names, changed[k]), " ");
        cr_expect_str_eq(names, rows[i].fixed, "row %zu", i);
    }
}
