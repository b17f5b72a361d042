/*
 * drover-lab all - the whole matrix, what was predicted, what is told, and the report.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lab/claims/claims_run.h"
#include "lab/cli/command.h"
#include "lab/cli/preset.h"
#include "lab/report/report.h"
#include "lab/trial/forecast.h"

#define OUT_DEFAULT  "drover-lab.jsonl"
#define PAGE_DEFAULT "report.html"

static int help(void)
{
    puts("usage: drover-lab all [OPTIONS]\n"
         "Makes every preset, checks what was predicted, tries what is told, and writes the "
         "report.\n"
         "About 15 minutes; with --quick about 3. --out is " OUT_DEFAULT ", --page " PAGE_DEFAULT
         ".\n");
    choice_help();
    puts("\nExit status: 0; 1 when the two counts of wakeups differ by more than 2 %; 64 wrong "
         "usage;\n"
         "69 gnuplot is missing; 70 a measurement failed; 73, 74 a file cannot be written.");
    return EX_OK;
}

static int finish(struct output *output, const struct choice *choice, int done)
{
    unsigned differing = output->differing;
    if (output_close(output) < 0)
        return EX_IOERR;
    int status = report_make(1, &choice->out, choice->page);
    if (status != EX_OK)
        return status;
    if (done < 0)
        return EX_SOFTWARE;
    return differing > 0 ? EXIT_DIFFERS : EX_OK;
}

/* All of it, into an open output. */
static int measure(struct output *output, struct forecast *forecast,
                   const struct schedule *schedule, bool is_quick)
{
    output->on_measurement = forecast_see;
    output->context = forecast;
    int done = schedule_run(schedule, output);
    puts("\nWhat was predicted");
    forecast_tell(forecast, output);
    puts("\nWhat is told");
    if (claims_run(output, NULL, is_quick) < 0) {
        output_warn(output, "the claims cannot be tried: %s", strerror(errno));
        return -1;
    }
    return done;
}

static int run(const struct schedule *schedule, const struct choice *choice)
{
    struct output output;
    struct forecast forecast;
    int status = EX_OSERR;
    if (output_open(&output, choice->out) < 0) {
        fprintf(stderr, "drover-lab: %s: %s\n", choice->out, strerror(errno));
        return EX_CANTCREAT;
    }
    if (forecast_init(&forecast) == 0)
        status = finish(&output, choice, measure(&output, &forecast, schedule, choice->is_quick));
    forecast_free(&forecast);
    return status;
}

static int read_arguments(struct choice *choice, int argc, char **argv)
{
    if (choice_read(choice, argc, argv) < 0)
        return -1;
    if (choice->name_count > 0) {
        fprintf(stderr,
                "drover-lab: all '%s': only options are allowed; `drover-lab run` takes "
                "names\n",
                choice->names[0]);
        return -1;
    }
    if (choice->out && strcmp(choice->out, "-") == 0) {
        fputs("drover-lab: all --out '-': the report is made of a file\n", stderr);
        return -1;
    }
    choice->out = choice->out ? choice->out : OUT_DEFAULT;
    choice->page = choice->page ? choice->page : PAGE_DEFAULT;
    return 0;
}

int command_all(int argc, char **argv)
{
    struct choice choice;
    struct schedule schedule = {.count = 0};
    int status = EX_OK;
    if (read_arguments(&choice, argc, argv) < 0)
        return EX_USAGE;
    if (choice.help)
        return help();
    for (const struct preset *p = presets; p->name && status == EX_OK; p++)
        if (!preset_is_part(p))
            status = schedule_add(&schedule, p->name, &choice) < 0 ? EX_USAGE : EX_OK;
    if (status == EX_OK)
        status = report_check(choice.page);
    if (status == EX_OK)
        status = run(&schedule, &choice);
    schedule_free(&schedule);
    return status;
}
