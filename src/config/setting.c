#include "config/setting.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/address.h"
#include "config/nearest.h"
#include "config/site.h"
#include "config/values.h"
#include "os/cpus.h"
#include "worker/access_format.h"

struct what {
    char *text;
    size_t size;
};

static bool wrong(struct what what, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct what what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(what.text, what.size, format, args);
    va_end(args);
    return false;
}

/* One that another listener of this server would have. */
static const struct net_address *first_twice(const struct net_address *list, size_t have, size_t n)
{
    for (size_t i = have; i < have + n; i++)
        for (size_t k = 0; k < have && !list[i].any_port && !net_is_name(&list[i]); k++)
            if (!net_is_name(&list[k]) && net_is_same(&list[i], &list[k]))
                return &list[i];
    return NULL;
}

static bool set_address(const char *value, struct settings *s, struct what what)
{
    char text[NET_TEXT_SIZE];
    size_t have = (size_t)s->address_count;
    size_t n = address_parse(value, s->addresses + have, ADDRESSES_MAX - have, what.text,
                             what.size);
    const struct net_address *twice = first_twice(s->addresses, have, n);
    if (twice) {
        net_text(twice, text);
        return wrong(what, "was given already: %s", text);
    }
    s->address_count += (int)n;
    return n > 0;
}

/* The last one that is given holds, with all the addresses that its host has. */
static bool set_admin(const char *value, struct settings *s, struct what what)
{
    s->admin_count = 0;
    if (strcmp(value, "off") != 0)
        s->admin_count = (int)address_parse(value, s->admin, ADDRESSES_MAX, what.text, what.size);
    return s->admin_count > 0 || strcmp(value, "off") == 0;
}

static bool set_trust(const char *value, struct forwarded_rules *rules, struct what what)
{
    if (strcmp(value, "unix") == 0) {
        rules->trusts_unix = true;
        return true;
    }
    if (rules->count == FORWARDED_NETWORKS_MAX)
        return wrong(what, "there are too many; %d are allowed", FORWARDED_NETWORKS_MAX);
    const char *why = ip_network_parse(span_of(value), &rules->networks[rules->count]);
    if (why)
        return wrong(what, "%s", why);
    rules->count++;
    return true;
}

static bool set_number(const struct option *o, const char *value, int64_t *member, struct what what)
{
    int64_t n;
    bool is_auto = o->type == OPTION_WORKERS && strcmp(value, "auto") == 0;
    if (is_auto)
        n = cpus_usable() < SLOTS_MAX ? cpus_usable() : SLOTS_MAX;
    else if (!value_number(value, &n) || n < o->min || n > o->max)
        return wrong(what, "must be %sa whole number from %lld to %lld",
                     o->type == OPTION_WORKERS ? "\"auto\" or " : "", (long long)o->min,
                     (long long)o->max);
    *member = n;
    return true;
}

static bool set_duration(const struct option *o, const char *value, int64_t *member,
                         struct what what)
{
    char most[32];
    int64_t n;
    value_print_duration(o->max, most, sizeof most);
    if (!value_duration(value, &n) || n > o->max)
        return wrong(what,
                     "must be a number with ms, s, m or h, as in 250ms or 10s, at most %s; 0 is %s",
                     most, o->offset == offsetof(struct settings, lame_duck) ? "none" : "never");
    *member = n;
    return true;
}

static bool set_size(const struct option *o, const char *value, int64_t *member, struct what what)
{
    char least[32], most[32], bounds[80] = "";
    int64_t n;
    value_print_size(o->min, least, sizeof least);
    value_print_size(o->max, most, sizeof most);
    if (o->max < INT64_MAX)
        snprintf(bounds, sizeof bounds, ", from %s to %s", least, most);
    if (!value_size(value, &n) || n < o->min || n > o->max)
        return wrong(what, "must be a number of bytes, or one with k, m or g, as in 64k%s", bounds);
    *member = n;
    return true;
}

/* Which of these names it is, the number of the first is 0; -1: none. */
static int index_of(const char *value, const char *const *names, int count)
{
    int i = count - 1;
    while (i >= 0 && strcmp(value, names[i]) != 0)
        i--;
    return i;
}

static bool set_level(const char *value, enum log_level *member, struct what what)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    int i = index_of(value, names, 4);
    if (i < 0)
        return wrong(what, "must be error, warn, info or debug");
    *member = (enum log_level)i;
    return true;
}

static bool set_log_format(const char *value, enum log_format *member, struct what what)
{
    static const char *const names[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};
    int i = index_of(value, names, 2);
    if (i < 0)
        return wrong(what, "must be text or json");
    *member = (enum log_format)i;
    return true;
}

/* Is it a word that somebody would not call a file by? */
static bool is_reserved(const char *value)
{
    static const char *const words[] = {"-",      "off",    "on",     "yes",  "no",
                                        "true",   "false",  "none",   "null", "stdout",
                                        "stderr", "syslog", "journal"};
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count && strcasecmp(value, words[i]) != 0)
        i++;
    return i < count;
}

static bool set_path(const char *value, const char *words, const char **member, struct what what)
{
    if (is_reserved(value))
        return wrong(what, "is no word here (%s, or a file's path); a file of that name is ./%s",
                     words, value);
    *member = value;
    return true;
}

static bool set_access_log(const char *value, const char **member, struct what what)
{
    if (!*value)
        return wrong(what, "must not be empty");
    if (strcmp(value, "off") != 0 && strcmp(value, "-") != 0)
        return set_path(value, "off, -", member, what);
    *member = value;
    return true;
}

static bool set_log(const char *value, const char **member, struct what what)
{
    static const char *const names[] = {"stderr", "syslog", "journal"};
    const char *nearest = strchr(value, '/') ? NULL : nearest_name(value, names, 3);
    if (!*value)
        return wrong(what, "must be stderr, syslog, journal or a file's path");
    if (nearest && strcmp(nearest, value) != 0)
        return wrong(what, "did you mean %s? A file of that name is ./%.200s", nearest, value);
    if (!nearest)
        return set_path(value, "stderr, syslog, journal", member, what);
    *member = value;
    return true;
}

static bool set_access_format(const char *value, const char **member, struct what what)
{
    struct access_format format;
    if (!access_format_read(&format, value, what.text, what.size))
        return false;
    *member = value;
    return true;
}

static bool set_preemption(const char *value, enum preemption *member, struct what what)
{
    static const char *const names[] = {
        [PREEMPT_AUTO] = "auto", [PREEMPT_YES] = "yes", [PREEMPT_NO] = "no"};
    int i = index_of(value, names, 3);
    if (i < 0)
        return wrong(what, "must be auto, yes or no");
    *member = (enum preemption)i;
    return true;
}

static bool set_text(const struct option *o, const char *value, const char **member,
                     struct what what)
{
    if (!*value)
        return wrong(what, "must not be empty");
    if (o->max && strlen(value) > (size_t)o->max)
        return wrong(what, "is longer than %lld bytes", (long long)o->max);
    *member = value;
    return true;
}

static bool add_set(const char *value, struct settings *s, struct what what)
{
    if (!strchr(value, '='))
        return wrong(what, "its value is missing, as in %.200s=VALUE", value);
    if (s->set_count == SETS_MAX)
        return wrong(what, "there are too many; %d are allowed", SETS_MAX);
    s->sets[s->set_count++] = value;
    return true;
}

static bool set_checked(const char *value, const char **member, bool is_right)
{
    if (is_right)
        *member = value;
    return is_right;
}

bool setting_take(const struct option *o, const char *value, struct settings *s, char *text,
                  size_t size)
{
    struct what what = {.text = text, .size = size};
    void *member = (char *)s + o->offset;
    switch (o->type) {
    case OPTION_ADDRESS: return set_address(value, s, what);
    case OPTION_ADMIN: return set_admin(value, s, what);
    case OPTION_TRUST: return set_trust(value, member, what);
    case OPTION_WORKERS:
    case OPTION_NUMBER: return set_number(o, value, member, what);
    case OPTION_SIZE: return set_size(o, value, member, what);
    case OPTION_DURATION: return set_duration(o, value, member, what);
    case OPTION_LEVEL: return set_level(value, member, what);
    case OPTION_LOG: return set_log(value, member, what);
    case OPTION_ACCESS_LOG: return set_access_log(value, member, what);
    case OPTION_LOG_FORMAT: return set_log_format(value, member, what);
    case OPTION_ACCESS_FORMAT: return set_access_format(value, member, what);
    case OPTION_PREEMPTION: return set_preemption(value, member, what);
    case OPTION_SET: return add_set(value, s, what);
    case OPTION_CONFIG: return wrong(what, "is for the command line");
    case OPTION_APP:
    case OPTION_TEXT: return set_text(o, value, member, what);
    case OPTION_YES_NO: return value_bool(value, member) || wrong(what, "must be yes or no");
    case OPTION_ON_OFF: return value_on_off(value, member) || wrong(what, "must be on or off");
    case OPTION_SITE_FIELD: return site_field(value, s, text, size);
    case OPTION_SITE_PAGE: return site_page(value, s, text, size);
    case OPTION_SITE_CACHE: return site_cache(value, s, text, size);
    case OPTION_HOST: return site_host(value, s, text, size);
    case OPTION_PREFIX: return set_checked(value, member, site_prefix(value, text, size));
    case OPTION_SITE_PATH: return set_checked(value, member, site_path(value, text, size));
    case OPTION_FIELD_VALUE: return set_checked(value, member, site_field_value(value, text, size));
    }
    return wrong(what, "has no type");
}
