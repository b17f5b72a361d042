/*
 * drover-docs - fills in the manuals and completions: what the programs' own tables know is not
 * written twice. A part of the build; not installed.
 *
 *   drover-docs BUILD TEMPLATE     to standard output; the programs are in the directory BUILD
 *
 * A line "@WORDS@" of the template is replaced by what it names, @version@ also within a line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "docs/completion.h"
#include "docs/header.h"
#include "docs/tables.h"

static int api(struct buf *to, const char *build, const char *file)
{
    (void)build;
    return header_manual(to, file);
}

static const struct filler {
    const char *name;
    int (*fill)(struct buf *to, const char *build, const char *argument);
} fillers[] = {
    {"options", tables_options},   {"keys", tables_keys},
    {"commands", tables_commands}, {"shared", tables_shared},
    {"program", tables_program},   {"outcomes", tables_outcomes},
    {"metrics", tables_metrics},   {"api", api},
    {"bash", completion_bash},     {"zsh", completion_zsh},
    {"fish", completion_fish},
};

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "drover-docs: %s: %s\n", what, why);
    return -1;
}

/* `line` is "NAME ARGUMENT", and is cut. */
static int fill(struct buf *to, const char *build, char *line)
{
    const char *name = strsep(&line, " ");
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (strcmp(name, fillers[i].name) == 0)
            return fillers[i].fill(to, build, line ? line : "");
    return complain(name, "there is no such table");
}

static int take_line(struct buf *to, const char *build, char *line)
{
    static const char mark[] = "@version@";
    size_t n = strlen(line);
    char *at = strstr(line, mark);
    if (at) {
        buf_add(to, line, (size_t)(at - line));
        buf_str(to, DROVER_VERSION);
        return take_line(to, build, at + strlen(mark));
    }
    if (n > 3 && line[0] == '@' && line[n - 2] == '@') {
        line[n - 2] = '\0';
        return fill(to, build, line + 1);
    }
    buf_add(to, line, n);
    return 0;
}

static int expand(struct buf *to, const char *build, const char *template)
{
    FILE *file = fopen(template, "re");
    char *line = NULL;
    size_t size = 0;
    int done = 0;
    if (!file)
        return complain(template, strerror(errno));
    while (done == 0 && getline(&line, &size, file) > 0)
        done = take_line(to, build, line);
    free(line);
    fclose(file);
    return done;
}

int main(int argc, char *argv[])
{
    struct buf text = {0};
    if (argc != 3) {
        fputs("usage: drover-docs BUILD TEMPLATE\n", stderr);
        return EX_USAGE;
    }
    if (expand(&text, argv[1], argv[2]) < 0)
        return EX_SOFTWARE;
    if (text.failed || fwrite(text.p, 1, text.len, stdout) != text.len || fflush(stdout) != 0) {
        complain("standard output", strerror(errno));
        return EX_IOERR;
    }
    buf_free(&text);
    return EX_OK;
}
