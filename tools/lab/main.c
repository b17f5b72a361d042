/*
 * drover-lab - what every way to share a listener, or to wait for connections, costs on this
 * kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/nearest.h"
#include "lab/cli/command.h"
#include "lab/kernel/machine.h"

static const struct command {
    const char *name;
    const char *arguments;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"list", "[KIND]", command_list, "strategies, models, workloads, presets, claims"},
    {"run", "NAME... [OPTIONS]", command_run, "measures what is named; a row a measurement"},
    {"all", "[--quick] [OPTIONS]", command_all, "the whole matrix, the claims, and report.html"},
    {"expect", "[OPTIONS]", command_expect, "what was predicted, and what is seen here"},
    {"claims", "[PATTERN] [OPTIONS]", command_claims, "what is told, and whether it holds here"},
    {"report", "FILE... -o PAGE", command_report, "one page with plots of what FILE... hold"},
    {"diff", "A B", command_diff, "two result files, and what differs beyond the spread"},
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int help(void)
{
    puts("usage: drover-lab COMMAND [ARGUMENTS]\n"
         "What every way to share a listener, or to wait for connections, costs on this kernel.\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *c = &commands[i];
        int n = printf("  %s %s", c->name, c->arguments);
        printf("%*s%s\n", n < 26 ? 28 - n : 2, "", c->help);
    }
    puts("\n`drover-lab COMMAND --help` has its options. Everything runs on the loopback "
         "interface, or\n"
         "in network namespaces of its own, and leaves nothing behind.");
    return EX_OK;
}

static int unknown(const char *word)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *nearest = nearest_name(word, names, COMMAND_COUNT);
    fprintf(stderr, "drover-lab: '%s': there is no such command", word);
    if (nearest)
        fprintf(stderr, "; did you mean %s?\n", nearest);
    else
        fputs("; `drover-lab help` lists them\n", stderr);
    return EX_USAGE;
}

/* What was printed may not have gone anywhere. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "drover-lab: standard output: %s\n", strerror(errno));
    return status ? status : EX_IOERR;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    machine_command(argc, argv);
    if (!word) {
        fputs("drover-lab: a command is missing; `drover-lab help` lists them\n", stderr);
        return EX_USAGE;
    }
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help();
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
        puts("drover-lab " DROVER_VERSION);
        return EX_OK;
    }
    const struct command *command = find(word);
    return command ? finish(command->run(argc - 1, argv + 1)) : unknown(word);
}
