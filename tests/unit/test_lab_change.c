#include "lab/report/change.h"

#include <criterion/criterion.h>
#include <math.h>

struct change_case {
    const char *name;
    struct sample a, b;
    double noise;
    bool is_one;
};

#define SINGLE(m)                                   \
    {                                               \
        .median = (m), .half_range = NAN, .runs = 1 \
    }
#define REPEATS(m, range)                               \
    {                                                   \
        .median = (m), .half_range = (range), .runs = 3 \
    }

Test(lab_change, beyond_the_spread_or_else_a_threshold)
{
    static const struct change_figure figure = {"cpu", "CPU", .threshold = 0.15, .least = 0.5};
    static const struct change_case cases[] = {
        {"the same", REPEATS(10, 1), REPEATS(10, 1), 0, false},
        {"within both ranges", REPEATS(10, 1), REPEATS(12, 1), 0, false},
        {"beyond both ranges", REPEATS(10, 1), REPEATS(12.1, 1), 0, true},
        {"beyond one range, within both", REPEATS(10, 0.1), REPEATS(12.1, 2), 0, false},
        {"less, beyond", REPEATS(12.1, 1), REPEATS(10, 1), 0, true},
        {"exact, but below 2 %", REPEATS(100, 0), REPEATS(101.9, 0), 0, false},
        {"exact, above 2 %", REPEATS(100, 0), REPEATS(102.1, 0), 0, true},
        {"repeats agree by luck: within twice the noise", REPEATS(10, 0), REPEATS(11.9, 0), 0.1,
         false},
        {"beyond twice the noise", REPEATS(10, 0), REPEATS(13, 0), 0.1, true},
        {"a single one, within the other's range", SINGLE(10), REPEATS(14, 5), 0, false},
        {"a single one, beyond the other's range", SINGLE(10), REPEATS(14, 3), 0, true},
        {"exact, but less than can be told", REPEATS(1, 0), REPEATS(1.4, 0), 0, false},
        {"single runs within the threshold", SINGLE(10), SINGLE(11.7), 0, false},
        {"single runs beyond it", SINGLE(10), SINGLE(11.8), 0, true},
        {"one of them single: the threshold", REPEATS(10, 0), SINGLE(11.7), 0, false},
        {"from nothing", SINGLE(0), SINGLE(1), 0, true},
        {"both nothing", SINGLE(0), SINGLE(0), 0, false},
        {"not measured in one",
         SINGLE(10),
         {.median = NAN, .half_range = NAN, .runs = 0},
         0,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(change_is_one(&cases[i].a, &cases[i].b, &figure, cases[i].noise),
                     cases[i].is_one, "%s", cases[i].name);
}

Test(lab_change, its_size_is_the_same_both_ways)
{
    struct sample one = SINGLE(10), two = SINGLE(20), none = SINGLE(0);
    cr_expect_float_eq(change_size(&one, &two), log(2), 1e-12);
    cr_expect_float_eq(change_size(&two, &one), log(2), 1e-12);
    cr_expect_eq(change_size(&one, &one), 0);
    cr_expect_eq(change_size(&none, &one), INFINITY);
    cr_expect_eq(change_size(&none, &none), 0);
}
