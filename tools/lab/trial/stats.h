/*
 * stats - figures of a list of counts. Pure.
 */
#ifndef DROVER_LAB_TRIAL_STATS_H
#define DROVER_LAB_TRIAL_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Jain's fairness index: 1 when all are equal, 1/n when one has all; 1 when there is nothing. */
double stats_jain(const uint64_t *counts, size_t n);

/* The index that n fair dice give on average for so many throws: 1/(1 + (n - 1)/throws). */
double stats_jain_by_chance(size_t n, uint64_t throws);

/* The largest over the mean; 1 when there is nothing. */
double stats_max_over_mean(const uint64_t *counts, size_t n);

/* Pearson's chi-squared against a uniform distribution; 0 when there is nothing. */
double stats_chi_squared(const uint64_t *counts, size_t n);

/* The probability that chance alone gives such a chi-squared or a larger one, with so many degrees
 * of freedom: the regularised upper incomplete gamma function Q(dof/2, x/2). 1 for dof 0. */
double stats_chi_squared_p(double x, unsigned dof);

/* Of values in any order, which stay as they are; none of them is NAN. 0 of none. NAN where memory
 * runs out, which is what the figures of this program are that could not be had. */
double stats_median(const double *values, size_t n);

/* The value that so many of 1000 do not exceed, by nearest rank. 0 of none. */
double stats_quantile(const double *values, size_t n, unsigned permille);

#endif
