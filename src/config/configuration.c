#include "config/configuration.h"

#include <string.h>

#include "config/keys.h"

size_t configuration_app_count(const struct configuration *c)
{
    return c->sites ? c->sites->count : 1;
}

const struct drover_app *configuration_app(const struct configuration *c, size_t i)
{
    return c->sites ? c->sites->apps[i].app : c->app;
}

const struct settings *configuration_told(const struct configuration *c, size_t i)
{
    return c->told ? c->told[i] : &c->settings;
}

static int apply(const struct drover_app *app, const struct settings *told, char *why,
                 size_t why_size)
{
    if (keys_default(app->keys, why, why_size) < 0)
        return -1;
    for (int i = 0; i < told->set_count; i++)
        if (keys_set(app->keys, told->sets[i], why, why_size) < 0)
            return -1;
    return 0;
}

int configuration_apply(const struct configuration *c, char *why, size_t why_size)
{
    for (size_t i = 0; i < configuration_app_count(c); i++)
        if (apply(configuration_app(c, i), configuration_told(c, i), why, why_size) < 0)
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
