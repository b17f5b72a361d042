#include "lab/strategies/strategies.h"

#include <string.h>

#define STRATEGY_ROW(name) &strategy_##name,

const struct strategy *const strategies[] = {STRATEGIES(STRATEGY_ROW) NULL};

const struct strategy *strategy_find(const char *name)
{
    for (size_t i = 0; strategies[i]; i++)
        if (strcmp(strategies[i]->name, name) == 0)
            return strategies[i];
    return NULL;
}
