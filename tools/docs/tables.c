#include "docs/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/option.h"
#include "config/setting.h"
#include "docs/commands.h"
#include "docs/help.h"
#include "docs/mdoc.h"

/* What serve, check and doctor print of the options that they share begins with this line. */
#define SHARED_OPTIONS "The server:"

static void begin_list(struct buf *to)
{
    buf_lit(to, ".Bl -tag -width 4n\n");
}

static void end_list(struct buf *to)
{
    buf_lit(to, ".El\n");
}

/* The default, and for a key what else may stand there: the words of setting_take() itself. */
static void add_bounds(struct buf *to, const struct option *o, bool has_allowed)
{
    static const char none[] = "\001";
    struct settings nowhere = {0};
    char what[SETTING_WHAT_SIZE] = "";
    const char *shown = o->shown ? o->shown : o->fallback;
    if (o->type != OPTION_CONFIG && has_allowed &&
        !setting_take(o, none, &nowhere, what, sizeof what) && strncmp(what, "must be ", 8) == 0) {
        buf_lit(to, "It ");
        mdoc_text(to, what);
    }
    if (!shown)
        return;
    char line[256];
    snprintf(line, sizeof line, "Default: %s", shown);
    mdoc_text(to, line);
}

static void add_option(struct buf *to, const struct option *o)
{
    char typed[128];
    snprintf(typed, sizeof typed, "--%s %s", o->name, o->argument);
    mdoc_item(to, typed);
    mdoc_text(to, o->help);
    add_bounds(to, o, false);
}

static const char *part_of(const struct option *o)
{
    if (option_is_section(o))
        return "section";
    return option_is_site(o) ? "site" : "server";
}

static int add_part(struct buf *to, const char *part,
                    void (*add)(struct buf *to, const struct option *o))
{
    size_t before = to->len;
    for (size_t i = 0; i < option_count(); i++)
        if (strcmp(part_of(option_at(i)), part) == 0)
            add(to, option_at(i));
    if (to->len > before)
        return 0;
    fprintf(stderr, "drover-docs: %s: no option is of that part\n", part);
    return -1;
}

int tables_options(struct buf *to, const char *build, const char *part)
{
    (void)build;
    begin_list(to);
    int done = add_part(to, part, add_option);
    end_list(to);
    return done;
}

static void add_key(struct buf *to, const struct option *o)
{
    if (!option_in_file(o))
        return;
    buf_printf(to, ".It Ic %s No = Ar %s\n", o->name, o->argument);
    mdoc_text(to, o->help);
    add_bounds(to, o, true);
}

int tables_keys(struct buf *to, const char *build, const char *part)
{
    (void)build;
    begin_list(to);
    int done = add_part(to, part, add_key);
    end_list(to);
    return done;
}

/* ------------------------------------------------------------------------------- commands */

/* More than a program has. */
#define COMMANDS_MAX 32

/* What all commands of a program say. */
struct chorus {
    size_t count;
    struct voice {
        char *name; /* owned, as are the rest */
        char *line;
        struct help help;
    } voices[COMMANDS_MAX];
};

static int join(void *context, const struct command *command)
{
    struct chorus *c = context;
    if (c->count == COMMANDS_MAX)
        return -1;
    struct voice *v = &c->voices[c->count++];
    *v = (struct voice){.name = strdup(command->name), .line = strdup(command->line)};
    return v->name && v->line ? command_help(command, &v->help) : -1;
}

static void disband(struct chorus *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->voices[i].name);
        free(c->voices[i].line);
        help_free(&c->voices[i].help);
    }
}

static bool is_same(const struct block *a, const struct block *b)
{
    return a->kind == b->kind && strcmp(a->text, b->text) == 0 &&
           (!a->term || strcmp(a->term, b->term) == 0);
}

/* The first command from this one on that says it, the block included; NULL: none. */
static const struct block *said_from(const struct chorus *c, size_t first, const struct block *b)
{
    for (size_t i = first; i < c->count; i++)
        for (size_t k = 0; k < c->voices[i].help.count; k++)
            if (is_same(&c->voices[i].help.blocks[k], b))
                return &c->voices[i].help.blocks[k];
    return NULL;
}

/* Do several commands say it? `of`: one that does. */
static bool is_shared(const struct chorus *c, size_t of, const struct block *b)
{
    return said_from(c, 0, b) != b || said_from(c, of + 1, b);
}

/* A list or a paragraph, as the one before was. */
static void add_block(struct buf *to, const struct block *b, bool *is_list, bool *is_first)
{
    if (*is_list != (b->kind == BLOCK_ITEM)) {
        *is_list ? end_list(to) : begin_list(to);
        *is_list = !*is_list;
    }
    if (*is_list)
        mdoc_item(to, b->term);
    else if (!*is_first)
        buf_lit(to, ".Pp\n");
    mdoc_text(to, b->text);
    *is_first = false;
}

/* The blocks that this command alone says, or those that it is the first to say of several; up to
 * the options that drover serve has. */
static void add_blocks(struct buf *to, const struct chorus *c, size_t of, bool shared)
{
    const struct help *help = &c->voices[of].help;
    bool is_list = false, is_first = !shared;
    for (size_t i = 0; i < help->count; i++) {
        const struct block *b = &help->blocks[i];
        if (strcmp(b->text, SHARED_OPTIONS) == 0)
            break;
        if (b->kind != BLOCK_USAGE && is_shared(c, of, b) == shared &&
            (!shared || said_from(c, 0, b) == b))
            add_block(to, b, &is_list, &is_first);
    }
    if (is_list)
        end_list(to);
}

static void add_usage(struct buf *to, const char *program, const struct voice *voice)
{
    const struct help *help = &voice->help;
    const char *text = help->count > 0 && help->blocks[0].kind == BLOCK_USAGE ? help->blocks[0].text
                                                                              : voice->name;
    mdoc_item(to, text + (strncmp(text, program, strlen(program)) == 0 ? strlen(program) : 0));
}

static int add_commands(struct buf *to, const char *build, const char *program, bool shared)
{
    struct chorus c = {0};
    int done = commands_each(build, program, join, &c);
    for (size_t i = 0; i < c.count && done == 0; i++) {
        if (!shared)
            add_usage(to, program, &c.voices[i]);
        if (!shared && c.voices[i].help.count <= 1)
            mdoc_text(to, c.voices[i].line);
        add_blocks(to, &c, i, shared);
    }
    disband(&c);
    return done;
}

int tables_commands(struct buf *to, const char *build, const char *program)
{
    begin_list(to);
    int done = add_commands(to, build, program, false);
    end_list(to);
    return done;
}

int tables_shared(struct buf *to, const char *build, const char *program)
{
    return add_commands(to, build, program, true);
}

/* Of a program without commands: its options, or the other rows that its help has. */
static int add_rows(struct buf *to, const char *build, const char *program, bool options)
{
    const struct command whole = {.build = build, .program = program};
    struct help help = {0};
    if (command_help(&whole, &help) < 0)
        return -1;
    begin_list(to);
    for (size_t i = 0; i < help.count; i++) {
        const struct block *b = &help.blocks[i];
        if (b->kind != BLOCK_ITEM || (*b->term == '-') != options)
            continue;
        mdoc_item(to, b->term);
        mdoc_text(to, b->text);
    }
    end_list(to);
    help_free(&help);
    return 0;
}

int tables_program(struct buf *to, const char *build, const char *program)
{
    return add_rows(to, build, program, true);
}

int tables_outcomes(struct buf *to, const char *build, const char *program)
{
    return add_rows(to, build, program, false);
}
