/*
 * drover reload, upgrade, scale, reopen and stop: what signals ask of a server too, but with an end
 * that is waited for, and told. One row a verb.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/limits.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/verb_options.h"

/* A number of limits.h within a text. */
#define AS_WRITTEN(n) #n
#define TEXT_OF(n)    AS_WRITTEN(n)

#define WORKERS "1 to " TEXT_OF(SLOTS_MAX)

struct verb_row {
    struct request request;
    const char *now;     /* what --now asks for; NULL: there is no such option */
    const char *operand; /* what it is called; NULL: there is none */
    /* What is wrong with it, as far as can be said here; NULL: nothing. */
    const char *(*wrong)(const char *operand);
    const char *text; /* of the help */
};

static const char *wrong_number(const char *operand)
{
    char *end;
    long number = strtol(operand, &end, 10);
    bool is_one = *operand >= '0' && *operand <= '9' && !*end;
    return is_one && number >= 1 && number <= SLOTS_MAX ? NULL
                                                        : "must be a number of workers, " WORKERS;
}

static const struct verb_row reload = {
    .request = {.program = "drover reload", .words = "reload", .done = "reload"},
    .text = "Has the server read its configuration anew and replace its workers, and waits until\n"
            "these accept. With a configuration that cannot be used nothing is changed: all that\n"
            "is wrong with it is printed, and the status is 78. The same as SIGHUP.\n",
};

static const struct verb_row upgrade = {
    .request = {.program = "drover upgrade", .words = "upgrade", .done = "upgrade"},
    .text = "Has the server go on as the binary that is now on disk, and waits until that serves.\n"
            "If it does not, nothing is changed, and the reason is printed. The same as SIGUSR2.\n",
};

static const struct verb_row scale = {
    .request = {.program = "drover scale", .words = "scale", .done = "scaled"},
    .operand = "N",
    .wrong = wrong_number,
    .text = "Has the server work with N workers, " WORKERS
            ", and waits until new ones accept; those\n"
            "that are too many finish what they have, and leave. When a new one does not start,\n"
            "nothing is changed. The number holds until the configuration has another one. The\n"
            "same as SIGTTIN and SIGTTOU, but in one step.\n",
};

static const struct verb_row reopen = {
    .request = {.program = "drover reopen", .words = "reopen", .done = "reopened"},
    .text = "Has the server open its log files anew, by their paths, and waits until no worker\n"
            "writes to the old ones any more: for logrotate(8). When one cannot be opened nothing\n"
            "is changed, and the reason is printed. The same as SIGUSR1.\n",
};

static const struct verb_row stop = {
    .request = {.program = "drover stop", .words = "stop", .done = "stopped"},
    .now = "stop now",
    .text = "Stops the server, and waits for its end: no new client comes in, the queues are\n"
            "served, what runs is finished within --drain-timeout. The same as SIGTERM.\n\n"
            "  --now            at once, whatever runs; as a second SIGTERM\n",
};

static int print_help(const struct verb_row *verb)
{
    printf("usage: %s%s%s [--control PATH] [--json]%s\n\n%s%s%s\n"
           "Root may ask, and who the server was started by. Exits with 0 when it is done, else\n"
           "with the status of what went wrong, as those of drover serve; with 64 when several\n"
           "servers were found, 69 when none was, 70 when it ended before it answered, 77 when\n"
           "it is another user's. Ctrl-C ends the waiting, and nothing else.\n",
           verb->request.program, verb->operand ? " " : "", verb->operand ? verb->operand : "",
           verb->now ? " [--now]" : "", verb->text, verb->now ? "" : "\n", verb_options_help());
    return 0;
}

static int refuse(const struct verb_row *verb, const char *operand, const char *why)
{
    fprintf(stderr, "%s: %s%s%s; %s --help tells more\n", verb->request.program, operand,
            *operand ? ": " : "", why, verb->request.program);
    return EX_USAGE;
}

/* With the operand behind the words, if there is one. */
static int ask_with(const struct verb_row *verb, const struct request *request, const char *operand)
{
    char words[CONTROL_REQUEST_MAX];
    struct request whole = *request;
    if (!verb->operand)
        return ask(request);
    if (!operand)
        return refuse(verb, verb->operand, "is missing");
    const char *wrong = verb->wrong(operand);
    if (wrong)
        return refuse(verb, operand, wrong);
    snprintf(words, sizeof words, "%s %s", request->words, operand);
    whole.words = words;
    return ask(&whole);
}

static int run(const struct verb_row *verb, int argc, char *const argv[])
{
    struct request request = verb->request;
    struct verb_options options = {.program = request.program,
                                   .may_have = VERB_JSON | (verb->now ? VERB_NOW : 0u) |
                                               (verb->operand ? VERB_OPERAND : 0u)};
    int status = verb_options_parse(&options, argc, argv);
    if (options.wants_help)
        return print_help(verb);
    if (status)
        return status;
    request.control = options.control;
    request.is_json = options.is_json;
    if (options.is_now)
        request.words = verb->now;
    return ask_with(verb, &request, options.operand);
}

int cli_reload(int argc, char *const argv[])
{
    return run(&reload, argc, argv);
}

int cli_upgrade(int argc, char *const argv[])
{
    return run(&upgrade, argc, argv);
}

int cli_scale(int argc, char *const argv[])
{
    return run(&scale, argc, argv);
}

int cli_reopen(int argc, char *const argv[])
{
    return run(&reopen, argc, argv);
}

int cli_stop(int argc, char *const argv[])
{
    return run(&stop, argc, argv);
}
