#include "load/result.h"

#include <string.h>

void result_init(struct result *result, int64_t window_us)
{
    memset(result, 0, sizeof *result);
    windows_init(&result->windows, window_us);
}

void result_free(struct result *result)
{
    windows_free(&result->windows);
}

void result_add(struct result *result, enum outcome outcome, int64_t at_us, int64_t latency_us)
{
    ledger_add(&result->ledger, outcome, at_us);
    if (outcome == OUTCOME_ANSWERED)
        histogram_add(&result->latency, latency_us);
    windows_add(&result->windows, outcome, at_us, latency_us);
}
