#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "config/identity.h"
#include "config/lines.h"
#include "config/load.h"
#include "config/nearest.h"

/* More than there are options. */
#define NAMES_MAX 64

void options_defaults(struct settings *settings)
{
    char what[OPTION_WHAT_SIZE];
    memset(settings, 0, sizeof *settings);
    settings->program = "drover serve";
    settings->ready_fd = -1;
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (o->fallback && o->type != OPTION_ADDRESS)
            option_set(o, o->fallback, settings, what, sizeof what);
    }
}

/* The same for the program that these settings are of. */
static void start_anew(struct settings *settings)
{
    const char *program = settings->program;
    bool has_app = settings->app, is_reload = settings->is_reload;
    options_defaults(settings);
    settings->program = program;
    settings->is_reload = is_reload;
    if (!has_app)
        settings->app = NULL;
}

/* What is read, and where it goes. */
struct reader {
    struct settings *settings;
    struct givens *givens;
    struct faults *faults;
};

static const char *nearest_option(const char *typed, const struct settings *settings, bool in_file)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < option_count() && count < NAMES_MAX; i++)
        if (option_is_offered(option_at(i), settings) && (!in_file || option_in_file(option_at(i))))
            names[count++] = option_at(i)->name;
    return nearest_name(typed, names, count);
}

/* ------------------------------------------------------------------------ the command line */

static bool refuse(const struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(const struct reader *r, const char *format, ...)
{
    char what[OPTIONS_WHY_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    faults_add(r->faults, NULL, EX_USAGE, "%s", what);
    return false;
}

static bool unknown(const struct reader *r, const char *typed, size_t n)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)n, typed);
    const char *nearest = nearest_option(name, r->settings, false);
    if (nearest)
        return refuse(r, "--%s: there is no such option; did you mean --%s?", name, nearest);
    return refuse(r, "--%s: there is no such option; %.100s --help lists them", name,
                  r->settings->program);
}

static bool not_offered(const struct reader *r, const struct option *o)
{
    if (o->type == OPTION_APP)
        return refuse(r, "--app is for drover serve; %.100s is an application",
                      r->settings->program);
    return refuse(r, "--%s is for the static site", o->name);
}

static bool take_config(const struct reader *r, const char *path)
{
    if (!*path)
        return refuse(r, "--config: must not be empty");
    if (r->givens->file)
        return refuse(r, "--config %.200s: one file is read, and was given already: %.200s", path,
                      r->givens->file);
    r->givens->file = path;
    return true;
}

static bool add(const struct reader *r, const struct given *one)
{
    return givens_add(r->givens, one) || refuse(r, "there are too many options");
}

static bool take_option(const struct reader *r, const struct option *o, const char *value)
{
    char what[OPTION_WHAT_SIZE];
    const struct given one = {.option = o, .value = value};
    if (o->type == OPTION_CONFIG)
        return take_config(r, value);
    if (option_set(o, value, r->settings, what, sizeof what))
        return add(r, &one);
    given_fault(&one, r->faults, EX_USAGE, what);
    return false;
}

/* `name`: what follows the two dashes. `next`: the argument after it, NULL at the end. */
static bool read_option(const struct reader *r, const char *name, const char *next, bool *took_next)
{
    size_t n = strcspn(name, "=");
    const struct option *o = option_find(name, n);
    if (!o)
        return unknown(r, name, n);
    if (!option_is_offered(o, r->settings))
        return not_offered(r, o);
    *took_next = name[n] != '=';
    if (!*took_next)
        return take_option(r, o, name + n + 1);
    if (next)
        return take_option(r, o, next);
    return refuse(r, "--%s: its value is missing, as in --%s %s", o->name, o->name, o->argument);
}

static bool read_root(const struct reader *r, const char *root)
{
    const struct option *o = option_find("root", strlen("root"));
    if (!r->settings->app)
        return refuse(r, "%.200s: an argument is for the static site; %.100s takes options", root,
                      r->settings->program);
    for (size_t i = 0; i < r->givens->count; i++)
        if (r->givens->list[i].is_argument)
            return refuse(r, "%.200s: ROOT was given already: %.200s", root,
                          r->givens->list[i].value);
    return add(r, &(struct given){.option = o, .value = root, .is_argument = true});
}

static bool read_short(const struct reader *r, const char *argument, const char *next,
                       bool *took_next)
{
    *took_next = next;
    if (strcmp(argument, "-c") != 0)
        return refuse(r, "%.200s: there is no such option; options have two dashes", argument);
    return next ? take_config(r, next) : refuse(r, "-c: its value is missing, as in -c FILE");
}

static bool read_arguments(const struct reader *r, int argc, char *const argv[])
{
    bool only_root = false; /* after "--" */
    for (int i = 0; i < argc; i++) {
        bool took_next = false, is_right = true;
        if (!only_root && strcmp(argv[i], "--") == 0)
            only_root = true;
        else if (!only_root && strncmp(argv[i], "--", 2) == 0)
            is_right = read_option(r, argv[i] + 2, argv[i + 1], &took_next);
        else if (!only_root && argv[i][0] == '-' && argv[i][1])
            is_right = read_short(r, argv[i], argv[i + 1], &took_next);
        else
            is_right = read_root(r, argv[i]);
        if (!is_right)
            return false;
        i += took_next;
    }
    const struct given *root = givens_find(r->givens, "root");
    if (root)
        r->settings->root = root->value;
    return true;
}

/* -------------------------------------------------------------------------------- the file */

static void unknown_key(const struct reader *r, const char *key, const struct place *place)
{
    const char *nearest = nearest_option(key, r->settings, true);
    if (nearest)
        faults_add(r->faults, place, EX_CONFIG, "unknown key \"%.60s\"; did you mean \"%s\"?", key,
                   nearest);
    else
        faults_add(r->faults, place, EX_CONFIG,
                   "unknown key \"%.60s\"; keys are the options that %.100s --help lists, without "
                   "dashes",
                   key, r->settings->program);
    if (nearest && strcmp(nearest, "app") == 0)
        r->givens->app_is_unknown = true;
}

/* Why this key may not stand in this program's file; NULL: it may. */
static const char *objection(const struct option *o, const struct settings *settings)
{
    if (o->type == OPTION_CONFIG)
        return "a file cannot name another one; it is for the command line";
    if (!option_in_file(o))
        return "a descriptor belongs to one start; it is for the command line";
    if (option_is_offered(o, settings))
        return NULL;
    return o->type == OPTION_APP ? "is for drover serve; this program is an application"
                                 : "is for the static site of drover serve";
}

/* One that the command line replaces is checked nevertheless, and goes nowhere. */
static bool set_value(const struct reader *r, const struct given *one, char *what, size_t size)
{
    struct settings nowhere;
    if (!givens_is_replaced(r->givens, one->option, one->value))
        return option_set(one->option, one->value, r->settings, what, size);
    nowhere = *r->settings;
    start_anew(&nowhere);
    return option_set(one->option, one->value, &nowhere, what, size);
}

static void take_value(const struct reader *r, const struct given *one)
{
    char what[OPTION_WHAT_SIZE];
    const struct given *first = givens_twice(r->givens, one->option, one->value);
    if (first)
        snprintf(what, sizeof what, "was given already, in line %u", first->place.line);
    if (!first && set_value(r, one, what, sizeof what) && givens_add(r->givens, one))
        return;
    if (r->givens->count == CONFIG_VALUES_MAX)
        snprintf(what, sizeof what, "there are too many values; %d are allowed", CONFIG_VALUES_MAX);
    given_fault(one, r->faults, EX_CONFIG, what);
    r->givens->app_is_unknown |= one->option->type == OPTION_APP;
}

static void read_pair(const struct reader *r, const struct line *line, unsigned number)
{
    const struct place at_key = {r->givens->file, number, line->key_column};
    const struct place at_value = {r->givens->file, number, line->value_column};
    const struct option *o = option_find(line->key, strlen(line->key));
    const char *no = o ? objection(o, r->settings) : NULL;
    if (!o)
        unknown_key(r, line->key, &at_key);
    else if (no)
        faults_add(r->faults, &at_key, EX_CONFIG, "%s: %s", o->name, no);
    else if (line->value)
        take_value(r, &(struct given){.option = o, .value = line->value, .place = at_value});
    else
        faults_add(r->faults, &at_value, EX_CONFIG, "%s: its value is missing, as in %s = %s",
                   o->name, o->name, o->argument);
}

static bool load(const struct reader *r, struct lines *lines)
{
    char what[OPTIONS_WHY_SIZE];
    int status;
    r->givens->text = load_file(r->givens->file, &lines->n, &status, what, sizeof what);
    if (!r->givens->text)
        faults_add(r->faults, NULL, status, "-c %.300s: %s", r->givens->file, what);
    lines->p = r->givens->text;
    return lines->p;
}

/* What the command line adds to lists comes behind the file's. */
static void repeat_arguments(const struct reader *r)
{
    char what[OPTION_WHAT_SIZE];
    for (size_t i = 0; i < r->givens->arguments; i++) {
        const struct given *one = &r->givens->list[i];
        if (givens_stands(r->givens, i) || option_is_list(one->option))
            if (!option_set(one->option, one->value, r->settings, what, sizeof what))
                given_fault(one, r->faults, EX_USAGE, what);
    }
}

static bool read_file(const struct reader *r)
{
    struct lines lines = {0};
    struct line line;
    enum lines_result result;
    if (!load(r, &lines))
        return false;
    start_anew(r->settings);
    while ((result = lines_next(&lines, &line)) != LINES_END) {
        const struct place place = {r->givens->file, lines.line, line.value_column};
        if (result == LINES_PAIR)
            read_pair(r, &line, lines.line);
        else
            faults_add(r->faults, &place, EX_CONFIG, "%s", line.fault);
    }
    repeat_arguments(r);
    return true;
}

/* ------------------------------------------------------------------- what only holds together */

static void refuse_for_app(const struct reader *r, const struct given *one)
{
    const char *app = r->settings->app;
    if (one->is_argument)
        faults_add(r->faults, NULL, EX_USAGE,
                   "%.200s: a ROOT is for the static site, not for --app %.200s", one->value, app);
    else
        faults_add(r->faults, &one->place, EX_USAGE,
                   "%s%s is for the static site, not for --app %.200s", one->place.file ? "" : "--",
                   one->option->name, app);
}

/* Only the static site has a root, and what belongs to it. Of the command line one is enough. */
static void check_app(const struct reader *r)
{
    const struct givens *g = r->givens;
    const struct given *argument = NULL;
    if (g->app_is_unknown || (r->settings->app && strcmp(r->settings->app, "static") == 0))
        return;
    r->settings->root = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct given *one = &g->list[i];
        if (!option_is_site(one->option) || !givens_stands(g, i))
            continue;
        if (one->place.file)
            refuse_for_app(r, one);
        else if (!argument || one->is_argument)
            argument = one;
    }
    if (argument)
        refuse_for_app(r, argument);
}

static void check_root(const struct reader *r)
{
    char what[128];
    struct stat st;
    const char *root = r->settings->root;
    int status = EX_NOINPUT;
    if (!root || (stat(root, &st) == 0 && S_ISDIR(st.st_mode)))
        return;
    size_t n = strlen(root);
    bool is_module = n > 3 && strcmp(root + n - 3, ".so") == 0;
    snprintf(what, sizeof what, "is not a directory%s",
             is_module ? "; a module is named with --app" : "");
    if (stat(root, &st) < 0) {
        snprintf(what, sizeof what, "%s", strerror(errno));
        status = errno == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    const struct given *given = givens_find(r->givens, "root");
    if (given && given->place.file)
        given_fault(given, r->faults, status, what);
    else
        faults_add(r->faults, NULL, status, "ROOT %.300s: %s", root, what);
}

static void check_identity(const struct reader *r)
{
    const char *which, *what;
    struct settings *s = r->settings;
    int status = identity_resolve(s->user, s->group, &s->identity, &which, &what);
    if (status)
        given_fault(givens_find(r->givens, which), r->faults, status, what);
}

static void check_addresses(const struct reader *r)
{
    char what[OPTION_WHAT_SIZE];
    const struct option *listen = option_find("listen", strlen("listen"));
    r->settings->listen_is_default = r->settings->address_count == 0;
    if (r->settings->listen_is_default)
        option_set(listen, listen->fallback, r->settings, what, sizeof what);
}

static void check_descriptor(const struct reader *r)
{
    int64_t fd = r->settings->ready_fd;
    if (fd >= 0 && !r->settings->is_reload && fcntl((int)fd, F_GETFD) < 0)
        refuse(r, "--ready-fd %lld: is not an open descriptor", (long long)fd);
}

void options_read(struct settings *settings, int argc, char *const argv[], struct givens *givens,
                  struct faults *faults)
{
    static void (*const checks[])(const struct reader *) = {check_app, check_descriptor,
                                                            check_identity, check_root};
    const struct reader r = {settings, givens, faults};
    if (!read_arguments(&r, argc, argv) || (givens->file && !read_file(&r)))
        return;
    check_addresses(&r);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        checks[i](&r);
        if (faults->count > 0 && !givens->file)
            return;
    }
}

/* --------------------------------------------------------------------------------- the help */

/* Breaks a line of help at spaces. */
static void print_wrapped(FILE *to, const char *text, int indent, int width)
{
    while (*text) {
        int n = (int)strlen(text);
        if (n > width) {
            n = width;
            while (n > 0 && text[n] != ' ')
                n--;
        }
        fprintf(to, "%*s%.*s\n", indent, "", n, text);
        text += n;
        text += *text == ' ';
    }
}

void options_print_row(FILE *to, const char *row, const char *fallback, const char *help)
{
    fprintf(to, "  --%s   (default: %s)\n", row, fallback);
    print_wrapped(to, help, 8, 72);
}

void options_print(FILE *to, const struct settings *settings)
{
    char row[64];
    for (size_t i = 0; i < option_count(); i++) {
        if (!option_is_offered(option_at(i), settings))
            continue;
        if (i == 0)
            fprintf(to, "The server:\n");
        const struct option *o = option_at(i);
        if (option_is_site(o) && !option_is_site(option_at(i - 1)))
            fprintf(to, "\nThe static site:\n");
        snprintf(row, sizeof row, "%s %s", o->name, o->argument);
        options_print_row(to, row, o->shown ? o->shown : o->fallback, o->help);
    }
}
