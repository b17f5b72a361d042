#include "load/ledger.h"

#include <criterion/criterion.h>
#include <string.h>

Test(load_ledger, an_empty_one_has_lost_nothing)
{
    struct ledger ledger = {0};
    cr_expect_eq(ledger_total(&ledger), 0);
    cr_expect_eq(ledger_lost(&ledger), 0);
    for (enum outcome i = 0; i < OUTCOME_COUNT; i++)
        cr_expect_eq(ledger_first_count(&ledger, i), 0);
}

Test(load_ledger, all_but_answered_and_local_is_lost)
{
    struct ledger ledger = {0};
    for (enum outcome i = 0; i < OUTCOME_COUNT; i++)
        ledger_add(&ledger, i, 1);
    cr_expect_eq(ledger_total(&ledger), OUTCOME_COUNT);
    cr_expect_eq(ledger_lost(&ledger), OUTCOME_COUNT - 2);

    ledger_add(&ledger, OUTCOME_ANSWERED, 2);
    ledger_add(&ledger, OUTCOME_LOCAL, 2);
    cr_expect_eq(ledger_lost(&ledger), OUTCOME_COUNT - 2);
    ledger_add(&ledger, OUTCOME_REFUSED, 2);
    ledger_add(&ledger, OUTCOME_MALFORMED, 2);
    cr_expect_eq(ledger_lost(&ledger), OUTCOME_COUNT);
}

Test(load_ledger, keeps_the_first_times_of_each_outcome)
{
    struct ledger ledger = {0};
    for (int i = 0; i < LEDGER_FIRST_MAX + 3; i++)
        ledger_add(&ledger, OUTCOME_RESET, 100 + i);
    ledger_add(&ledger, OUTCOME_SILENT, 7);

    cr_expect_eq(ledger.count[OUTCOME_RESET], LEDGER_FIRST_MAX + 3);
    cr_expect_eq(ledger_first_count(&ledger, OUTCOME_RESET), LEDGER_FIRST_MAX);
    for (int i = 0; i < LEDGER_FIRST_MAX; i++)
        cr_expect_eq(ledger.first_us[OUTCOME_RESET][i], 100 + i);
    cr_expect_eq(ledger_first_count(&ledger, OUTCOME_SILENT), 1);
    cr_expect_eq(ledger.first_us[OUTCOME_SILENT][0], 7);
    cr_expect_eq(ledger_first_count(&ledger, OUTCOME_CLOSED), 0);
}

Test(load_ledger, every_outcome_has_its_own_name)
{
    for (enum outcome i = 0; i < OUTCOME_COUNT; i++) {
        cr_assert_not_null(outcome_name(i));
        for (enum outcome j = 0; j < i; j++)
            cr_expect_str_neq(outcome_name(i), outcome_name(j));
    }
    cr_expect_str_eq(outcome_name(OUTCOME_CUT_SHORT), "cut_short");
}
