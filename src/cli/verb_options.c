#include "cli/verb_options.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/launch.h"
#include "config/nearest.h"

static int refuse(const struct verb_options *o, const char *argument, const char *what)
{
    fprintf(stderr, "%s: %s: %s; %s --help tells more\n", o->program, argument, what, o->program);
    return EX_USAGE;
}

static int unknown(const struct verb_options *o, const char *typed)
{
    const char *names[4] = {"--control", "--help"};
    size_t count = 2;
    char what[64];
    if (o->may_have & VERB_JSON)
        names[count++] = "--json";
    if (o->may_have & VERB_NOW)
        names[count++] = "--now";
    const char *nearest = nearest_name(typed, names, count);
    if (!nearest)
        return refuse(o, typed, "there is no such option");
    snprintf(what, sizeof what, "there is no such option; did you mean %s?", nearest);
    fprintf(stderr, "%s: %s: %s\n", o->program, typed, what);
    return EX_USAGE;
}

static bool takes_flag(struct verb_options *o, const char *argument)
{
    bool is_json = (o->may_have & VERB_JSON) && strcmp(argument, "--json") == 0;
    bool is_now = (o->may_have & VERB_NOW) && strcmp(argument, "--now") == 0;
    o->is_json |= is_json;
    o->is_now |= is_now;
    return is_json || is_now;
}

/* "+1" and "-1" are operands, where there is one. */
static bool takes_operand(struct verb_options *o, const char *argument)
{
    bool is_option = argument[0] == '-' && (argument[1] < '0' || argument[1] > '9');
    if (!(o->may_have & VERB_OPERAND) || is_option || o->operand)
        return false;
    o->operand = argument;
    return true;
}

static int read_all(struct verb_options *o, int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++) {
        if (takes_flag(o, argv[i]) || takes_operand(o, argv[i]))
            continue;
        if (strncmp(argv[i], "--control=", 10) == 0)
            o->control = argv[i] + 10;
        else if (strcmp(argv[i], "--control") != 0)
            return argv[i][0] == '-' ? unknown(o, argv[i])
                                     : refuse(o, argv[i], "there is nothing to be named here");
        else if (++i < argc)
            o->control = argv[i];
        else
            return refuse(o, argv[i - 1], "its value is missing");
    }
    return 0;
}

int verb_options_parse(struct verb_options *o, int argc, char *const argv[])
{
    o->wants_help = launch_wants_help(argc, argv);
    if (o->wants_help)
        return 0;
    int status = read_all(o, argc, argv);
    if (status == 0 && o->control && !*o->control)
        return refuse(o, "--control", "must not be empty");
    return status;
}

const char *verb_options_help(void)
{
    return "  --control PATH   the server's control socket; else the only one that answers is\n"
           "                   taken: that of $RUNTIME_DIRECTORY, or drover*/control and\n"
           "                   drover-*.control in $XDG_RUNTIME_DIR and /run\n"
           "  --json           prints one JSON object\n";
}
