#include "load/ledger.h"

static const char *const names[] = {
    [OUTCOME_ANSWERED] = "answered",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_RESET] = "reset",
    [OUTCOME_CLOSED] = "closed",
    [OUTCOME_UNANSWERED] = "unanswered",
    [OUTCOME_RESET_IN_ANSWER] = "reset_in_answer",
    [OUTCOME_CUT_SHORT] = "cut_short",
    [OUTCOME_SILENT] = "silent",
    [OUTCOME_WRONG_STATUS] = "wrong_status",
    [OUTCOME_WRONG_BODY] = "wrong_body",
    [OUTCOME_MALFORMED] = "malformed",
    [OUTCOME_LOCAL] = "local",
};
_Static_assert(sizeof names / sizeof *names == OUTCOME_COUNT, "a name an outcome");

const char *outcome_name(enum outcome outcome)
{
    return names[outcome];
}

bool outcome_is_loss(enum outcome outcome)
{
    return outcome != OUTCOME_ANSWERED && outcome != OUTCOME_LOCAL;
}

void ledger_add(struct ledger *ledger, enum outcome outcome, int64_t at_us)
{
    uint64_t n = ledger->count[outcome]++;
    if (n < LEDGER_FIRST_MAX)
        ledger->first_us[outcome][n] = at_us;
}

void ledger_add_wrong(struct ledger *ledger, int status)
{
    if (status >= 0 && status < LEDGER_STATUS_COUNT)
        ledger->wrong[status]++;
}

size_t ledger_first_count(const struct ledger *ledger, enum outcome outcome)
{
    uint64_t n = ledger->count[outcome];
    return n < LEDGER_FIRST_MAX ? (size_t)n : LEDGER_FIRST_MAX;
}

uint64_t ledger_total(const struct ledger *ledger)
{
    uint64_t total = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++)
        total += ledger->count[i];
    return total;
}

uint64_t ledger_lost(const struct ledger *ledger)
{
    return ledger_total(ledger) - ledger->count[OUTCOME_ANSWERED] - ledger->count[OUTCOME_LOCAL];
}
