#include "config/options.h"

#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "config/lines.h"
#include "config/load.h"
#include "config/nearest.h"
#include "config/setting.h"
#include "config/whole.h"

/* More than there are options. */
#define NAMES_MAX 64

void options_defaults(struct settings *settings)
{
    char what[SETTING_WHAT_SIZE];
    memset(settings, 0, sizeof *settings);
    settings->program = "drover serve";
    settings->ready_fd = -1;
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (o->fallback && o->type != OPTION_ADDRESS)
            setting_take(o, o->fallback, settings, what, sizeof what);
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
    struct section *section; /* of the file, that is being read; NULL: none has begun */
    bool is_over;            /* no more of the file is read */
};

static bool may_stand_on_command_line(const struct option *o)
{
    return !option_is_section(o);
}

static bool may_stand_in_file(const struct option *o)
{
    return option_in_file(o) && !option_is_section(o);
}

static const char *nearest_option(const char *typed, const struct settings *settings,
                                  bool (*may_stand)(const struct option *o))
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < option_count() && count < NAMES_MAX; i++)
        if (option_is_offered(option_at(i), settings) && may_stand(option_at(i)))
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
    const char *nearest = nearest_option(name, r->settings, may_stand_on_command_line);
    if (strcmp(name, "port") == 0) /* as other servers have it */
        nearest = "listen";
    if (nearest)
        return refuse(r, "--%s: there is no such option; did you mean --%s?", name, nearest);
    return refuse(r, "--%s: there is no such option; %.100s --help lists them", name,
                  r->settings->program);
}

static bool not_offered(const struct reader *r, const struct option *o)
{
    if (option_is_section(o))
        return refuse(r, "--%s: is for a [site NAME] section of a file", o->name);
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
    char what[SETTING_WHAT_SIZE];
    const struct given one = {.option = o, .value = value};
    if (o->type == OPTION_CONFIG)
        return take_config(r, value);
    if (setting_take(o, value, r->settings, what, sizeof what))
        return add(r, &one);
    given_fault(&one, r->faults, EX_USAGE, what);
    return strncmp(value, "--", 2) != 0; /* else its value was forgotten, and what follows is off */
}

/* `name`: what follows the two dashes. `next`: the argument after it, NULL at the end. */
static bool read_option(const struct reader *r, const char *name, const char *next, bool *took_next)
{
    size_t n = strcspn(name, "=");
    const struct option *o = option_find(name, n);
    if (!o)
        return unknown(r, name, n);
    if (!option_is_offered(o, r->settings) || option_is_section(o))
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
        return refuse(r,
                      "%.200s: %.100s takes options alone, as --help lists them; drover status "
                      "asks it as it runs",
                      root, r->settings->program);
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

/* Which of two would be meant? */
static bool check_root(const struct reader *r)
{
    const char *argument = NULL, *option = NULL;
    for (size_t i = 0; i < r->givens->count; i++) {
        const struct given *one = &r->givens->list[i];
        if (one->is_argument)
            argument = one->value;
        else if (strcmp(one->option->name, "root") == 0)
            option = one->value;
    }
    return !argument || !option ||
           refuse(r, "ROOT %.200s: --root %.200s was given, too", argument, option);
}

/* A value that is wrong is told, and the next argument read; what nobody can tell the meaning of
 * ends it, and false is returned. */
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
    return check_root(r);
}

/* -------------------------------------------------------------------------------- the file */

/* Its value is wrong: what would follow from the default in its place is no fault. */
static void note_unknown(const struct reader *r, const struct option *o)
{
    struct section *section = r->section;
    if (o->type == OPTION_APP && section)
        section->app_is_unknown = true;
    else if (o->type == OPTION_APP)
        r->givens->app_is_unknown = true;
    else if (option_is_section(o) && section)
        section->requests_are_unknown = true;
}

static void unknown_key(const struct reader *r, const char *key, const struct place *place)
{
    const char *nearest = nearest_option(key, r->settings,
                                         r->section ? option_in_section : may_stand_in_file);
    if (nearest)
        faults_add(r->faults, place, EX_CONFIG, "unknown key \"%.60s\"; did you mean \"%s\"?", key,
                   nearest);
    else if (r->section)
        faults_add(
            r->faults, place, EX_CONFIG,
            "unknown key \"%.60s\"; a site has root or app, host, prefix, set, and the options "
            "of the static site",
            key);
    else
        faults_add(r->faults, place, EX_CONFIG,
                   "unknown key \"%.60s\"; keys are the options that %.100s --help lists, without "
                   "dashes",
                   key, r->settings->program);
    if (nearest)
        note_unknown(r, option_find(nearest, strlen(nearest)));
}

/* Why this key may not stand in this program's file, here; NULL: it may. */
static const char *objection(const struct reader *r, const struct option *o)
{
    const struct settings *settings = r->settings;
    if (o->type == OPTION_CONFIG)
        return "a file cannot name another one; it is for the command line";
    if (!option_in_file(o))
        return "a descriptor belongs to one start; it is for the command line";
    if (r->section && !option_in_section(o))
        return "is for the whole server: it stands before the first section";
    if (!r->section && option_is_section(o))
        return "is for a site: it stands in a section that begins with [site NAME]";
    if (option_is_offered(o, settings))
        return NULL;
    return o->type == OPTION_APP ? "is for drover serve; this program is an application"
                                 : "is for the static site of drover serve";
}

/* One that the command line replaces is checked nevertheless, and goes nowhere. */
static bool set_value(const struct reader *r, const struct given *one, char *what, size_t size)
{
    struct settings nowhere;
    if (!givens_is_replaced(r->givens, one))
        return setting_take(one->option, one->value, r->settings, what, size);
    nowhere = *r->settings;
    start_anew(&nowhere);
    return setting_take(one->option, one->value, &nowhere, what, size);
}

static void take_value(const struct reader *r, const struct given *one)
{
    char what[SETTING_WHAT_SIZE];
    const struct given *first = givens_twice(r->givens, one);
    if (first)
        snprintf(what, sizeof what, "was given already, in line %u", first->place.line);
    if (!first && set_value(r, one, what, sizeof what) && givens_add(r->givens, one))
        return;
    if (r->givens->count == CONFIG_VALUES_MAX)
        snprintf(what, sizeof what, "there are too many values; %d are allowed", CONFIG_VALUES_MAX);
    given_fault(one, r->faults, EX_CONFIG, what);
    note_unknown(r, one->option);
}

static void missing_value(const struct reader *r, const struct option *o, const struct place *place)
{
    faults_add(r->faults, place, EX_CONFIG, "%s: its value is missing, as in %s = %s", o->name,
               o->name, o->argument);
    note_unknown(r, o);
}

static void read_pair(const struct reader *r, const struct line *line, unsigned number)
{
    const struct place at_key = {r->givens->file, number, line->key_column};
    const struct place at_value = {r->givens->file, number, line->value_column};
    const struct option *o = option_find(line->key, strlen(line->key));
    const char *no = o ? objection(r, o) : NULL;
    if (!o)
        unknown_key(r, line->key, &at_key);
    else if (no)
        faults_add(r->faults, &at_key, EX_CONFIG, "%s: %s", o->name, no);
    else if (line->value)
        take_value(
            r, &(struct given){
                   .option = o, .value = line->value, .place = at_value, .section = r->section});
    else
        missing_value(r, o, &at_value);
}

static bool load(const struct reader *r, struct lines *lines)
{
    char what[OPTIONS_WHY_SIZE];
    int status;
    r->givens->text = load_file(r->givens->file, &lines->n, &status, what, sizeof what);
    if (!r->givens->text)
        faults_add(r->faults, NULL, status, "-c %.300s: %s", r->givens->file, what);
    else if (lines->n == 0 && r->settings->is_reload) /* it would serve what nobody asked for */
        faults_add(r->faults, NULL, EX_CONFIG,
                   "-c %.300s: is empty: is it being written? Write another file, and rename it",
                   r->givens->file);
    r->givens->file_is_empty = lines->n == 0;
    lines->p = r->givens->text;
    return lines->p;
}

/* What the command line adds to lists comes behind the file's, but for rules of which the first
 * holds. */
static void repeat_arguments(const struct reader *r, bool first)
{
    char what[SETTING_WHAT_SIZE];
    for (size_t i = 0; i < r->givens->arguments; i++) {
        const struct given *one = &r->givens->list[i];
        if ((one->option->type == OPTION_SITE_CACHE) != first)
            continue;
        if (givens_stands(r->givens, i) || option_is_list(one->option))
            if (!setting_take(one->option, one->value, r->settings, what, sizeof what))
                given_fault(one, r->faults, EX_USAGE, what);
    }
}

/* Where no more are taken, nobody can say whose what follows is. */
static void open_section(struct reader *r, const char *name, const struct place *place,
                         bool is_wrong)
{
    struct section *section = sections_begin(&r->givens->sections, name, place);
    if (!section) {
        faults_add(r->faults, place, EX_CONFIG, "there are too many sections; %d are allowed",
                   SITES_MAX);
        r->is_over = true;
        return;
    }
    section->is_wrong = is_wrong;
    section->settings.program = r->settings->program;
    r->section = section;
    r->settings = &section->settings;
}

/* Its words, where its head is wrong, are told; what stands in it is read all the same. */
static void begin_section(struct reader *r, const struct line *line, unsigned number)
{
    const struct place at_word = {r->givens->file, number, line->key_column};
    const struct place at_name = {r->givens->file, number, line->value_column};
    const char *name = line->value ? line->value : "";
    const struct section *twin = sections_find(&r->givens->sections, name);
    unsigned faults = r->faults->count;
    if (!r->settings->app)
        faults_add(r->faults, &at_word, EX_CONFIG,
                   "sections are for drover serve; this program is an application");
    else if (strcmp(line->key, "site") != 0)
        faults_add(r->faults, &at_word, EX_CONFIG,
                   "unknown section \"%.60s\"; a section begins with [site NAME]", line->key);
    else if (!line->value)
        faults_add(r->faults, &at_name, EX_CONFIG, "the site's name is missing, as in [site NAME]");
    else if (!section_is_name(name))
        faults_add(r->faults, &at_name, EX_CONFIG,
                   "site %.60s: its name must be 1 to %d letters, digits, '-', '_' and '.'", name,
                   SITE_NAME_MAX);
    else if (twin)
        faults_add(r->faults, &at_name, EX_CONFIG, "site %s: is there already, in line %u", name,
                   twin->place.line);
    open_section(r, name, &at_name, r->faults->count > faults);
}

/* Of a line that is wrong, section or not. */
static void tell_line(struct reader *r, const struct line *line, unsigned number)
{
    const struct place place = {r->givens->file, number, line->value_column};
    faults_add(r->faults, &place, EX_CONFIG, "%s", line->fault);
    if (line->is_section)
        open_section(r, "", &place, true);
}

static bool read_file(const struct reader *r)
{
    struct lines lines = {0};
    struct line line;
    enum lines_result result;
    if (!load(r, &lines))
        return false;
    struct reader of_file = *r;
    start_anew(r->settings);
    repeat_arguments(r, true);
    while (!of_file.is_over && (result = lines_next(&lines, &line)) != LINES_END) {
        if (result == LINES_PAIR)
            read_pair(&of_file, &line, lines.line);
        else if (result == LINES_SECTION)
            begin_section(&of_file, &line, lines.line);
        else
            tell_line(&of_file, &line, lines.line);
    }
    repeat_arguments(r, false);
    return true;
}

void options_read(struct settings *settings, int argc, char *const argv[], struct givens *givens,
                  struct faults *faults)
{
    const struct reader r = {.settings = settings, .givens = givens, .faults = faults};
    if (read_arguments(&r, argc, argv) && (givens->file ? read_file(&r) : faults->count == 0))
        whole_check(settings, givens, faults);
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

static void print_row(FILE *to, const char *row, const char *fallback, const char *help)
{
    fprintf(to, "  %s   (default: %s)\n", row, fallback);
    print_wrapped(to, help, 8, 72);
}

void options_print_row(FILE *to, const char *row, const char *fallback, const char *help)
{
    char dashed[80];
    snprintf(dashed, sizeof dashed, "--%s", row);
    print_row(to, dashed, fallback, help);
}

/* What comes before the option's row; NULL: it is of the same kind as the one before. */
static const char *heading(size_t i)
{
    const struct option *o = option_at(i);
    if (i == 0)
        return "The server:\n";
    if (option_is_site(o) && !option_is_site(option_at(i - 1)))
        return "\nThe static site:\n";
    if (option_is_section(o) && !option_is_section(option_at(i - 1)))
        return "\nA section [site NAME] of a file: one of several sites. It has app, set and the\n"
               "options of the static site, for itself alone; and\n";
    return NULL;
}

void options_print(FILE *to, const struct settings *settings)
{
    char row[64];
    bool has_site = settings->app && strcmp(settings->app, "static") == 0;
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *o = option_at(i);
        if (!option_is_offered(o, settings) || (option_is_site(o) && !has_site))
            continue;
        const char *words = heading(i);
        fputs(words ? words : "", to);
        snprintf(row, sizeof row, "%s%s%s %s", option_is_section(o) ? "" : "--", o->name,
                 option_is_section(o) ? " =" : "", o->argument);
        print_row(to, row, o->shown ? o->shown : o->fallback, o->help);
    }
}
