#include "load/target.h"

#include <criterion/criterion.h>
#include <string.h>

static struct target target_of(const char *text)
{
    struct url url;
    struct target target;
    cr_assert_null(url_parse(&url, text));
    cr_assert_null(target_resolve(&target, &url));
    return target;
}

Test(load_target, one_source_unless_told)
{
    struct target t = target_of("http://127.0.0.1:80");
    cr_expect_eq(target_source_count(&t), 1);
}

Test(load_target, spreads_over_as_many_as_were_asked_for)
{
    struct target t = target_of("http://127.1.2.3:80");
    cr_expect_null(target_spread(&t, 8));
    cr_expect_eq(target_source_count(&t), 8);
    cr_expect_not(target_next_source(&t)); /* they were chosen: no others are taken */
    cr_expect_eq(target_source_count(&t), 8);
}

Test(load_target, goes_on_to_the_next_source_and_round)
{
    struct target t = target_of("http://127.0.0.1:80");
    cr_expect(target_next_source(&t));
    cr_expect_eq(target_source_count(&t), 2);
    for (int i = 0; i < 1000; i++)
        cr_expect(target_next_source(&t));
    cr_expect_eq(target_source_count(&t), 64);
}

Test(load_target, only_loopback_has_other_sources)
{
    struct target v6 = target_of("http://[::1]:80");
    struct target far = target_of("http://192.0.2.1:80");
    struct target path;
    cr_expect_null(target_unix(&path, "/run/x"));
    cr_expect_not_null(target_spread(&v6, 2));
    cr_expect_not_null(target_spread(&far, 2));
    cr_expect_not_null(target_spread(&path, 2));
    cr_expect_null(target_spread(&far, 1));
    cr_expect_not(target_next_source(&v6));
    cr_expect_not(target_next_source(&far));
    cr_expect_not(target_next_source(&path));
}
