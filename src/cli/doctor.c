#include "cli/doctor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/launch.h"
#include "cli/source.h"
#include "config/nearest.h"
#include "config/options.h"

#define PROGRAM "drover doctor"

static int help(const struct settings *settings)
{
    printf("usage: " PROGRAM " [--json] [-c FILE] [OPTIONS] [ROOT]\n\n"
           "Says what this machine and its service manager give a server with these options, by\n"
           "trying it on loopback. A line is one of:\n\n"
           "  ok        nothing to do\n"
           "  note      drover runs, and does less than it could; -> says how to change that\n"
           "  bad       drover cannot run\n\n"
           "Exits with 0 where drover can run, with 69 where not. Nothing is changed.\n\n"
           "  --json    one JSON object: version, can_run, and findings, an array of objects with\n"
           "            what, grade, found, means and change\n\n");
    launch_help(settings, NULL);
    return 0;
}

/* Of what no server has, but may be the one option more. Returns true when it was refused. */
static bool refuse_near(const struct settings *words, const char *typed)
{
    static const char *const own[] = {"json"};
    char why[128];
    if (strncmp(typed, "--", 2) != 0 || option_find(typed + 2, strcspn(typed + 2, "=")) ||
        !nearest_name(typed + 2, own, 1))
        return false;
    snprintf(why, sizeof why, "%.64s: there is no such option; did you mean --json?", typed);
    launch_fail(words, EX_USAGE, why);
    return true;
}

static int print(const struct findings *findings, bool as_json)
{
    struct buf text = {0};
    const struct settings words = {.program = PROGRAM};
    if (as_json)
        findings_json(findings, DROVER_VERSION, &text);
    else
        findings_text(findings, &text);
    bool is_told = !text.failed && fwrite(text.p, 1, text.len, stdout) == text.len &&
                   fflush(stdout) == 0;
    buf_free(&text);
    if (!is_told)
        return launch_fail(&words, EX_IOERR, "what was found cannot be written");
    return findings_of(findings, GRADE_BAD) > 0 ? EX_UNAVAILABLE : 0;
}

static int examine(struct source *source, bool as_json)
{
    static char why[CONFIGURATION_WHY_SIZE]; /* more than a stack is for */
    static struct doctor doctor;             /* the same */
    const struct settings words = {.program = PROGRAM};
    int status;
    struct configuration *c = source_read(source, &status, why, sizeof why);
    if (!c)
        return launch_fail(&words, status, why);
    doctor.settings = &c->settings;
    probe_service_read(&doctor.service);
    signal(SIGCHLD, SIG_DFL); /* the probes are waited for */
    doctor_kernel(&doctor);
    doctor_limits(&doctor);
    doctor_service(&doctor);
    status = print(&doctor.findings, as_json);
    source_free(c);
    return status;
}

int cli_doctor(int argc, char *const argv[])
{
    struct settings settings;
    bool as_json = false, is_refused = false;
    int count = 0;
    options_defaults(&settings);
    settings.program = PROGRAM;
    if (launch_wants_help(argc, argv))
        return help(&settings);
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return launch_fail(&settings, EX_OSERR, "out of memory");
    for (int i = 0; i < argc && !is_refused; i++)
        if (strcmp(argv[i], "--json") == 0)
            as_json = true;
        else if (!(is_refused = refuse_near(&settings, argv[i])))
            rest[count++] = argv[i];
    struct source source = {.program = PROGRAM, .argc = count, .argv = rest};
    int status = is_refused ? EX_USAGE : examine(&source, as_json);
    free(rest);
    return status;
}
