/*
 * drover-load - asks an HTTP/1.1 server, as fast as it answers or at a steady rate, and names every
 * lost request.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "load/arguments.h"
#include "load/job.h"
#include "load/report.h"
#include "load/run.h"
#include "load/url.h"

/* Requests were lost, more than --max-lost allows. */
#define EXIT_LOST 1

static int complain(int status, const char *what, const char *wrong)
{
    fprintf(stderr, "drover-load: '%s': %s\n", what, wrong);
    return status;
}

static int prepare_target(struct target *target, const struct arguments *a, const struct url *url)
{
    const char *wrong = a->unix_path ? target_unix(target, a->unix_path)
                                     : target_resolve(target, url);
    if (wrong && a->unix_path)
        return complain(EX_USAGE, a->unix_path, wrong);
    if (wrong)
        return complain(EX_UNAVAILABLE, a->url, wrong);
    wrong = a->sources > 0 ? target_spread(target, (unsigned)a->sources) : NULL;
    if (wrong)
        return complain(EX_USAGE, "--sources", wrong);
    return EX_OK;
}

/* Returns 0, or -1 with errno. */
static int expect_file(struct expect *expect, const char *path)
{
    static char bytes[65536];
    FILE *file = fopen(path, "re");
    size_t n;
    if (!file)
        return -1;
    expect_bytes(expect, (struct span){0}); /* an empty file is expected, too */
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        expect_bytes(expect, (struct span){.p = bytes, .n = n});
    int error = ferror(file) ? errno : 0;
    fclose(file);
    errno = error;
    return error ? -1 : 0;
}

static int prepare_expect(struct expect *expect, const struct arguments *a)
{
    *expect = (struct expect){
        .status = (int)a->expect_status,
        .length = a->expect_length == ARGUMENTS_NONE ? EXPECT_ANY_LENGTH : a->expect_length,
        .same = a->expect_same,
        .summed = a->expect_same || a->expect_checksum != ARGUMENTS_NONE,
        .checksum = a->expect_checksum == ARGUMENTS_NONE ? 0 : (uint32_t)a->expect_checksum,
    };
    if (a->expect_file && expect_file(expect, a->expect_file) < 0)
        return complain(EX_NOINPUT, a->expect_file, strerror(errno));
    return EX_OK;
}

/* Returns an exit status. */
static int prepare(struct job *job, const struct arguments *a)
{
    struct url url;
    const char *wrong = url_parse(&url, a->url);
    if (wrong)
        return complain(EX_USAGE, a->url, wrong);
    job->close = a->close;
    job->depth = (unsigned)a->pipeline;
    int status = prepare_expect(&job->expect, a);
    if (status == EX_OK)
        status = prepare_target(&job->target, a, &url);
    if (status != EX_OK)
        return status;
    struct span fields = {.p = a->fields.lines.p, .n = a->fields.lines.len};
    if (job_write(job, &url, fields, a->fields.has_host) < 0)
        return complain(EX_OSERR, "the request", strerror(errno));
    return EX_OK;
}

/* A client needs a descriptor; what the hard limit refuses shows up as local in the ledger. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* the old limit holds if it fails */
}

static int print_report(const struct arguments *a, const struct job *job,
                        const struct result *result)
{
    struct buf out = {0};
    struct report report = {
        .url = a->url,
        .clients = (unsigned)a->clients,
        .per_minute = a->per_minute,
        .job = job,
        .result = result,
    };
    if (a->json)
        report_json(&report, &out);
    else
        report_text(&report, &out);
    bool written = !out.failed && fwrite(out.p, 1, out.len, stdout) == out.len;
    written = fflush(stdout) == 0 && written;
    buf_free(&out);
    return written ? EX_OK : complain(EX_IOERR, "standard output", "cannot write the report");
}

static int verdict(const struct arguments *a, const struct result *result)
{
    uint64_t lost = ledger_lost(&result->ledger);
    uint64_t answered = result->ledger.count[OUTCOME_ANSWERED];
    if (answered == 0 && lost == 0)
        return complain(EX_OSERR, a->url, "no request could be sent: the load proves nothing");
    if (result->connections == 0)
        return complain(EX_UNAVAILABLE, a->url, "the server was not reached at all");
    return lost > a->max_lost ? EXIT_LOST : EX_OK;
}

static int64_t microseconds(uint64_t ms)
{
    return ms == ARGUMENTS_NONE ? INT64_MAX : (int64_t)ms * 1000;
}

static int load(const struct arguments *a, struct job *job)
{
    static struct result result; /* the histograms in it are large for a stack */
    struct run_limits limits = {
        .clients = (unsigned)a->clients,
        .per_minute = a->per_minute,
        .requests = a->requests,
        .duration_us = microseconds(a->duration_ms),
        .timeout_us = microseconds(a->timeout_ms),
        .progress = !a->quiet && isatty(STDERR_FILENO),
    };
    raise_descriptor_limit();
    result_init(&result, microseconds(a->window_ms));
    int status = EX_OK;
    if (run_load(job, &limits, &result) < 0)
        status = complain(EX_OSERR, "the run", strerror(errno));
    else
        status = print_report(a, job, &result);
    if (status == EX_OK)
        status = verdict(a, &result);
    result_free(&result);
    return status;
}

static int act(const struct arguments *a)
{
    struct job job = {0};
    if (a->help)
        arguments_help();
    if (a->version)
        puts("drover-load " DROVER_VERSION);
    if (a->help || a->version)
        return EX_OK;
    int status = prepare(&job, a);
    if (status == EX_OK)
        status = load(a, &job);
    job_free(&job);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int status = EX_USAGE;
    if (arguments_read(&arguments, argc, argv) == 0)
        status = act(&arguments);
    arguments_free(&arguments);
    return status;
}
