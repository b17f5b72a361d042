#include "master/patience.h"

#include <stdbool.h>

#include "base/limits.h"

static bool is_over(const struct patience *patience, int64_t now)
{
    return now - patience->last_at > STANDBY_PATIENT_MS;
}

int64_t patience_ms(const struct patience *patience, int64_t now, int64_t most)
{
    int64_t ms = STANDBY_TURN_MS;
    for (int i = is_over(patience, now) ? 0 : patience->doubled; i > 0 && ms < most; i--)
        ms *= 2;
    return ms < most ? ms : most;
}

void patience_note(struct patience *patience, int64_t now)
{
    if (is_over(patience, now))
        patience->doubled = 0;
    patience->last_at = now;
}

void patience_double(struct patience *patience, int64_t now)
{
    patience_note(patience, now);
    patience->doubled++;
}
