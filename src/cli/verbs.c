/*
 * drover reload, upgrade, reopen and stop: what signals ask of a server too, but with an end that is waited
 * for, and told.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/launch.h"

struct manual {
    const char *text;
    const char *now; /* what --now asks for; NULL: there is no such option */
};

static int print_help(const struct request *request, const struct manual *help)
{
    printf("usage: %s [--control PATH]%s\n\n%s\n"
           "  --control PATH   the server's control socket; else the only one that answers is\n"
           "                   taken: that of $RUNTIME_DIRECTORY, or drover*/control and\n"
           "                   drover-*.control in $XDG_RUNTIME_DIR and /run\n\n"
           "Root may ask, and who the server was started by. Exits with 0 when it is done, else\n"
           "with the status of what went wrong, as those of drover serve; with 64 when several\n"
           "servers were found, 69 when none was, 70 when it ended before it answered, 77 when\n"
           "it is another user's. Ctrl-C ends the waiting, and nothing else.\n",
           request->program, help->now ? " [--now]" : "", help->text);
    return 0;
}

static int refuse(const struct request *request, const char *what, const char *argument)
{
    fprintf(stderr, "%s: %s%s; %s --help tells more\n", request->program, argument, what,
            request->program);
    return EX_USAGE;
}

/* What is left when `now`, if there is one, is taken: --control PATH. Returns 0 or EX_USAGE. */
static int parse(struct request *request, int argc, char *const argv[], bool *now)
{
    for (int i = 0; i < argc; i++) {
        if (now && strcmp(argv[i], "--now") == 0)
            *now = true;
        else if (strncmp(argv[i], "--control=", 10) == 0)
            request->control = argv[i] + 10;
        else if (strcmp(argv[i], "--control") != 0)
            return refuse(request, ": there is no such option", argv[i]);
        else if (++i < argc)
            request->control = argv[i];
        else
            return refuse(request, ": its value is missing", argv[i - 1]);
    }
    if (request->control && !*request->control)
        return refuse(request, ": must not be empty", "--control");
    return 0;
}

static int run(struct request *request, const struct manual *help, int argc, char *const argv[])
{
    bool is_now = false;
    if (launch_wants_help(argc, argv))
        return print_help(request, help);
    int status = parse(request, argc, argv, help->now ? &is_now : NULL);
    if (status)
        return status;
    if (is_now)
        request->words = help->now;
    return ask(request);
}

int cli_reload(int argc, char *const argv[])
{
    static const struct manual help = {
        .text =
            "Has the server read its configuration anew and replace its workers, and waits until\n"
            "these accept. With a configuration that cannot be used nothing is changed: all that\n"
            "is wrong with it is printed, and the status is 78. The same as SIGHUP.\n"};
    struct request request = {.program = "drover reload", .words = "reload", .done = "reload"};
    return run(&request, &help, argc, argv);
}

int cli_upgrade(int argc, char *const argv[])
{
    static const struct manual help = {
        .text =
            "Has the server go on as the binary that is now on disk, and waits until that serves.\n"
            "If it does not, nothing is changed, and the reason is printed. The same as "
            "SIGUSR2.\n"};
    struct request request = {.program = "drover upgrade", .words = "upgrade", .done = "upgrade"};
    return run(&request, &help, argc, argv);
}

int cli_reopen(int argc, char *const argv[])
{
    static const struct manual help = {
        .text =
            "Has the server open its log files anew, by their paths, and waits until no worker\n"
            "writes to the old ones any more: for logrotate(8). When one cannot be opened nothing\n"
            "is changed, and the reason is printed. The same as SIGUSR1.\n"};
    struct request request = {.program = "drover reopen", .words = "reopen", .done = "reopened"};
    return run(&request, &help, argc, argv);
}

int cli_stop(int argc, char *const argv[])
{
    static const struct manual help = {
        .now = "stop now",
        .text = "Stops the server, and waits for its end: no new client comes in, the queues are "
                "served,\n"
                "what runs is finished within --drain-timeout. The same as SIGTERM.\n\n"
                "  --now            at once, whatever runs; as a second SIGTERM\n"};
    struct request request = {.program = "drover stop", .words = "stop", .done = "stopped"};
    return run(&request, &help, argc, argv);
}
