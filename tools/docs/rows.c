#include "docs/rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/apps.h"
#include "config/option.h"
#include "config/setting.h"
#include "docs/commands.h"
#include "docs/help.h"

/* What serve, check and doctor print of the options that they share begins with this line. */
#define SHARED_OPTIONS "The server:"

/* Who is given the rows, and what is the same in all of a command. */
struct giver {
    int (*fn)(void *context, const struct row *row);
    void *context;
    const char *build;
};

/* ------------------------------------------------------------------------ what a row says */

/* The first clause of a help text, which is what fits beside a word in a terminal. */
static void shorten(struct row *row, const char *text)
{
    size_t n = strcspn(text, ";(");
    const char *colon = memchr(text, ':', n);
    if (colon && colon - text > 12)
        n = (size_t)(colon - text);
    if (n >= ROW_HELP_SIZE) {
        n = ROW_HELP_SIZE - 1;
        while (n > 0 && text[n] != ' ')
            n--;
    }
    while (n > 0 && strchr(" ,.", text[n - 1]))
        n--;
    snprintf(row->help, sizeof row->help, "%.*s", (int)n, text);
}

static void add_word(struct row *row, const char *word, size_t n)
{
    size_t have = strlen(row->words);
    if (have + n + 2 < sizeof row->words)
        snprintf(row->words + have, sizeof row->words - have, "%s%.*s", have ? " " : "", (int)n,
                 word);
}

static bool is_lower(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)word[i]) && !(i > 0 && strchr("-0123456789", word[i])))
            return false;
    return n > 0;
}

/* "off|FILE": the words, and whether a file may stand there too. */
static void take_alternatives(struct row *row, const char *argument)
{
    for (size_t n; *argument; argument += n + (argument[n] != '\0')) {
        n = strcspn(argument, "|");
        if (is_lower(argument, n))
            add_word(row, argument, n);
        else if (strncmp(argument, "FILE", n) == 0 || strncmp(argument, "PATH", n) == 0)
            row->also_files = true;
    }
}

/* "must be error, warn, info or debug": all of it words, or none. */
static void take_allowed(struct row *row, const char *what)
{
    static const char must[] = "must be ";
    if (strncmp(what, must, strlen(must)) != 0)
        return;
    for (what += strlen(must); *what;) {
        size_t n = strcspn(what, ", ");
        if (!is_lower(what, n)) {
            row->words[0] = '\0';
            return;
        }
        add_word(row, what, n);
        what += n;
        what += strspn(what, ", ");
        if (strncmp(what, "or ", 3) == 0)
            what += 3;
    }
}

static void set_kind(struct row *row)
{
    static const struct {
        const char *argument;
        enum row_kind kind;
    } kinds[] = {
        {"FILE", ROW_FILE},  {"PATH", ROW_FILE}, {"FILE...", ROW_FILE},
        {"DIR", ROW_FOLDER}, {"PAGE", ROW_FILE},
    };
    row->kind = row->argument ? ROW_ANY : ROW_FLAG;
    if (row->argument)
        take_alternatives(row, row->argument);
    if (row->words[0])
        row->kind = ROW_WORDS;
    for (size_t i = 0; row->kind == ROW_ANY && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(row->argument, kinds[i].argument) == 0)
            row->kind = kinds[i].kind;
    if (row->kind == ROW_FILE && row->name && strcmp(row->name, "--control") == 0)
        row->kind = ROW_CONTROL;
}

/* ------------------------------------------------------------------ the options of a server */

static void set_kind_of_option(struct row *row, const struct option *o)
{
    static const char none[] = "\001";
    struct settings nowhere = {0};
    char what[SETTING_WHAT_SIZE] = "";
    set_kind(row);
    if (strcmp(o->name, "user") == 0)
        row->kind = ROW_USER;
    if (strcmp(o->name, "group") == 0)
        row->kind = ROW_GROUP;
    if (o->type == OPTION_APP)
        for (size_t i = 0; apps_name(i); i++)
            add_word(row, apps_name(i), strlen(apps_name(i)));
    row->also_files |= o->type == OPTION_APP;
    if (o->type != OPTION_CONFIG && !row->words[0] &&
        !setting_take(o, none, &nowhere, what, sizeof what))
        take_allowed(row, what);
    if (row->words[0])
        row->kind = ROW_WORDS;
}

static int give_option(const struct giver *giver, const struct command *command,
                       const struct option *o)
{
    char name[64];
    struct row row = {.program = command->program, .command = command->name, .name = name};
    row.argument = o->argument;
    row.may_repeat = option_is_list(o);
    snprintf(name, sizeof name, "--%s", o->name);
    shorten(&row, o->help);
    set_kind_of_option(&row, o);
    if (giver->fn(giver->context, &row) < 0)
        return -1;
    if (o->type != OPTION_CONFIG)
        return 0;
    row.name = "-c";
    return giver->fn(giver->context, &row);
}

static int give_shared(const struct giver *giver, const struct command *command)
{
    for (size_t i = 0; i < option_count(); i++)
        if (!option_is_section(option_at(i)) && give_option(giver, command, option_at(i)) < 0)
            return -1;
    return 0;
}

/* ------------------------------------------------------------------- what drover-lab knows */

/* The names that `drover-lab list` has below headings that begin with one of these words. */
static int take_listed(struct row *row, const char *build, const char *const *headings)
{
    const struct command list = {.build = build, .program = "drover-lab", .name = "list"};
    struct help help = {0};
    bool is_wanted = false;
    if (command_output(&list, &help) < 0)
        return -1;
    for (size_t i = 0; i < help.count; i++) {
        const struct block *b = &help.blocks[i];
        if (b->kind == BLOCK_ITEM && is_wanted)
            add_word(row, b->term, strlen(b->term));
        if (b->kind == BLOCK_ITEM)
            continue;
        is_wanted = false;
        for (size_t k = 0; headings[k]; k++)
            is_wanted |= strncmp(b->text, headings[k], strlen(headings[k])) == 0;
    }
    help_free(&help);
    row->kind = ROW_WORDS;
    return 0;
}

static int take_names(struct row *row, const char *build)
{
    static const char *const all[] = {"strategies:", "models:", "presets:", NULL};
    static const char *const strategies[] = {"strategies:", NULL};
    static const char *const works[] = {"workloads ", NULL};
    const char *argument = row->argument;
    if (strncmp(argument, "NAME", 4) == 0)
        return take_listed(row, build, row->name ? works : all);
    if (strncmp(argument, "STRATEGY", 8) == 0)
        return take_listed(row, build, strategies);
    if (strcmp(argument, "KIND") != 0)
        return 0;
    snprintf(row->words, sizeof row->words, "strategies models workloads presets claims");
    row->kind = ROW_WORDS;
    return 0;
}

/* -------------------------------------------------------------------- one command's help */

static int give(const struct giver *giver, struct row *row)
{
    if (row->kind == ROW_ANY && strcmp(row->program, "drover-lab") == 0 &&
        take_names(row, giver->build) < 0)
        return -1;
    return giver->fn(giver->context, row);
}

static int give_item(const struct giver *giver, const struct command *command,
                     const struct block *item)
{
    struct row row = {.program = command->program, .command = command->name};
    char name[64];
    size_t n = strcspn(item->term, " ");
    snprintf(name, sizeof name, "%.*s", (int)n, item->term);
    row.name = name;
    row.argument = item->term[n] ? item->term + n + 1 : NULL;
    row.may_repeat = strstr(item->text, "may be repeated") != NULL;
    shorten(&row, item->text);
    set_kind(&row);
    return give(giver, &row);
}

/* A word of the usage line that is no option: "[ROOT]", "FILE...", "http://HOST[:PORT][/PATH]". */
static int give_word(const struct giver *giver, const struct command *command, const char *word,
                     size_t n)
{
    struct row row = {.program = command->program, .command = command->name, .help = ""};
    char argument[64];
    row.may_repeat = n > 3 && strncmp(word + n - 3, "...", 3) == 0;
    snprintf(argument, sizeof argument, "%.*s", (int)(row.may_repeat ? n - 3 : n), word);
    row.argument = argument;
    set_kind(&row);
    if (strcmp(argument, "ROOT") == 0)
        row.kind = ROW_FOLDER;
    if (strcmp(argument, "A") == 0 || strcmp(argument, "B") == 0)
        row.kind = ROW_FILE;
    return give(giver, &row);
}

static int give_words(const struct giver *giver, const struct command *command, const char *usage)
{
    bool is_value = false; /* of the option before it */
    for (size_t n; *(usage += strspn(usage, " ")); usage += n) {
        n = strcspn(usage, " ");
        size_t opens = *usage == '[', closes = usage[n - 1] == ']';
        const char *word = usage + opens;
        bool is_option = *word == '-';
        if (isupper((unsigned char)*word) && !is_value && strncmp(word, "OPTIONS", 7) != 0 &&
            strncmp(word, "COMMAND", 7) != 0 &&
            give_word(giver, command, word, n - opens - closes) < 0)
            return -1;
        is_value = is_option && !closes;
    }
    return 0;
}

static int give_help(const struct giver *giver, const struct command *command)
{
    struct help help = {0};
    int done = command_help(command, &help);
    for (size_t i = 0; i < help.count && done == 0; i++) {
        const struct block *b = &help.blocks[i];
        if (b->kind == BLOCK_USAGE)
            done = give_words(giver, command, b->text);
        else if (b->kind == BLOCK_ITEM && *b->term == '-')
            done = give_item(giver, command, b);
        else if (strcmp(b->text, SHARED_OPTIONS) == 0) {
            done = give_shared(giver, command);
            break;
        }
    }
    help_free(&help);
    return done;
}

static int give_command(void *context, const struct command *command)
{
    const struct giver *giver = context;
    struct row row = {.program = command->program, .command = command->name, .kind = ROW_COMMAND};
    shorten(&row, command->line);
    return giver->fn(giver->context, &row) < 0 ? -1 : give_help(giver, command);
}

int rows_each(const char *build, int (*fn)(void *context, const struct row *row), void *context)
{
    struct giver giver = {.fn = fn, .context = context, .build = build};
    const struct command load = {.build = build, .program = "drover-load"};
    if (commands_each(build, "drover", give_command, &giver) < 0 || give_help(&giver, &load) < 0)
        return -1;
    return commands_each(build, "drover-lab", give_command, &giver);
}
