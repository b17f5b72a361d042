#include "config/section.h"

#include <stdlib.h>
#include <string.h>

#include "config/option.h"
#include "config/options.h"

struct section *sections_begin(struct sections *sections, const char *name,
                               const struct place *place)
{
    struct section *section = sections->count < SITES_MAX ? calloc(1, sizeof *section) : NULL;
    if (!section)
        return NULL;
    section->name = name;
    section->place = *place;
    options_defaults(&section->settings);
    section->settings.root = NULL;
    sections->list[sections->count++] = section;
    return section;
}

const struct section *sections_find(const struct sections *sections, const char *name)
{
    for (size_t i = 0; i < sections->count; i++)
        if (strcmp(sections->list[i]->name, name) == 0)
            return sections->list[i];
    return NULL;
}

void sections_free(struct sections *sections)
{
    for (size_t i = 0; i < sections->count; i++)
        free(sections->list[i]);
    sections->count = 0;
}

bool section_is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(name);
    return n > 0 && n <= SITE_NAME_MAX && strspn(name, allowed) == n;
}

struct span section_prefix(const struct section *section)
{
    struct span prefix = span_of(section->settings.prefix);
    if (prefix.n > 0 && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    return prefix;
}

bool section_is_at_odds(const struct section *one, const struct section *other, const char **host)
{
    const struct settings *a = &one->settings, *b = &other->settings;
    const struct option *o = option_find("host", strlen("host"));
    if (!span_eq(section_prefix(one), section_prefix(other)))
        return false;
    *host = NULL;
    for (size_t i = 0; i < a->host_count; i++)
        for (size_t k = 0; k < b->host_count; k++)
            if (option_is_same(o, a->hosts[i], b->hosts[k])) {
                *host = b->hosts[k];
                return true;
            }
    return a->host_count == 0 && b->host_count == 0;
}
