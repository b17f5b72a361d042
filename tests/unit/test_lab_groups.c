#include "lab/report/groups.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define ROW(name, rest)                                                                            \
    "{\"kind\":\"strategy\",\"name\":\"" name "\",\"workload\":\"singles\",\"workers\":4" rest "}" \
    "\n"

static void make(struct results *results, struct groups *groups, const char *text, unsigned blind)
{
    struct buf wrong = {0};
    cr_assert_eq(results_parse(results, "f", text, strlen(text), &wrong), 0);
    cr_assert(groups_make(groups, results, blind));
}

static void clean(struct results *results, struct groups *groups)
{
    groups_free(groups);
    results_free(results);
}

Test(lab_groups, repeats_come_together_in_the_order_of_the_file)
{
    struct results results = {0};
    struct groups groups;
    make(&results, &groups,
         ROW("poll", ",\"jain\":0.9") ROW("epoll-lt", ",\"jain\":0.1") ROW("poll", ",\"jain\":0.5")
             ROW("poll", ",\"jain\":0.8") ROW("poll", ",\"jain\":null"),
         0);
    cr_assert_eq(groups.count, 2);
    cr_expect_str_eq(groups.all[0].rows[0]->name, "poll");
    cr_expect_eq(groups.all[0].count, 4);
    cr_expect_eq(group_runs(&groups.all[0], "jain"), 3);
    cr_expect_float_eq(group_median(&groups.all[0], "jain"), 0.8, 1e-12);
    cr_expect_float_eq(group_half_range(&groups.all[0], "jain"), 0.2, 1e-12);
    cr_expect_float_eq(group_median(&groups.all[1], "jain"), 0.1, 1e-12);
    cr_expect(isnan(group_half_range(&groups.all[1], "jain")));
    cr_expect(isnan(group_median(&groups.all[1], "rate")));
    cr_expect(isnan(group_median(NULL, "rate")));
    clean(&results, &groups);
}

Test(lab_groups, settings_tell_apart_unless_they_are_not_looked_at)
{
    static const char text[] = ROW("poll", ",\"net\":\"loopback\",\"pinned\":false")
        ROW("poll", ",\"net\":\"veth\",\"pinned\":true");
    struct results results = {0};
    struct groups groups;
    make(&results, &groups, text, 0);
    cr_assert_eq(groups.count, 2);
    cr_expect_str_eq(groups.all[0].settings, "");
    cr_expect_not(groups.all[0].is_odd);
    cr_expect_str_eq(groups.all[1].settings, "veth, pinned");
    cr_expect(groups.all[1].is_odd);
    clean(&results, &groups);

    make(&results, &groups, text, 1U << SETTING_NET | 1U << SETTING_PINNED);
    cr_expect_eq(groups.count, 1);
    clean(&results, &groups);
}

Test(lab_groups, draining_is_told_where_both_ways_were_tried)
{
    struct results results = {0};
    struct groups groups;
    make(&results, &groups,
         ROW("poll", ",\"drain\":true") ROW("poll", ",\"drain\":false")
             ROW("select", ",\"drain\":false"),
         0);
    cr_assert_eq(groups.count, 3);
    cr_expect_str_eq(groups.all[0].settings, "drains");
    cr_expect_str_eq(groups.all[1].settings, "one a wake-up");
    cr_expect_str_eq(groups.all[2].settings, "");
    clean(&results, &groups);
}

Test(lab_groups, the_default_settings_are_found_first_and_the_skipped_never)
{
    struct results results = {0};
    struct groups groups;
    make(&results, &groups,
         ROW("poll", ",\"pinned\":true,\"jain\":1") ROW("poll", ",\"pinned\":false,\"jain\":0.5")
             ROW("reuseport-load", ",\"skipped\":\"no bpf\"") ROW("select", ",\"pinned\":true"),
         0);
    struct query query = {.kind = "strategy", .name = "poll", .workload = "singles"};
    cr_expect_float_eq(group_median(groups_find(&groups, &query), "jain"), 0.5, 1e-12);
    query.workers = 8;
    cr_expect_null(groups_find(&groups, &query));
    query = (struct query){
        .kind = "strategy", .name = "select", .workload = "singles", .phase = ""};
    cr_expect_not_null(groups_find(&groups, &query));
    query.phase = "60 %";
    cr_expect_null(groups_find(&groups, &query));
    query = (struct query){.kind = "strategy", .name = "reuseport-load", .workload = "singles"};
    cr_expect_null(groups_find(&groups, &query));
    cr_expect_str_eq(group_skipped(&groups.all[2]), "no bpf");
    cr_expect_null(group_skipped(&groups.all[0]));
    clean(&results, &groups);
}

Test(lab_groups, a_twin_is_the_same_group_of_another_file)
{
    struct results a = {0}, b = {0};
    struct groups of_a, of_b;
    make(&a, &of_a, ROW("poll", "") ROW("select", ""), 0);
    make(&b, &of_b, ROW("select", "") ROW("epoll-lt", ""), 0);
    cr_expect_null(groups_twin(&of_b, &of_a.all[0]));
    cr_expect_eq(groups_twin(&of_b, &of_a.all[1]), &of_b.all[0]);
    clean(&a, &of_a);
    clean(&b, &of_b);
}

Test(lab_groups, claims_and_expectations_are_no_measurements)
{
    struct results results = {0};
    struct groups groups;
    make(&results, &groups, "{\"kind\":\"claim\",\"text\":\"x\"}\n" ROW("poll", ""), 0);
    cr_expect_eq(groups.count, 1);
    clean(&results, &groups);
}
