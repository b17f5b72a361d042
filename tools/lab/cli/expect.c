/*
 * drover-lab expect - what was predicted of the strategies, and what is seen here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lab/cli/command.h"
#include "lab/trial/forecast.h"

static int help(void)
{
    puts("usage: drover-lab expect [STRATEGY...] [OPTIONS]\n"
         "Makes the measurements that something was predicted of, and says of each prediction "
         "whether\n"
         "it holds here. Of the options --repeat, --seed, --quick and --out are allowed.\n");
    choice_help();
    puts("\nExit status: 0 all hold, 1 some differ, 64 wrong usage, 70 a measurement failed.");
    return EX_OK;
}

/* A prediction is about one number of workers, one workload and the usual settings. */
static int refuse_changes(const struct choice *choice)
{
    const struct settings *s = &choice->settings;
    if (choice->worker_count == 0 && choice->workload_count == 0 && !s->drain && !s->wire &&
        !s->is_deferred && !s->is_pinned && s->backlog == 0 && !choice->page)
        return 0;
    fputs("drover-lab: expect: workers, workloads and settings are the predictions' own (allowed: "
          "--repeat, --seed, --quick, --out)\n",
          stderr);
    return -1;
}

static int finish(struct forecast *forecast, struct output *output, int done)
{
    if (!output->is_quiet)
        putchar('\n');
    unsigned differing = forecast_tell(forecast, output) + output->differing;
    if (output_close(output) < 0)
        return EX_IOERR;
    if (done < 0)
        return EX_SOFTWARE;
    return differing > 0 ? EXIT_DIFFERS : EX_OK;
}

static int run(const struct schedule *schedule, const struct choice *choice)
{
    struct forecast forecast;
    struct output output;
    int status = EX_OSERR;
    if (output_open(&output, choice->out) < 0) {
        fprintf(stderr, "drover-lab: %s: %s\n", choice->out, strerror(errno));
        return EX_CANTCREAT;
    }
    if (forecast_init(&forecast) == 0) {
        output.on_measurement = forecast_see;
        output.context = &forecast;
        status = finish(&forecast, &output, schedule_run(schedule, &output));
    }
    forecast_free(&forecast);
    return status;
}

int command_expect(int argc, char **argv)
{
    struct choice choice;
    struct schedule schedule = {.count = 0};
    if (choice_read(&choice, argc, argv) < 0)
        return EX_USAGE;
    if (choice.help)
        return help();
    if (refuse_changes(&choice) < 0 || forecast_schedule(&schedule, &choice) < 0)
        return EX_USAGE;
    int status = run(&schedule, &choice);
    schedule_free(&schedule);
    return status;
}
