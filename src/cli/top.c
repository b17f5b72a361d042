/*
 * drover top: the server's state, live.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/launch.h"
#include "cli/top_loop.h"
#include "config/nearest.h"
#include "config/values.h"

#define PROGRAM "drover top"

/* Milliseconds: what a person can follow, and a look at 256 workers takes a few; and an hour. */
#define INTERVAL_MS     1000
#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS (60 * 60 * 1000)

#define COUNT_MAX INT64_C(1000000000)

static int print_help(void)
{
    printf(
        "usage: " PROGRAM " [--control PATH] [--interval TIME] [--count N]\n\n"
        "Shows a server's state live: its rates and latencies, each worker, the last events.\n"
        "It is seen while its workers hang, too. A server that is upgraded is followed; where\n"
        "one has ended, the next one that can be found is waited for.\n\n"
        "  --control PATH   the server's control socket; else the only one that answers is\n"
        "                   taken, as by drover status\n"
        "  --interval TIME  between two looks, as in 500ms or 2s; from 100ms to 1h  (1s)\n"
        "  --count N        leave after so many\n\n"
        "  q, Ctrl-C        leave\n"
        "  left, right      sort by another column; < and > do, too\n"
        "  R, -             sort the other way\n"
        "  up, down         scroll; PgUp, PgDn, Home, End\n"
        "  r                reload the server\n"
        "  space            look now\n"
        "  p                pause, and go on\n"
        "  ?, h             what keys there are, and what the columns mean\n\n"
        "Where stdout is no terminal, or TERM is unset or dumb, it prints a frame of plain text\n"
        "each time, and ends when nobody reads it. Latencies are of the time since the last\n"
        "look, in milliseconds. Exits with 0 when it was left, else as drover status does.\n");
    return 0;
}

static int refuse(const char *argument, const char *what)
{
    fprintf(stderr, PROGRAM ": %s%s; " PROGRAM " --help tells more\n", argument, what);
    return EX_USAGE;
}

static int set_control(struct top_options *options, const char *value)
{
    if (!*value)
        return refuse("--control", ": must not be empty");
    options->request.control = value;
    return 0;
}

static int set_interval(struct top_options *options, const char *value)
{
    if (!value_duration(value, &options->interval_ms) || options->interval_ms < INTERVAL_MIN_MS ||
        options->interval_ms > INTERVAL_MAX_MS)
        return refuse("--interval", ": must be a time from 100ms to 1h, such as 500ms, 2s or 1m");
    return 0;
}

static int set_count(struct top_options *options, const char *value)
{
    if (!value_number(value, &options->count) || options->count < 1 || options->count > COUNT_MAX)
        return refuse("--count", ": must be a number from 1 to 1000000000");
    return 0;
}

static const struct {
    const char *name;
    int (*set)(struct top_options *options, const char *value);
} options_of[] = {{"--control", set_control}, {"--interval", set_interval}, {"--count", set_count}};

#define OPTION_COUNT (sizeof options_of / sizeof *options_of)

static int refuse_unknown(const char *argument)
{
    const char *names[OPTION_COUNT + 1] = {"--help"};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[i + 1] = options_of[i].name;
    const char *nearest = argument[0] == '-' ? nearest_name(argument, names, OPTION_COUNT + 1)
                                             : NULL;
    if (!nearest)
        return refuse(argument, argument[0] == '-' ? ": there is no such option"
                                                   : ": there is nothing to be named here");
    fprintf(stderr, PROGRAM ": %s: there is no such option; did you mean %s?\n", argument, nearest);
    return EX_USAGE;
}

/* NAME VALUE or NAME=VALUE; moves *i to the last argument that was taken. Returns 0 or EX_USAGE. */
static int parse_one(struct top_options *options, int argc, char *const argv[], int *i)
{
    const char *argument = argv[*i];
    for (size_t o = 0; o < OPTION_COUNT; o++) {
        size_t n = strlen(options_of[o].name);
        if (strncmp(argument, options_of[o].name, n) != 0)
            continue;
        if (argument[n] == '=')
            return options_of[o].set(options, argument + n + 1);
        if (argument[n] != '\0')
            continue;
        if (++*i == argc)
            return refuse(argument, ": its value is missing");
        return options_of[o].set(options, argv[*i]);
    }
    return refuse_unknown(argument);
}

int cli_top(int argc, char *const argv[])
{
    struct top_options options = {.request = {.program = PROGRAM}, .interval_ms = INTERVAL_MS};
    if (launch_wants_help(argc, argv))
        return print_help();
    for (int i = 0; i < argc; i++) {
        int status = parse_one(&options, argc, argv, &i);
        if (status)
            return status;
    }
    return top_run(&options);
}
