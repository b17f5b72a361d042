#include "docs/completion.h"

#include <string.h>

#include "docs/rows.h"

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* ------------------------------------------------------------------------------------- bash */

/* PROGRAM COMMAND NAME KIND FILES [WORD...], "-" for none: the template looks it through. */
static int add_bash(void *context, const struct row *row)
{
    static const char *const kinds[] = {
        [ROW_COMMAND] = "command", [ROW_FLAG] = "flag",       [ROW_ANY] = "any",
        [ROW_FILE] = "file",       [ROW_FOLDER] = "folder",   [ROW_USER] = "user",
        [ROW_GROUP] = "group",     [ROW_CONTROL] = "control", [ROW_WORDS] = "words",
    };
    _Static_assert(sizeof kinds / sizeof *kinds == ROW_WORDS + 1, "a name a kind");
    buf_printf(context, "%s %s %s %s %s %s\n", row->program, or_dash(row->command),
               or_dash(row->name), kinds[row->kind], row->also_files ? "files" : "-", row->words);
    return 0;
}

int completion_bash(struct buf *to, const char *build, const char *argument)
{
    (void)argument;
    return rows_each(build, add_bash, to);
}

/* -------------------------------------------------------------------------------------- zsh */

/* Inside single quotes, and inside the brackets of a specification. */
static void add_zsh_text(struct buf *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_lit(to, "'\\''");
        else if (strchr("[]:\\", *text))
            buf_printf(to, "\\%c", *text);
        else
            buf_add(to, text, 1);
    }
}

static void add_zsh_action(struct buf *to, const struct row *row)
{
    static const char *const actions[] = {
        [ROW_COMMAND] = "",
        [ROW_FLAG] = "",
        [ROW_ANY] = " ",
        [ROW_FILE] = "_files",
        [ROW_FOLDER] = "_files -/",
        [ROW_USER] = "_users",
        [ROW_GROUP] = "_groups",
        [ROW_CONTROL] = "_drover_controls",
        [ROW_WORDS] = "",
    };
    _Static_assert(sizeof actions / sizeof *actions == ROW_WORDS + 1, "an action a kind");
    buf_lit(to, ":");
    add_zsh_text(to, row->argument);
    buf_lit(to, ":");
    if (row->kind != ROW_WORDS)
        buf_str(to, actions[row->kind]);
    else if (row->also_files)
        buf_printf(to, "_drover_words_or_files %s", row->words);
    else
        buf_printf(to, "(%s)", row->words);
}

/* A line a row: "PROGRAM:COMMAND" and, quoted, a specification of _arguments, or a description. */
static int add_zsh(void *context, const struct row *row)
{
    struct buf *to = context;
    buf_printf(to, "    %s:%s '", row->program, row->command ? row->command : "");
    if (row->kind == ROW_COMMAND) {
        buf_printf(to, "command:%s:", row->command);
        add_zsh_text(to, row->help);
    } else if (row->name) {
        bool is_long = strncmp(row->name, "--", 2) == 0;
        buf_printf(to, "%s%s%s[", row->may_repeat ? "*" : "", row->name,
                   row->argument && is_long ? "=" : "");
        add_zsh_text(to, row->help);
        buf_lit(to, "]");
    } else if (row->may_repeat) {
        buf_lit(to, "*");
    }
    if (row->argument)
        add_zsh_action(to, row);
    buf_lit(to, "'\n");
    return 0;
}

int completion_zsh(struct buf *to, const char *build, const char *argument)
{
    (void)argument;
    return rows_each(build, add_zsh, to);
}

/* ------------------------------------------------------------------------------------- fish */

static void add_fish_text(struct buf *to, const char *text)
{
    buf_lit(to, "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_lit(to, "\\");
        buf_add(to, text, 1);
    }
    buf_lit(to, "'");
}

static void add_fish_values(struct buf *to, const struct row *row)
{
    static const char *const values[] = {
        [ROW_COMMAND] = "",
        [ROW_FLAG] = "",
        [ROW_ANY] = "",
        [ROW_FILE] = "",
        [ROW_FOLDER] = "(__fish_complete_directories)",
        [ROW_USER] = "(__fish_complete_users)",
        [ROW_GROUP] = "(__fish_complete_groups)",
        [ROW_CONTROL] = "(__drover_controls)",
        [ROW_WORDS] = "",
    };
    _Static_assert(sizeof values / sizeof *values == ROW_WORDS + 1, "values a kind");
    const char *words = row->kind == ROW_WORDS ? row->words : values[row->kind];
    bool is_file = row->kind == ROW_FILE || row->kind == ROW_CONTROL || row->also_files;
    if (row->name && row->argument)
        buf_lit(to, " -r");
    buf_str(to, is_file ? " -F" : " -f");
    if (*words) {
        buf_lit(to, " -a ");
        add_fish_text(to, words);
    }
}

static int add_fish(void *context, const struct row *row)
{
    struct buf *to = context;
    buf_printf(to, "complete -c %s", row->program);
    if (row->kind == ROW_COMMAND) {
        buf_printf(to, " -n __fish_use_subcommand -f -a %s", row->command);
    } else {
        if (row->command)
            buf_printf(to, " -n '__fish_seen_subcommand_from %s'", row->command);
        if (row->name && strncmp(row->name, "--", 2) == 0)
            buf_printf(to, " -l %s", row->name + 2);
        else if (row->name)
            buf_printf(to, " -s %s", row->name + 1);
        add_fish_values(to, row);
    }
    if (row->help[0]) {
        buf_lit(to, " -d ");
        add_fish_text(to, row->help);
    }
    buf_lit(to, "\n");
    return 0;
}

int completion_fish(struct buf *to, const char *build, const char *argument)
{
    (void)argument;
    return rows_each(build, add_fish, to);
}
