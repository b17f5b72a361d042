#include "config/print.h"

#include <string.h>

#include "base/utf8.h"

/* Would a line with it, as it is, be read as something else, or harm a terminal? */
static bool wants_quotes(const char *value)
{
    size_t n = strlen(value), length = 1;
    if (n == 0 || strchr(" \"'#", value[0]) || value[n - 1] == ' ' || strstr(value, " #"))
        return true;
    for (; *value && length > 0; value += length)
        length = utf8_shown(value, strlen(value));
    return length == 0;
}

static void print_escaped(FILE *to, const char *text)
{
    while (*text) {
        size_t length = utf8_shown(text, strlen(text));
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

static void print_place(FILE *to, const struct place *place)
{
    fputs("  # ", to);
    print_escaped(to, place->file);
    fprintf(to, ":%u\n", place->line);
}

static void print_given(FILE *to, const struct given *one)
{
    if (!option_in_file(one->option)) {
        fprintf(to, "# %s = %s  # option, and not for a file\n", one->option->name, one->value);
        return;
    }
    print_pair(to, one->option->name, one->value);
    if (one->place.file)
        print_place(to, &one->place);
    else
        fputs("  # option\n", to);
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

/* What is printed: what stands in no section, or one of them. */
struct part {
    FILE *to;
    const struct givens *givens;
    const struct section *section; /* NULL: in none */
    const struct settings *settings;
    const struct drover_app *app; /* NULL: not known */
};

static bool is_set(const struct part *p, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < p->givens->count; i++) {
        const struct given *one = &p->givens->list[i];
        if (one->option->type == OPTION_SET && one->section == p->section &&
            givens_stands(p->givens, i) && strncmp(one->value, key, n) == 0 && one->value[n] == '=')
            return true;
    }
    return false;
}

/* Those of the application's keys that nobody has set. */
static void print_keys(const struct part *p)
{
    for (const struct drover_key *key = p->app->keys; key->name; key++) {
        char pair[CONFIG_LINE_MAX];
        if (is_set(p, key->name))
            continue;
        snprintf(pair, sizeof pair, "%s=%s", key->name, key->fallback ? key->fallback : "");
        if (key->fallback) {
            print_pair(p->to, "set", pair);
            fputs("  # default\n", p->to);
        } else {
            fprintf(p->to, "# set = %s  # default\n", pair);
        }
    }
}

/* Lists have the file's values before the command line's, as they were read; but for the rules of
 * which the first holds. */
static bool print_all_given(const struct part *p, const struct option *o)
{
    const struct givens *givens = p->givens;
    bool is_given = false;
    for (size_t i = 0; i < givens->count; i++) {
        size_t first = o->type == OPTION_SITE_CACHE ? 0 : givens->arguments;
        size_t at = (i + first) % givens->count;
        const struct given *one = &givens->list[at];
        if (one->option != o || one->section != p->section || !givens_stands(givens, at))
            continue;
        print_given(p->to, one);
        is_given = true;
    }
    return is_given;
}

static void print_option(const struct part *p, const struct option *o)
{
    bool is_given = print_all_given(p, o);
    if (o->type == OPTION_SET && p->app && p->app->keys && p->app->keys->name)
        print_keys(p);
    else if (o->type == OPTION_APP && p->settings->is_sites_only)
        fputs("# app: none, what no site answers is 404  # default\n", p->to);
    else if (!is_given)
        print_default(p->to, o);
}

/* Only the static site has what is its. */
static bool is_of(const struct part *p, const struct option *o)
{
    if (option_is_site(o) && !p->settings->root)
        return false;
    return p->section ? option_in_section(o) : !option_is_section(o) && o->type != OPTION_CONFIG;
}

static void print_options(const struct part *p, bool of_section)
{
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (option_is_section(o) == of_section && is_of(p, o) && option_is_offered(o, p->settings))
            print_option(p, o);
    }
}

/* Which requests are for it, before what answers them. */
static void print_part(const struct part *p)
{
    print_options(p, true);
    print_options(p, false);
}

void print_configuration(FILE *to, const struct settings *settings, const struct givens *givens,
                         const struct drover_app *app)
{
    const struct sections *sections = &givens->sections;
    print_part(&(struct part){.to = to, .givens = givens, .settings = settings, .app = app});
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = sections->list[i];
        fprintf(to, "\n[site %s]", section->name);
        print_place(to, &section->place);
        print_part(&(struct part){.to = to,
                                  .givens = givens,
                                  .section = section,
                                  .settings = &section->settings,
                                  .app = section->app});
    }
}
