#include "load/histogram.h"

#include <criterion/criterion.h>

/* Too large for the stack to hold twice. */
static struct histogram h;

static uint64_t quantile_of_one(int64_t us)
{
    h = (struct histogram){0};
    histogram_add(&h, us);
    /* Alone a value is cut to the maximum, which is exact: a larger one shows its bucket. */
    histogram_add(&h, INT64_C(1) << 40);
    return histogram_quantile(&h, 500);
}

Test(load_histogram, an_empty_one_says_zero)
{
    cr_expect_eq(histogram_quantile(&h, 500), 0);
    cr_expect_eq(histogram_quantile(&h, 1000), 0);
    cr_expect_eq(histogram_max(&h), 0);
}

/* Below 256 a bucket is one value wide, in [256,512) two, in [512,1024) four, and so on. */
Test(load_histogram, buckets_by_hand)
{
    static const struct {
        int64_t us;
        uint64_t top;
    } cases[] = {
        {-5, 0},
        {0, 0},
        {1, 1},
        {127, 127},
        {128, 128},
        {255, 255},
        {256, 257},
        {257, 257},
        {258, 259},
        {511, 511},
        {512, 515},
        {515, 515},
        {516, 519},
        {1000, 1003}, /* 4 wide: 1000..1003 */
        {1023, 1023},
        {1024, 1031},           /* 8 wide */
        {10000, 10047},         /* 64 wide: 9984 + 64 - 1 */
        {1000000, 1003519},     /* 4096 wide: 244 * 4096 = 999424 */
        {100000000, 100139007}, /* 2^19 wide: 190 * 524288 = 99614720 */
        {134217727, 134217727}, /* the last value of the last bucket */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(quantile_of_one(cases[i].us), cases[i].top, "%lld gives %llu, not %llu",
                     (long long)cases[i].us, (unsigned long long)quantile_of_one(cases[i].us),
                     (unsigned long long)cases[i].top);
}

Test(load_histogram, never_too_low_and_at_most_one_part_in_128_too_high)
{
    for (int64_t us = 1; us < INT64_C(100000000); us += us / 97 + 1) {
        uint64_t got = quantile_of_one(us);
        cr_assert(got >= (uint64_t)us, "%lld", (long long)us);
        cr_assert((got - (uint64_t)us) * 128 <= (uint64_t)us, "%lld", (long long)us);
    }
}

Test(load_histogram, quantiles_of_1_to_1000)
{
    for (int i = 1; i <= 1000; i++)
        histogram_add(&h, i);
    cr_expect_eq(histogram_quantile(&h, 1), 1);
    cr_expect_eq(histogram_quantile(&h, 100), 100);
    cr_expect_eq(histogram_quantile(&h, 250), 250);
    cr_expect_eq(histogram_quantile(&h, 500), 501); /* bucket 500..501 */
    cr_expect_eq(histogram_quantile(&h, 900), 903); /* bucket 900..903 */
    cr_expect_eq(histogram_quantile(&h, 990), 991); /* bucket 988..991 */
    cr_expect_eq(histogram_quantile(&h, 999), 999); /* bucket 996..999 */
    cr_expect_eq(histogram_quantile(&h, 1000), 1000);
    cr_expect_eq(histogram_max(&h), 1000);
}

Test(load_histogram, ranks_round_up)
{
    histogram_add(&h, 10);
    histogram_add(&h, 20);
    histogram_add(&h, 30);
    cr_expect_eq(histogram_quantile(&h, 333), 10); /* rank 0.999 */
    cr_expect_eq(histogram_quantile(&h, 334), 20); /* rank 1.002 */
    cr_expect_eq(histogram_quantile(&h, 500), 20);
    cr_expect_eq(histogram_quantile(&h, 999), 30);
}

Test(load_histogram, the_maximum_is_exact_and_bounds_every_quantile)
{
    histogram_add(&h, 1000001);
    cr_expect_eq(histogram_max(&h), 1000001);
    cr_expect_eq(histogram_quantile(&h, 500), 1000001);
    histogram_add(&h, INT64_MAX); /* beyond the last bucket */
    cr_expect_eq(histogram_max(&h), (uint64_t)INT64_MAX);
    cr_expect_eq(histogram_quantile(&h, 1000), 134217727);
}
