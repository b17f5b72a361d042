#include <stdlib.h>
#include <string.h>

#include "docs/mdoc.h"
#include "docs/tables.h"
#include "status/metrics.h"

/* "NAME WORDS", up to the end of the line: what stands behind "# HELP ". */
static void add_family(struct buf *to, const char *line, size_t n)
{
    size_t name = strcspn(line, " ");
    char *help = strndup(line + name, n - name);
    buf_printf(to, ".It Va %.*s\n", (int)name, line);
    if (help)
        mdoc_text(to, help);
    to->failed |= !help;
    free(help);
}

/* A server of which nothing is known has all families, too. */
int tables_metrics(struct buf *to, const char *build, const char *argument)
{
    static const char mark[] = "# HELP ";
    static const struct snapshot nothing;
    struct metrics_floor floor = {0};
    struct buf text = {0};
    (void)build;
    (void)argument;
    metrics_write(&text, &nothing, &floor);
    buf_add(&text, "", 1);
    buf_lit(to, ".Bl -tag -width 4n\n");
    for (const char *line = text.p; line && *line;) {
        size_t n = strcspn(line, "\n");
        if (strncmp(line, mark, strlen(mark)) == 0)
            add_family(to, line + strlen(mark), n - strlen(mark));
        line += n + (line[n] == '\n');
    }
    buf_lit(to, ".El\n");
    buf_free(&text);
    return 0;
}
