/*
 * drover-lab run - measures what is named.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "lab/cli/command.h"
#include "lab/cli/schedule.h"

static const char columns[] =
    "\nThe columns are, a connection, or of models a request:\n"
    "  wakeups   how often the scheduler woke a worker: counted by /proc\n"
    "  kernel    the same by the tracepoint sched:sched_waking, where that is permitted\n"
    "  visible   the wait returned, and accept found nothing: what the program itself can see\n"
    "  hidden    woken, and the wait did not even return\n"
    "  CPU us    CPU time of all workers, in microseconds\n"
    "  p50, p99  from when an answer was due to its last byte: half, and 99 %, took no longer\n"
    "\nand of all together:\n"
    "  N         workers\n"
    "  conns     connections that came to be\n"
    "  requests  answers, of models\n"
    "  rate/s    requests a second, of models\n"
    "  B/conn    memory of the server for each idle connection that is held, in bytes\n"
    "  served    answered in time\n"
    "  late      answered, but late, where the workload says when: after 50 ms in death, 100 ms\n"
    "            in the stalls, 500 ms in storm\n"
    "  lost      not answered, or wrongly\n"
    "  who       connections of each worker, as shares of the largest\n"
    "  stranded  clients that are in a queue after 50 ms, beside a worker that is idle";

static int help(void)
{
    puts("usage: drover-lab run NAME... [OPTIONS]\n"
         "Measures strategies, models or presets (`drover-lab list` has their names), and prints a "
         "row\n"
         "for each measurement.\n");
    choice_help();
    puts(columns);
    puts("\nExit status: 0; 1 when the two counts of wakeups differ by more than 2 %; 64 wrong "
         "usage;\n"
         "70 a measurement failed; 73, 74 FILE cannot be written.");
    return EX_OK;
}

static int finish(struct output *output, int done)
{
    unsigned differing = output->differing;
    if (output_close(output) < 0)
        return EX_IOERR;
    if (done < 0)
        return EX_SOFTWARE;
    return differing > 0 ? EXIT_DIFFERS : EX_OK;
}

int command_run(int argc, char **argv)
{
    struct choice choice;
    struct schedule schedule = {.count = 0};
    struct output output;
    if (choice_read(&choice, argc, argv) < 0)
        return EX_USAGE;
    if (choice.help)
        return help();
    if (choice.page) {
        fputs("drover-lab: run --page: the report is `drover-lab report`'s, of a file (--out)\n",
              stderr);
        return EX_USAGE;
    }
    if (choice.name_count == 0) {
        fputs("drover-lab: what is to be measured? `drover-lab list` has the names\n", stderr);
        return EX_USAGE;
    }
    int status = EX_OK;
    for (size_t i = 0; i < choice.name_count && status == EX_OK; i++)
        status = schedule_add(&schedule, choice.names[i], &choice) < 0 ? EX_USAGE : EX_OK;
    if (status == EX_OK && output_open(&output, choice.out) < 0) {
        fprintf(stderr, "drover-lab: %s: %s\n", choice.out, strerror(errno));
        status = EX_CANTCREAT;
    } else if (status == EX_OK) {
        status = finish(&output, schedule_run(&schedule, &output));
    }
    schedule_free(&schedule);
    return status;
}
