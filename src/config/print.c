#include "config/print.h"

#include <string.h>

#include "base/utf8.h"

/* Bytes of the character that starts here and can be shown as it is; 0: there is none. */
static size_t shown_length(const char *text)
{
    bool is_control = (unsigned char)*text < ' ' || *text == 0x7f;
    return is_control ? 0 : utf8_length(text, strlen(text));
}

/* Would a line with it, as it is, be read as something else, or harm a terminal? */
static bool wants_quotes(const char *value)
{
    size_t n = strlen(value), length = 1;
    if (n == 0 || strchr(" \"'#", value[0]) || value[n - 1] == ' ' || strstr(value, " #"))
        return true;
    for (; *value && length > 0; value += length)
        length = shown_length(value);
    return length == 0;
}

static void print_escaped(FILE *to, const char *text)
{
    while (*text) {
        size_t length = shown_length(text);
        if (length == 0)
            fprintf(to, "\\x%02x", (unsigned char)*text);
        else
            fprintf(to, "%s%.*s", *text == '"' || *text == '\\' ? "\\" : "", (int)length, text);
        text += length ? length : 1;
    }
}

static void print_pair(FILE *to, const char *name, const char *value)
{
    fprintf(to, "%s = ", name);
    bool quotes = wants_quotes(value);
    fputs(quotes ? "\"" : "", to);
    if (quotes)
        print_escaped(to, value);
    else
        fputs(value, to);
    fputs(quotes ? "\"" : "", to);
}

static void print_given(FILE *to, const struct given *one)
{
    if (!option_in_file(one->option)) {
        fprintf(to, "# %s = %s  # option, and not for a file\n", one->option->name, one->value);
        return;
    }
    print_pair(to, one->option->name, one->value);
    if (one->place.file) {
        fputs("  # ", to);
        print_escaped(to, one->place.file);
        fprintf(to, ":%u\n", one->place.line);
    } else {
        fputs("  # option\n", to);
    }
}

static void print_default(FILE *to, const struct option *o)
{
    if (o->fallback) {
        print_pair(to, o->name, o->fallback);
        fputs("  # default\n", to);
    } else {
        fprintf(to, "# %s: %s  # default\n", o->name, o->shown ? o->shown : "none");
    }
}

static bool is_set(const struct givens *givens, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < givens->count; i++) {
        const struct given *one = &givens->list[i];
        if (one->option->type == OPTION_SET && givens_stands(givens, i) &&
            strncmp(one->value, key, n) == 0 && one->value[n] == '=')
            return true;
    }
    return false;
}

/* Those of the application's keys that nobody has set. */
static void print_keys(FILE *to, const struct givens *givens, const struct drover_key *keys)
{
    for (; keys && keys->name; keys++) {
        char pair[CONFIG_LINE_MAX];
        if (is_set(givens, keys->name))
            continue;
        snprintf(pair, sizeof pair, "%s=%s", keys->name, keys->fallback ? keys->fallback : "");
        if (keys->fallback) {
            print_pair(to, "set", pair);
            fputs("  # default\n", to);
        } else {
            fprintf(to, "# set = %s  # default\n", pair);
        }
    }
}

/* Lists have the file's values before the command line's, as they were read. */
static bool print_all_given(FILE *to, const struct option *o, const struct givens *givens)
{
    bool is_given = false;
    for (size_t i = 0; i < givens->count; i++) {
        size_t at = (i + givens->arguments) % givens->count;
        if (givens->list[at].option != o || !givens_stands(givens, at))
            continue;
        print_given(to, &givens->list[at]);
        is_given = true;
    }
    return is_given;
}

void print_configuration(FILE *to, const struct settings *settings, const struct givens *givens,
                         const struct drover_app *app)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (o->type == OPTION_CONFIG || !option_is_offered(o, settings) ||
            (option_is_site(o) && !settings->root))
            continue;
        bool is_given = print_all_given(to, o, givens);
        if (o->type == OPTION_SET && app->keys && app->keys->name)
            print_keys(to, givens, app->keys);
        else if (!is_given)
            print_default(to, o);
    }
}
