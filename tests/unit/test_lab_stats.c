#include "lab/trial/stats.h"

#include <criterion/criterion.h>
#include <math.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define NEAR(got, want, by) \
    cr_expect(fabs((got) - (want)) <= (by), "%.9g, not %.9g", (double)(got), (double)(want))

/* Connections that eight workers had, before and after SO_REUSEPORT (mosip-infra, issue 1920). */
static const uint64_t before[] = {349, 17, 4, 0, 0, 0, 0, 0};
static const uint64_t after[] = {171, 142, 169, 153, 167, 139, 142, 156};

static const uint64_t none[] = {0, 0, 0, 0};
static const uint64_t equal[] = {7, 7, 7, 7};
static const uint64_t one[] = {0, 12, 0, 0};

Test(lab_stats, jain_by_hand)
{
    NEAR(stats_jain(before, COUNT(before)), 136900.0 / 976848, 1e-12); /* 370^2 / (8 * 122106) */
    NEAR(stats_jain(before, COUNT(before)), 0.140, 0.0005);
    NEAR(stats_jain(after, COUNT(after)), 1535121.0 / 1544680, 1e-12); /* 1239^2 / (8 * 193085) */
    NEAR(stats_jain(after, COUNT(after)), 0.994, 0.0005);
    NEAR(stats_jain(equal, COUNT(equal)), 1, 0);
    NEAR(stats_jain(one, COUNT(one)), 0.25, 0);
    NEAR(stats_jain(none, COUNT(none)), 1, 0);
    NEAR(stats_jain(none, 0), 1, 0);
}

Test(lab_stats, jain_of_counts_whose_squares_are_beyond_64_bits)
{
    static const uint64_t large[] = {UINT64_MAX, UINT64_MAX / 2};
    NEAR(stats_jain(large, COUNT(large)), 0.9, 1e-12); /* 1.5^2 / (2 * 1.25) */
}

Test(lab_stats, jain_by_chance_by_hand)
{
    NEAR(stats_jain_by_chance(4, 12), 0.8, 1e-12); /* 1 / (1 + 3/12) */
    NEAR(stats_jain_by_chance(2, 1), 0.5, 1e-12);  /* one throw, and one has it */
    NEAR(stats_jain_by_chance(8, 7000), 1 / 1.001, 1e-12);
    NEAR(stats_jain_by_chance(1, 5), 1, 0);
    NEAR(stats_jain_by_chance(0, 5), 1, 0);
    NEAR(stats_jain_by_chance(4, 0), 1, 0);
}

/* The mean over all 4^3 throws of three dice with four sides is what is promised of the ratio of
 * means, and near the mean of the ratio. */
Test(lab_stats, jain_by_chance_is_near_what_all_throws_give)
{
    double sum = 0;
    for (unsigned throws = 0; throws < 64; throws++) {
        uint64_t counts[4] = {0};
        counts[throws % 4]++;
        counts[throws / 4 % 4]++;
        counts[throws / 16]++;
        sum += stats_jain(counts, 4);
    }
    /* 4 of 64 throws: all equal, 0.25. 36: two and one, 9/20. 24: three different, 0.75. */
    NEAR(sum / 64, (4 * 0.25 + 36 * 0.45 + 24 * 0.75) / 64, 1e-12);
    NEAR(stats_jain_by_chance(4, 3), sum / 64, 0.06);
}

Test(lab_stats, max_over_mean_by_hand)
{
    NEAR(stats_max_over_mean(before, COUNT(before)), 349 / 46.25, 1e-12);
    NEAR(stats_max_over_mean(after, COUNT(after)), 171 / 154.875, 1e-12);
    NEAR(stats_max_over_mean(equal, COUNT(equal)), 1, 0);
    NEAR(stats_max_over_mean(one, COUNT(one)), 4, 0);
    NEAR(stats_max_over_mean(none, COUNT(none)), 1, 0);
    NEAR(stats_max_over_mean(none, 0), 1, 0);
}

Test(lab_stats, chi_squared_by_hand)
{
    static const uint64_t die[] = {5, 8, 9, 8, 10, 20}; /* (25 + 4 + 1 + 4 + 0 + 100) / 10 */
    NEAR(stats_chi_squared(die, COUNT(die)), 13.4, 1e-12);
    NEAR(stats_chi_squared(before, COUNT(before)), 122106 / 46.25 - 370, 1e-9);
    NEAR(stats_chi_squared(after, COUNT(after)), 193085 / 154.875 - 1239, 1e-9);
    NEAR(stats_chi_squared(equal, COUNT(equal)), 0, 0);
    NEAR(stats_chi_squared(one, COUNT(one)), 36, 1e-12); /* (81 + 3 * 9) / 3 */
    NEAR(stats_chi_squared(none, COUNT(none)), 0, 0);
    NEAR(stats_chi_squared(none, 0), 0, 0);
}

/* Critical values as statistical tables print them (NIST/SEMATECH e-Handbook, 1.3.6.7.4): rounded
 * to three places, so p lies between what the two ends of the rounding give. */
static const struct {
    double p;
    unsigned dof;
    double x;
} table[] = {
    {0.05, 1, 3.841},     {0.05, 2, 5.991},    {0.05, 3, 7.815},      {0.05, 4, 9.488},
    {0.05, 5, 11.070},    {0.05, 7, 14.067},   {0.05, 10, 18.307},    {0.05, 15, 24.996},
    {0.05, 31, 44.985},   {0.05, 63, 82.529},  {0.05, 100, 124.342},  {0.01, 1, 6.635},
    {0.01, 3, 11.345},    {0.01, 7, 18.475},   {0.01, 15, 30.578},    {0.01, 31, 52.191},
    {0.01, 100, 135.807}, {0.001, 1, 10.828},  {0.001, 3, 16.266},    {0.001, 7, 24.322},
    {0.001, 15, 37.697},  {0.001, 31, 61.098}, {0.001, 100, 149.449}, {0.90, 5, 1.610},
    {0.95, 7, 2.167},     {0.95, 10, 3.940},   {0.99, 10, 2.558},     {0.95, 100, 77.929},
    {0.99, 100, 70.065},
};

Test(lab_stats, chi_squared_p_is_as_in_the_tables)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        double most = stats_chi_squared_p(table[i].x - 0.00051, table[i].dof);
        double least = stats_chi_squared_p(table[i].x + 0.00051, table[i].dof);
        cr_expect(least <= table[i].p && table[i].p <= most, "dof %u, %g: %.9g..%.9g", table[i].dof,
                  table[i].x, least, most);
    }
}

/* With 2 degrees of freedom it is e^(-x/2), with 4 that times (1 + x/2), with 1 it is
 * erfc(sqrt(x/2)): on both sides of where one expansion takes over from the other. */
Test(lab_stats, chi_squared_p_where_it_has_a_closed_form)
{
    for (double x = 0.01; x < 200; x *= 1.1) {
        double e = exp(-x / 2);
        NEAR(stats_chi_squared_p(x, 2) / e, 1, 1e-11 + 1e-15 / e);
        NEAR(stats_chi_squared_p(x, 4) / (e * (1 + x / 2)), 1, 1e-11 + 1e-15 / e);
        NEAR(stats_chi_squared_p(x, 1), erfc(sqrt(x / 2)), 1e-12);
    }
}

Test(lab_stats, chi_squared_p_at_the_ends)
{
    NEAR(stats_chi_squared_p(5, 0), 1, 0);
    NEAR(stats_chi_squared_p(0, 7), 1, 0);
    NEAR(stats_chi_squared_p(-1, 7), 1, 0);
    NEAR(stats_chi_squared_p(1e-300, 7), 1, 0);
    NEAR(stats_chi_squared_p(1e6, 7), 0, 0);
    NEAR(stats_chi_squared_p(INFINITY, 7), 0, 0);
    cr_expect(isnan(stats_chi_squared_p(NAN, 7)));
    cr_expect(stats_chi_squared_p(1e5, 100000) > 0.49 && stats_chi_squared_p(1e5, 100000) < 0.51);
}

static const double odd[] = {30, 10, 20};
static const double even[] = {40, 10, 30, 20};

Test(lab_stats, median_by_hand)
{
    NEAR(stats_median(odd, 3), 20, 0);
    NEAR(stats_median(even, 4), 25, 0);
    NEAR(stats_median(even, 1), 40, 0);
    NEAR(stats_median(even, 0), 0, 0);
    cr_expect(odd[0] == 30 && odd[1] == 10, "the values stay in their order");
}

Test(lab_stats, quantiles_are_of_the_nearest_rank)
{
    static const double five[] = {50, 15, 35, 20, 40}; /* sorted: 15 20 35 40 50 */
    NEAR(stats_quantile(five, 5, 0), 15, 0);
    NEAR(stats_quantile(five, 5, 50), 15, 0);  /* rank 0.25 */
    NEAR(stats_quantile(five, 5, 300), 20, 0); /* rank 1.5 */
    NEAR(stats_quantile(five, 5, 400), 20, 0); /* rank 2 */
    NEAR(stats_quantile(five, 5, 401), 35, 0);
    NEAR(stats_quantile(five, 5, 500), 35, 0); /* rank 2.5 */
    NEAR(stats_quantile(five, 5, 999), 50, 0);
    NEAR(stats_quantile(five, 5, 1000), 50, 0);
    NEAR(stats_quantile(five, 5, 2000), 50, 0);
    NEAR(stats_quantile(five, 0, 500), 0, 0);
}
