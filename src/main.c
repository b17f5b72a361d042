#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/log.h"
#include "cli/cli.h"
#include "config/nearest.h"
#include "config/options.h"
#include "os/standard.h"

static int help(int argc, char *const argv[]);

static const struct command {
    const char *name;
    int (*run)(int argc, char *const argv[]);
    const char *help;
} commands[] = {
    {"serve", cli_serve, "serve the files below a directory, or an application"},
    {"check", cli_check, "say what is wrong with a configuration file, or what it comes to"},
    {"doctor", cli_doctor, "say what this machine gives a server, and how to have more"},
    {"status", cli_status, "show what a server is and does"},
    {"top", cli_top, "show a server's state live, worker by worker"},
    {"reload", cli_reload, "have a server read its configuration anew, with fresh workers"},
    {"upgrade", cli_upgrade, "have a server go on as the binary that is now on disk"},
    {"scale", cli_scale, "have a server work with N workers"},
    {"reopen", cli_reopen, "have a server open its log files anew"},
    {"stop", cli_stop, "have a server finish what it has, and end"},
    {"version", cli_version, "print the version"},
    {"help", help, "print this, or the help of a command"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static void print_usage(FILE *to)
{
    fprintf(to, "usage: drover COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(to, "\ndrover COMMAND --help tells more.\n");
}

static int unknown(const char *typed)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *mark = log_prefix(LOG_ERROR), *nearest = nearest_name(typed, names, COMMAND_COUNT);
    struct stat st;
    if (stat(typed, &st) == 0 && S_ISDIR(st.st_mode))
        fprintf(stderr,
                "%sdrover: there is no command \"%s\"; to serve that directory: drover serve %s\n",
                mark, typed, typed);
    else if (nearest)
        fprintf(stderr, "%sdrover: there is no command \"%s\"; did you mean %s?\n", mark, typed,
                nearest);
    else
        fprintf(stderr, "%sdrover: there is no command \"%s\"; drover help lists them\n", mark,
                typed);
    return EX_USAGE;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* Of a command: what its --help prints. */
static int help(int argc, char *const argv[])
{
    char option[] = "--help";
    const struct command *command = argc > 0 ? find(argv[0]) : NULL;
    if (argc > 0 && argv[0][0] != '-' && !command)
        return unknown(argv[0]);
    if (command && command->run != help)
        return command->run(1, (char *const[]){option, NULL});
    print_usage(stdout);
    return 0;
}

/* What was printed is with whoever reads it, or the command has failed. */
static int finish(const char *name, int status)
{
    bool is_written = fflush(stdout) == 0;
    if (is_written && !ferror(stdout))
        return status;
    if (status != EX_IOERR) /* which says that it was told */
        fprintf(stderr, "%sdrover %s: %s\n", log_prefix(LOG_ERROR), name,
                is_written ? "what it prints could not be written" : strerror(errno));
    return status ? status : EX_IOERR;
}

int main(int argc, char *argv[])
{
    if (standard_open() < 0)
        return EX_OSERR;
    if (argc < 2) {
        print_usage(stderr);
        return EX_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    const struct command *command = find(name);
    return command ? finish(name, command->run(argc - 2, argv + 2)) : unknown(name);
}
