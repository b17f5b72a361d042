#include "config/keys.h"

#include <string.h>

#include "config/nearest.h"
#include "config/options.h"
#include "config/values.h"

/* Most that are searched for the nearest name. */
#define NEAREST_MAX 64

static const struct type {
    const char *argument; /* how --help calls the value */
    const char *words;    /* what is allowed; bounds follow */
    const char *nothing;  /* the default without a fallback, in words */
} types[] = {
    [DROVER_TEXT] = {"TEXT", "any text", "none"},
    [DROVER_NUMBER] = {"N", "a whole number", "0"},
    [DROVER_SIZE] = {"SIZE", "a number of bytes, or one with k, m or g, as in 64k", "0"},
    [DROVER_DURATION] = {"TIME", "a number with ms, s, m or h, as in 250ms or 10s", "0"},
    [DROVER_YES_NO] = {"yes|no", "yes or no", "no"},
};

#define TYPE_COUNT (sizeof types / sizeof *types)

/* ------------------------------------------------------------------------------- the values */

static bool is_bounded(const struct drover_key *key)
{
    return key->min != 0 || key->max != 0;
}

static bool is_within(const struct drover_key *key, int64_t n)
{
    return is_bounded(key) ? n >= key->min && n <= key->max : n >= 0;
}

/* The only type that may be below 0, where its bounds allow it. */
static bool read_number(const char *text, int64_t *n)
{
    bool is_negative = text[0] == '-';
    if (!value_number(text + is_negative, n))
        return false;
    *n = is_negative ? -*n : *n;
    return true;
}

static bool read_integer(const struct drover_key *key, const char *text, int64_t *n)
{
    switch (key->type) {
    case DROVER_NUMBER: return read_number(text, n);
    case DROVER_SIZE: return value_size(text, n);
    case DROVER_DURATION: return value_duration(text, n);
    case DROVER_TEXT:
    case DROVER_YES_NO: break;
    }
    return false;
}

union value {
    const char *text;
    int64_t n;
    bool yes;
};

static bool read_value(const struct drover_key *key, const char *text, union value *value)
{
    switch (key->type) {
    case DROVER_TEXT: value->text = text; return true;
    case DROVER_YES_NO: return value_bool(text, &value->yes);
    case DROVER_NUMBER:
    case DROVER_SIZE:
    case DROVER_DURATION: return read_integer(key, text, &value->n) && is_within(key, value->n);
    }
    return false;
}

static void assign(const struct drover_key *key, union value value)
{
    if (key->type == DROVER_TEXT)
        *(const char **)key->value = value.text;
    else if (key->type == DROVER_YES_NO)
        *(int *)key->value = value.yes;
    else
        *(int64_t *)key->value = value.n;
}

/* A text is NULL then, all else 0; whatever the bounds. */
static void assign_nothing(const struct drover_key *key)
{
    if (key->type == DROVER_TEXT)
        *(const char **)key->value = NULL;
    else if (key->type == DROVER_YES_NO)
        *(int *)key->value = 0;
    else
        *(int64_t *)key->value = 0;
}

static void print_integer(const struct drover_key *key, int64_t n, char text[32])
{
    if (key->type == DROVER_SIZE)
        value_print_size(n, text, 32);
    else if (key->type == DROVER_DURATION)
        value_print_duration(n, text, 32);
    else
        snprintf(text, 32, "%lld", (long long)n);
}

/* "must be a whole number from 1 to 9" */
static void print_allowed(const struct drover_key *key, char *text, size_t size)
{
    char least[32], most[32];
    print_integer(key, key->min, least);
    print_integer(key, key->max, most);
    int n = snprintf(text, size, "must be %s", types[key->type].words);
    if (key->max == INT64_MAX)
        snprintf(text + n, size - (size_t)n, ", at least %s", least);
    else if (is_bounded(key) && key->type != DROVER_TEXT && key->type != DROVER_YES_NO)
        snprintf(text + n, size - (size_t)n, "%s from %s to %s",
                 key->type == DROVER_NUMBER ? "" : ",", least, most);
}

/* -------------------------------------------------------------------------------- the table */

static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(name);
    return n > 0 && n < 32 && strspn(name, allowed) == n;
}

static const struct drover_key *find(const struct drover_key *keys, const char *name, size_t n)
{
    for (; keys && keys->name; keys++)
        if (strlen(keys->name) == n && memcmp(keys->name, name, n) == 0)
            return keys;
    return NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *fault(const struct drover_key *keys, const struct drover_key *key)
{
    if (!is_name(key->name))
        return "its name must be 1 to 31 letters, digits, '-' and '_'";
    if (find(keys, key->name, strlen(key->name)) != key)
        return "there are two of that name";
    if ((size_t)key->type >= TYPE_COUNT)
        return "its type is none of enum drover_key_type";
    if (!key->value)
        return "it has no place for its value";
    if (!key->help)
        return "it has no line of help";
    if (key->min > key->max)
        return "its min is above its max";
    return NULL;
}

int keys_check(const struct drover_key *keys, char *why, size_t why_size)
{
    char allowed[128];
    union value value;
    for (const struct drover_key *key = keys; key && key->name; key++) {
        const char *wrong = fault(keys, key);
        if (wrong) {
            snprintf(why, why_size, "the key \"%.40s\": %s", key->name, wrong);
            return -1;
        }
        if (key->fallback && !read_value(key, key->fallback, &value)) {
            print_allowed(key, allowed, sizeof allowed);
            snprintf(why, why_size, "the key \"%s\": its default, %.100s, %s", key->name,
                     key->fallback, allowed);
            return -1;
        }
    }
    return 0;
}

int keys_default(const struct drover_key *keys, char *why, size_t why_size)
{
    union value value;
    if (keys_check(keys, why, why_size) < 0)
        return -1;
    for (const struct drover_key *key = keys; key && key->name; key++) {
        assign_nothing(key);
        if (key->fallback && read_value(key, key->fallback, &value))
            assign(key, value);
    }
    return 0;
}

/* ----------------------------------------------------------------------------------- --set */

static int unknown(const struct drover_key *keys, const char *assignment, int n, char *what,
                   size_t size)
{
    const char *names[NEAREST_MAX];
    char typed[64], all[256] = "";
    size_t count = 0, used = 0;
    snprintf(typed, sizeof typed, "%.*s", n, assignment);
    for (const struct drover_key *key = keys; key && key->name && count < NEAREST_MAX; key++) {
        names[count++] = key->name;
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "",
                                     key->name);
    }
    const char *nearest = nearest_name(typed, names, count);
    if (nearest)
        snprintf(what, size, "there is no key \"%s\"; did you mean %s?", typed, nearest);
    else if (count > 0)
        snprintf(what, size, "there is no key \"%s\"; the application has %s", typed, all);
    else
        snprintf(what, size, "the application has no keys");
    return -1;
}

/* The key and the value that an assignment is of; NULL, and what is wrong with it. */
static const struct drover_key *read_assignment(const struct drover_key *keys,
                                                const char *assignment, union value *value,
                                                char *what, size_t size)
{
    size_t n = strcspn(assignment, "=");
    const struct drover_key *key = find(keys, assignment, n);
    if (!key)
        unknown(keys, assignment, (int)n, what, size);
    else if (assignment[n] == '=' && read_value(key, assignment + n + 1, value))
        return key;
    else
        print_allowed(key, what, size);
    return NULL;
}

int keys_test(const struct drover_key *keys, const char *assignment, char *what, size_t size)
{
    union value value;
    return read_assignment(keys, assignment, &value, what, size) ? 0 : -1;
}

int keys_set(const struct drover_key *keys, const char *assignment, char *why, size_t why_size)
{
    char what[384];
    union value value;
    const struct drover_key *key = read_assignment(keys, assignment, &value, what, sizeof what);
    if (!key) {
        snprintf(why, why_size, "--set %.200s: %s", assignment, what);
        return -1;
    }
    assign(key, value);
    return 0;
}

/* --------------------------------------------------------------------------------- the help */

void keys_print(FILE *to, const struct drover_key *keys)
{
    char row[64];
    for (; keys && keys->name; keys++) {
        const struct type *type = &types[keys->type];
        snprintf(row, sizeof row, "set %s=%s", keys->name, type->argument);
        options_print_row(to, row, keys->fallback ? keys->fallback : type->nothing, keys->help);
    }
}
