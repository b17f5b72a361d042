/*
 * change - whether a figure that was measured twice, here and there, is another one. Pure.
 *
 * Where both sides have repeats, it is when the medians lie further apart than half the range of
 * one and of the other together, than CHANGE_SHARE_MIN, and than CHANGE_NOISE_TIMES the figure's
 * noise: two or three repeats that happen to agree are no proof of a small spread. Where one has a
 * single run its spread is unknown, and the figure's own threshold is taken instead, beside half
 * the range of the other. In either case a difference below the least that the figure can tell is
 * none.
 */
#ifndef DROVER_LAB_REPORT_CHANGE_H
#define DROVER_LAB_REPORT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

/* Of the larger median: less is not worth a line, however well it repeats. */
#define CHANGE_SHARE_MIN 0.02

/* The noise of a figure is what so many of 1000 half ranges stay within, of all that was repeated
 * under the same workload. For normal errors and three repeats, twice that is three times the
 * standard error of a difference of two medians. */
#define CHANGE_NOISE_PERMILLE 900
#define CHANGE_NOISE_TIMES    2.0

struct change_figure {
    const char *field; /* of a result */
    const char *title;
    double threshold; /* of the larger median, where no spread is known */
    double least;     /* in the figure's unit */
};

/* What is compared; the last one has no field. */
extern const struct change_figure change_figures[];

struct sample {
    double median;
    double half_range; /* NAN of a single run */
    size_t runs;       /* 0: it was not measured */
};

/* Both have repeats, so that the spread judges. */
bool change_has_spread(const struct sample *a, const struct sample *b);

/* `noise` is a share of the median; 0: unknown. */
bool change_is_one(const struct sample *a, const struct sample *b,
                   const struct change_figure *figure, double noise);

/* How large it is, to sort by: the logarithm of the quotient, without its sign; INFINITY when one
 * of the two is 0, and 0 when both are. */
double change_size(const struct sample *a, const struct sample *b);

#endif
