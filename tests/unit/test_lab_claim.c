/* What of the claims is no experiment: those are tried in tests/system. */
#include "lab/claims/claim.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "lab/claims/claims_run.h"
#include "lab/claims/fixture.h"

Test(lab_claim, every_row_is_whole)
{
    for (const struct claim *c = claims; c->text; c++) {
        cr_expect(c->source && *c->source, "%s: has no source", c->text);
        cr_expect(c->try != NULL, "%s: has no experiment", c->text);
    }
}

Test(lab_claim, none_is_told_or_tried_twice)
{
    for (const struct claim *a = claims; a->text; a++)
        for (const struct claim *b = a + 1; b->text; b++) {
            cr_expect(strcmp(a->text, b->text) != 0, "twice: %s", a->text);
            cr_expect(a->try != b->try, "one experiment for %s and %s", a->text, b->text);
        }
}

Test(lab_claim, verdicts_have_the_names_of_the_result_file)
{
    cr_expect_str_eq(verdict_name(CLAIM_HOLDS), "holds");
    cr_expect_str_eq(verdict_name(CLAIM_FAILS), "fails");
    cr_expect_str_eq(verdict_name(CLAIM_DEPENDS), "depends");
    cr_expect_str_eq(verdict_name(CLAIM_UNKNOWN), "unknown");
}

Test(lab_claim, a_finding_has_both)
{
    struct finding f = {.verdict = CLAIM_UNKNOWN};
    finding_set(&f, CLAIM_FAILS, "%d of %d", 2, 3);
    cr_expect_eq(f.verdict, CLAIM_FAILS);
    cr_expect_str_eq(f.evidence, "2 of 3");
}

Test(lab_claim, evidence_that_is_too_long_is_cut)
{
    struct finding f;
    finding_set(&f, CLAIM_HOLDS, "%600s", "x");
    cr_expect_eq(strlen(f.evidence), sizeof f.evidence - 1);
}

Test(lab_claim, a_pattern_chooses_by_words_whatever_their_case)
{
    cr_expect_eq(claims_count("EPOLLEXCLUSIVE"), 3);
    cr_expect_eq(claims_count("epollexclusive"), 3);
    cr_expect_eq(claims_count("nobody tells this"), 0);
    cr_expect_geq(claims_count(NULL), 35);
}

Test(lab_claim, only_a_claim_that_depends_says_on_what)
{
    cr_expect_str_eq(depends_on(CLAIM_DEPENDS, "the signal"), "on the signal: ");
    cr_expect_str_eq(depends_on(CLAIM_HOLDS, "the signal"), "");
    cr_expect_str_eq(depends_on(CLAIM_FAILS, "the signal"), "");
}

Test(lab_claim, the_exponent_of_a_cost)
{
    const size_t n[] = {10, 100, 1000};
    const double linear[] = {30, 300, 3000}, square[] = {2, 200, 20000}, flat[] = {7, 7, 7};
    cr_expect_float_eq(fixture_exponent(n, linear, 3), 1, 1e-9);
    cr_expect_float_eq(fixture_exponent(n, square, 3), 2, 1e-9);
    cr_expect_float_eq(fixture_exponent(n, flat, 3), 0, 1e-9);
}

/* y = log10(cost) is 1, 1, 2 over x = 0, 1, 2: the slope is ((0-1)(1-4/3) + (2-1)(2-4/3))/2. */
Test(lab_claim, the_exponent_is_of_least_squares)
{
    const size_t n[] = {1, 10, 100};
    const double cost[] = {10, 10, 100};
    cr_expect_float_eq(fixture_exponent(n, cost, 3), 0.5, 1e-9);
}

Test(lab_claim, least_and_median)
{
    double odd[] = {3, 1, 2}, even[] = {4, 1, 2, 8};
    cr_expect_float_eq(fixture_least(odd, 3), 1, 0);
    cr_expect_float_eq(fixture_median(odd, 3), 2, 0);
    cr_expect_float_eq(fixture_median(even, 4), 3, 0);
}

Test(lab_claim, an_error_has_its_name)
{
    cr_expect_str_eq(error_name(EPERM), "EPERM");
    cr_expect_str_eq(error_name(0), "no error");
    cr_expect_str_eq(error_name(12345), "an unknown error");
}
