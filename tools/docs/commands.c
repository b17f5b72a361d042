#include "docs/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* A command's name has no more letters. */
#define NAME_SIZE 32

/* Runs it with one argument, or two. */
static int run(const char *build, const char *program, const char *first, const char *second,
               struct help *help)
{
    char path[PATH_MAX];
    const char *const argv[] = {path, first, second, NULL};
    snprintf(path, sizeof path, "%s/%s", build, program);
    if (help_run(help, argv) == 0)
        return 0;
    fprintf(stderr, "drover-docs: %s %s %s: %s\n", path, first, second ? second : "",
            strerror(errno));
    help_free(help);
    return -1;
}

int command_help(const struct command *command, struct help *help)
{
    /* neither has more to say than its line in the list */
    if (command->name &&
        (strcmp(command->name, "help") == 0 || strcmp(command->name, "version") == 0))
        return 0;
    if (command->name)
        return run(command->build, command->program, command->name, "--help", help);
    return run(command->build, command->program, "--help", NULL, help);
}

int command_output(const struct command *command, struct help *help)
{
    return run(command->build, command->program, command->name, NULL, help);
}

int commands_each(const char *build, const char *program,
                  int (*fn)(void *context, const struct command *command), void *context)
{
    struct help help = {0};
    char name[NAME_SIZE];
    int done = run(build, program, "help", NULL, &help);
    for (size_t i = 0; i < help.count && done == 0; i++) {
        const struct block *b = &help.blocks[i];
        if (b->kind != BLOCK_ITEM)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(b->term, " "), b->term);
        const struct command command = {build, program, name, b->text};
        done = fn(context, &command);
    }
    help_free(&help);
    return done;
}
