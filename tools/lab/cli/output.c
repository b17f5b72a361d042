#include "lab/cli/output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/cli/row.h"

/* By how much the kernel's count of wakeups may differ from /proc's. A wakeup that comes while a
 * worker is still on its way to sleep is one for the tracepoint and no switch: with few connections
 * one of these is more than the share allows. */
#define DIFFERENCE_SHARE 0.02
#define DIFFERENCE_COUNT 2

int output_open(struct output *output, const char *path)
{
    *output = (struct output){
        .path = path,
        .shows_progress = isatty(STDERR_FILENO),
        .started_ms = clock_ms(),
    };
    if (!path)
        return 0;
    output->is_quiet = strcmp(path, "-") == 0;
    output->file = output->is_quiet ? stdout : fopen(path, "we");
    return output->file ? 0 : -1;
}

void output_erase(const struct output *output)
{
    if (output->shows_progress && output->total > 0)
        fputs("\r\033[K", stderr);
}

void output_warn(struct output *output, const char *format, ...)
{
    va_list args;
    output_erase(output);
    fflush(stdout);
    fputs("drover-lab: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static void fail(struct output *output)
{
    if (!output->has_failed)
        output_warn(output, "%s: %s", output->path, strerror(errno));
    output->has_failed = true;
}

int output_close(struct output *output)
{
    output_erase(output);
    if (output->file && fflush(output->file) != 0)
        fail(output);
    if (output->file && output->file != stdout && fclose(output->file) != 0)
        fail(output);
    output->file = NULL;
    return output->has_failed ? -1 : 0;
}

/* ------------------------------------------------------------------------------- progress */

void output_expect(struct output *output, unsigned total, double weight)
{
    output->total += total;
    output->weight_total += weight;
}

static void tell_time_left(const struct output *output)
{
    double elapsed = (double)(clock_ms() - output->started_ms) / 1000;
    if (output->weight_done <= 0 || elapsed < 2)
        return;
    double left = elapsed / output->weight_done * (output->weight_total - output->weight_done);
    fprintf(stderr, ", %d:%02d left", (int)left / 60, (int)left % 60);
}

void output_begin(struct output *output, const char *name, const char *workload, unsigned workers)
{
    if (!output->shows_progress)
        return;
    fflush(stdout);
    fprintf(stderr, "\r\033[K  %u of %u", output->done + 1, output->total);
    tell_time_left(output);
    fprintf(stderr, ": %s, %s", name, workload);
    if (workers > 0)
        fprintf(stderr, ", %u worker%s", workers, workers == 1 ? "" : "s");
}

void output_end(struct output *output, double weight)
{
    output->done++;
    output->weight_done += weight;
}

/* -------------------------------------------------------------------------------- the lines */

void output_line(struct output *output, json_t *object)
{
    if (!object) {
        errno = ENOMEM;
        fail(output);
        return;
    }
    if (output->file &&
        (json_dumpf(object, output->file, JSON_COMPACT | JSON_REAL_PRECISION(9)) < 0 ||
         fputc('\n', output->file) == EOF || fflush(output->file) != 0))
        fail(output);
    json_decref(object);
}

/* Do two counts, both a connection, differ by more than they may? Not those that there are not. */
static bool is_differing(const struct measurement *m, double here, double kernel)
{
    double n = m->connections > 0 ? (double)m->connections : 1;
    double difference = fabs(here - kernel) * n;
    return difference > DIFFERENCE_COUNT && difference > DIFFERENCE_SHARE * kernel * n;
}

static void check(struct output *output, const struct measurement *m, const char *what, double here,
                  double kernel)
{
    if (!is_differing(m, here, kernel))
        return;
    output->differing++;
    output_warn(output,
                "%s, %s, %u workers: /proc has %.3f %s a connection, the kernel's own count %.3f: "
                "more than 2 %% apart",
                m->name, m->workload, m->workers, here, what, kernel);
}

/* The switches of a model's process that never sleeps go on between the two looks. */
static void check_counts(struct output *output, const struct measurement *m)
{
    check(output, m, "wakeups", m->wakeups, m->wakeups_kernel);
    if (strcmp(m->kind, "strategy") == 0)
        check(output, m, "context switches", m->switches_voluntary + m->switches_involuntary,
              m->switches_kernel);
}

/* Once: it is the same for all. */
static void tell_untraced(struct output *output, const struct measurement *m)
{
    if (m->untraced && !output->has_told_untraced)
        output_warn(output, "wakeups are counted by /proc alone: %s", m->untraced);
    output->has_told_untraced |= m->untraced != NULL;
}

void output_measurement(struct output *output, const struct measurement *m)
{
    output_erase(output);
    if (!output->is_quiet)
        row_print(m, output->heading, sizeof output->heading);
    tell_untraced(output, m);
    check_counts(output, m);
    if (output->on_measurement)
        output->on_measurement(m, output->context);
    output_line(output, measurement_json(m));
}
