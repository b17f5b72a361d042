#include "lab/trial/stats.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double sum_of(const uint64_t *counts, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)counts[i];
    return sum;
}

double stats_jain(const uint64_t *counts, size_t n)
{
    double sum = sum_of(counts, n);
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)counts[i] * (double)counts[i];
    return squares > 0 ? sum * sum / ((double)n * squares) : 1;
}

double stats_jain_by_chance(size_t n, uint64_t throws)
{
    if (n == 0 || throws == 0)
        return 1;
    return 1 / (1 + (double)(n - 1) / (double)throws);
}

double stats_max_over_mean(const uint64_t *counts, size_t n)
{
    double sum = sum_of(counts, n);
    uint64_t max = 0;
    for (size_t i = 0; i < n; i++)
        max = counts[i] > max ? counts[i] : max;
    return sum > 0 ? (double)max * (double)n / sum : 1;
}

double stats_chi_squared(const uint64_t *counts, size_t n)
{
    double mean = n > 0 ? sum_of(counts, n) / (double)n : 0;
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += ((double)counts[i] - mean) * ((double)counts[i] - mean);
    return mean > 0 ? squares / mean : 0;
}

/* Terms of either expansion at most: they come to the precision of a double after some sqrt(a). */
#define TERMS_MAX 100000

/* x^a e^-x / gamma(a), what both expansions begin with. */
static double gamma_factor(double a, double x)
{
    int sign;
    return exp(a * log(x) - x - lgamma_r(a, &sign));
}

/* P(a, x), the lower one, by its series (DLMF 8.7.1): quick below x = a + 1. */
static double gamma_p_series(double a, double x)
{
    double term = 1 / a;
    double sum = term;
    for (int i = 1; i < TERMS_MAX && term > sum * DBL_EPSILON; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum * gamma_factor(a, x);
}

/* Q(a, x), the upper one, by its continued fraction (DLMF 8.9.2): quick above x = a + 1. Evaluated
 * from the front as Lentz does, where a part that is 0 is taken for a very small one. */
static double gamma_q_fraction(double a, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double fraction = d;
    for (int i = 1; i < TERMS_MAX; i++) {
        double part = -i * (i - a);
        b += 2;
        d = part * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + part / c;
        c = fabs(c) < tiny ? tiny : c;
        fraction *= c * d;
        if (fabs(c * d - 1) < DBL_EPSILON)
            break;
    }
    return fraction * gamma_factor(a, x);
}

double stats_chi_squared_p(double x, unsigned dof)
{
    double a = dof / 2.0;
    x /= 2;
    if (isnan(x))
        return x;
    if (dof == 0 || x <= 0)
        return 1;
    if (isinf(x))
        return 0;
    double q = x < a + 1 ? 1 - gamma_p_series(a, x) : gamma_q_fraction(a, x);
    return q < 0 ? 0 : q;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* A copy, for the caller to free; NULL of none, or without memory. */
static double *sorted(const double *values, size_t n)
{
    double *copy = n > 0 ? calloc(n, sizeof *copy) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, values, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, compare);
    return copy;
}

double stats_median(const double *values, size_t n)
{
    double *copy = sorted(values, n);
    if (!copy)
        return n > 0 ? NAN : 0;
    double median = n % 2 ? copy[n / 2] : (copy[n / 2 - 1] + copy[n / 2]) / 2;
    free(copy);
    return median;
}

double stats_quantile(const double *values, size_t n, unsigned permille)
{
    double *copy = sorted(values, n);
    if (!copy)
        return n > 0 ? NAN : 0;
    size_t rank = (n * permille + 999) / 1000; /* counted from 1, rounded up */
    rank = rank < 1 ? 1 : rank;
    double value = copy[(rank < n ? rank : n) - 1];
    free(copy);
    return value;
}
