#include "config/configuration.h"

#include <string.h>

#include "config/keys.h"

int configuration_apply(const struct configuration *c, char *why, size_t why_size)
{
    const struct drover_key *keys = c->app->keys;
    if (keys_default(keys, why, why_size) < 0)
        return -1;
    for (int i = 0; i < c->settings.set_count; i++)
        if (keys_set(keys, c->settings.sets[i], why, why_size) < 0)
            return -1;
    return 0;
}

static bool is_same(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

size_t configuration_fixed(const struct configuration *present, const struct configuration *next,
                           const char *keys[CONFIGURATION_FIXED_MAX])
{
    const struct settings *a = &present->settings, *b = &next->settings;
    size_t count = 0;
    if (!is_same(a->pidfile, b->pidfile))
        keys[count++] = "pidfile";
    if (!is_same(a->control, b->control))
        keys[count++] = "control";
    return count;
}
