#include "load/windows.h"

#include <criterion/criterion.h>

#define MS 1000

/* Too large for the stack. */
static struct windows w;

static void setup(void)
{
    windows_init(&w, 100 * MS);
}

static void teardown(void)
{
    windows_free(&w);
}

TestSuite(load_windows, .init = setup, .fini = teardown);

static void expect_window(size_t i, uint64_t answered, uint64_t lost, uint64_t max_us)
{
    cr_assert_lt(i, w.count);
    cr_expect_eq(w.list[i].answered, answered, "window %zu: %d answered", i,
                 (int)w.list[i].answered);
    cr_expect_eq(w.list[i].lost, lost, "window %zu: %d lost", i, (int)w.list[i].lost);
    cr_expect_eq(w.list[i].max_us, max_us, "window %zu: max %d", i, (int)w.list[i].max_us);
}

Test(load_windows, none_are_kept_unless_asked_for)
{
    windows_init(&w, 0);
    windows_add(&w, OUTCOME_ANSWERED, 50 * MS, 10);
    cr_expect_eq(windows_end(&w), 0);
    cr_expect_eq(w.count, 0);
}

Test(load_windows, of_nothing)
{
    cr_expect_eq(windows_end(&w), 0);
    cr_expect_eq(w.count, 0);
}

Test(load_windows, each_counts_its_own)
{
    windows_add(&w, OUTCOME_ANSWERED, 0, 10);
    windows_add(&w, OUTCOME_ANSWERED, 100 * MS - 1, 30);
    windows_add(&w, OUTCOME_ANSWERED, 100 * MS, 20);
    windows_add(&w, OUTCOME_REFUSED, 150 * MS, 5);
    windows_add(&w, OUTCOME_LOCAL, 150 * MS, 5);
    cr_expect_eq(windows_end(&w), 0);
    cr_expect_eq(w.count, 2);
    expect_window(0, 2, 0, 30);
    expect_window(1, 1, 1, 20);
}

Test(load_windows, those_in_which_nothing_ended_are_there_too)
{
    windows_add(&w, OUTCOME_ANSWERED, 10 * MS, 7);
    windows_add(&w, OUTCOME_SILENT, 350 * MS, 350 * MS);
    cr_expect_eq(windows_end(&w), 0);
    cr_expect_eq(w.count, 4);
    expect_window(0, 1, 0, 7);
    expect_window(1, 0, 0, 0);
    expect_window(2, 0, 0, 0);
    expect_window(3, 0, 1, 0);
}

Test(load_windows, quantiles_are_of_the_window_alone)
{
    for (int i = 1; i <= 100; i++)
        windows_add(&w, OUTCOME_ANSWERED, 10 * MS, i);
    for (int i = 1; i <= 100; i++)
        windows_add(&w, OUTCOME_ANSWERED, 110 * MS, i + 100);
    cr_expect_eq(windows_end(&w), 0);
    cr_assert_eq(w.count, 2);
    cr_expect_eq(w.list[0].p50_us, 50);
    cr_expect_eq(w.list[0].p99_us, 99);
    cr_expect_eq(w.list[1].p50_us, 150);
    cr_expect_eq(w.list[1].p99_us, 199);
}

Test(load_windows, many)
{
    for (int i = 0; i < 1000; i++)
        windows_add(&w, OUTCOME_ANSWERED, (int64_t)i * 100 * MS, i);
    cr_expect_eq(windows_end(&w), 0);
    cr_assert_eq(w.count, 1000);
    for (size_t i = 0; i < w.count; i++)
        expect_window(i, 1, 0, i);
}
