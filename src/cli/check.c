#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/launch.h"
#include "cli/source.h"
#include "config/options.h"
#include "config/print.h"

static int help(const struct settings *settings)
{
    printf("usage: drover check [--print] [-c FILE] [OPTIONS] [ROOT]\n\n"
           "Says all that is wrong with a configuration file, as FILE:LINE:COLUMN: and what is\n"
           "allowed, and exits with 78; with 0 when drover serve takes it with the same options.\n"
           "Nothing is bound, made, forked or changed: whether addresses are free, and whether\n"
           "sockets, pid file and logs can be made where they are to be, a start finds out.\n\n"
           "  --print   prints what holds, as a configuration file, and where each value comes\n"
           "            from: default, option, or the file and its line\n\n");
    launch_help(settings, NULL);
    return 0;
}

/* What stands in a file starts with its place, which editors take as it is. */
static int fail(int status, const char *why)
{
    const struct settings words = {.program = status == EX_CONFIG ? NULL : "drover check"};
    return launch_fail(&words, status, why);
}

/* The value of the file that a message, "--name value: what", is about; NULL: none. */
static const struct given *blamed(const struct givens *givens, const struct section *section,
                                  const char *why, size_t *n)
{
    char start[DROVER_WHY_SIZE];
    for (size_t i = givens->arguments; i < givens->count; i++) {
        const struct given *one = &givens->list[i];
        *n = (size_t)snprintf(start, sizeof start, "--%s %s: ", one->option->name, one->value);
        if (one->section == section && givens_stands(givens, i) && strncmp(why, start, *n) == 0)
            return one;
    }
    return NULL;
}

/* A site's own start reads its pages and changes nothing; what another one's does is unknown. */
static void check_site(const struct configuration *c, const struct section *section,
                       struct faults *faults)
{
    const struct givens *givens = source_givens(c);
    const struct settings *settings = section ? &section->settings : &c->settings;
    const struct drover_app *app = section ? section->app : c->app;
    char why[DROVER_WHY_SIZE] = "";
    size_t n;
    int status = settings->root ? app->before_fork(app->context, why) : 0;
    if (status == 0)
        return;
    const struct given *one = blamed(givens, section, why, &n);
    if (one)
        given_fault(one, faults, EX_CONFIG, why + n);
    else
        faults_add(faults, NULL, status, "%s", why);
}

static int check_sites(const struct configuration *c, char *why, size_t size)
{
    struct faults faults = {.text = why, .size = size, .most = FAULTS_SHOWN_MAX};
    const struct sections *sections = &source_givens(c)->sections;
    check_site(c, NULL, &faults);
    for (size_t i = 0; i < sections->count; i++)
        check_site(c, sections->list[i], &faults);
    faults_end(&faults, NULL);
    return faults.count == 0 ? 0 : fail(faults.status, why);
}

static void praise(const struct givens *givens)
{
    printf("%s: no errors\n", givens->file ? givens->file : "options");
    if (givens->file && givens->file_is_empty)
        printf("%s is empty: a reload refuses it\n", givens->file);
}

static int check(struct source *source, bool prints)
{
    static char why[FAULTS_SHOWN_MAX * 256]; /* more than a stack is for */
    int status;
    struct configuration *c = source_read(source, &status, why, sizeof why);
    if (!c)
        return fail(status, why);
    const struct givens *givens = source_givens(c);
    status = check_sites(c, why, sizeof why);
    if (status == 0 && prints)
        print_configuration(stdout, &c->settings, givens, c->app);
    else if (status == 0)
        praise(givens);
    source_free(c);
    return status;
}

int cli_check(int argc, char *const argv[])
{
    struct settings settings;
    bool prints = false;
    int count = 0;
    options_defaults(&settings);
    settings.program = "drover check";
    if (launch_wants_help(argc, argv))
        return help(&settings);
    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return launch_fail(&settings, EX_OSERR, "out of memory");
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--print") == 0)
            prints = true;
        else
            rest[count++] = argv[i];
    struct source source = {
        .program = settings.program, .argc = count, .argv = rest, .faults_max = FAULTS_SHOWN_MAX};
    int status = check(&source, prints);
    free(rest);
    return status;
}
