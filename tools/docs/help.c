#include "docs/help.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

/* Where an item's term begins, at most: what is further to the right goes on with the last one. */
#define TERM_INDENT 2

static struct block *add(struct help *help, enum block_kind kind)
{
    struct block *more = realloc(help->blocks, (help->count + 1) * sizeof *more);
    if (!more)
        return NULL;
    help->blocks = more;
    more[help->count] = (struct block){.kind = kind};
    return &more[help->count++];
}

/* The line, of n bytes, becomes the next of the block's text. */
static int append(struct block *block, const char *line, size_t n)
{
    size_t have = block->text ? strlen(block->text) : 0;
    char *text = realloc(block->text, have + n + 2);
    if (!text)
        return -1;
    if (have > 0)
        text[have++] = ' ';
    memcpy(text + have, line, n);
    text[have + n] = '\0';
    block->text = text;
    return 0;
}

/* How long the term is that a line begins with, 0: it begins with none. Without an indent a term
 * is one word. */
static size_t term_length(const char *line, size_t n, bool is_indented)
{
    for (size_t i = 1; i + 2 < n; i++)
        if (line[i] == ' ' && line[i + 1] == ' ')
            return i;
        else if (line[i] == ' ' && !is_indented)
            return 0;
    return 0;
}

static int add_item(struct help *help, const char *line, size_t n, size_t term)
{
    struct block *item = add(help, BLOCK_ITEM);
    size_t skip = term;
    if (!item)
        return -1;
    while (skip < n && line[skip] == ' ')
        skip++;
    item->term = strndup(line, term);
    return item->term ? append(item, line + skip, n - skip) : -1;
}

/* One line that is not empty; `is_open`: the last block may go on. */
static int take(struct help *help, const char *line, size_t n, bool is_open)
{
    static const char usage[] = "usage: ";
    size_t indent = 0;
    struct block *last = is_open && help->count > 0 ? &help->blocks[help->count - 1] : NULL;
    while (indent < n && line[indent] == ' ')
        indent++;
    if (strncmp(line, usage, strlen(usage)) == 0) {
        last = add(help, BLOCK_USAGE);
        return last ? append(last, line + strlen(usage), n - strlen(usage)) : -1;
    }
    size_t term = indent <= TERM_INDENT ? term_length(line + indent, n - indent, indent > 0) : 0;
    if (term > 0)
        return add_item(help, line + indent, n - indent, term);
    bool goes_on = last && last->kind != BLOCK_USAGE &&
                   (last->kind == BLOCK_ITEM) == (indent > TERM_INDENT);
    if (!goes_on)
        last = add(help, BLOCK_TEXT);
    return last ? append(last, line + indent, n - indent) : -1;
}

int help_parse(struct help *help, const char *text)
{
    bool is_open = false;
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n > 0 && take(help, text, n, is_open) < 0)
            return -1;
        is_open = n > 0;
        text += n + (text[n] == '\n');
    }
    return 0;
}

void help_free(struct help *help)
{
    for (size_t i = 0; i < help->count; i++) {
        free(help->blocks[i].term);
        free(help->blocks[i].text);
    }
    free(help->blocks);
    *help = (struct help){0};
}

/* Starts it with its output in a pipe, whose other end is in *from. Returns its pid, or -1. */
static pid_t start(const char *const argv[], int *from)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int error = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *from = ends[0];
    if (error == 0)
        return pid;
    close(ends[0]);
    errno = error;
    return -1;
}

static void read_all(int from, struct buf *to)
{
    char *room;
    ssize_t n;
    while ((room = buf_room(to, 4096)) && (n = read(from, room, 4096)) > 0)
        buf_grow(to, (size_t)n);
}

int help_run(struct help *help, const char *const argv[])
{
    struct buf text = {0};
    int from, status = 0, done = -1;
    pid_t pid = start(argv, &from);
    if (pid < 0)
        return -1;
    read_all(from, &text);
    close(from);
    buf_add(&text, "", 1);
    if (waitpid(pid, &status, 0) < 0 || status != 0)
        errno = EPROTO;
    else if (text.failed)
        errno = ENOMEM;
    else
        done = help_parse(help, text.p);
    buf_free(&text);
    return done;
}
