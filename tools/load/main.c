/*
 * drover-load - asks an HTTP/1.1 server as fast as it answers, and names every lost request.
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
    wrong = target_spread(target, (unsigned)a->sources);
    if (wrong)
        return complain(EX_USAGE, "--sources", wrong);
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
    job->expect_status = (int)a->expect_status;
    job->expect_length = a->expect_length;
    int status = prepare_target(&job->target, a, &url);
    if (status != EX_OK)
        return status;
    struct span fields = {.p = a->fields.p, .n = a->fields.len};
    if (job_write(job, &url, fields, a->has_host) < 0)
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

static int print_report(const struct arguments *a, const struct run_result *result)
{
    struct buf out = {0};
    struct report report = {
        .url = a->url,
        .clients = (unsigned)a->clients,
        .close = a->close,
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

static int verdict(const struct arguments *a, const struct run_result *result)
{
    uint64_t lost = ledger_lost(&result->ledger);
    uint64_t answered = result->ledger.count[OUTCOME_ANSWERED];
    if (answered == 0 && lost == 0)
        return complain(EX_OSERR, a->url, "no request could be sent: the load proves nothing");
    if (result->connections == 0)
        return complain(EX_UNAVAILABLE, a->url, "the server was not reached at all");
    return lost > a->max_lost ? EXIT_LOST : EX_OK;
}

static int load(const struct arguments *a, const struct job *job)
{
    static struct run_result result; /* the histogram in it is large for a stack */
    struct run_limits limits = {
        .clients = (unsigned)a->clients,
        .requests = a->requests,
        .duration_us = a->duration_ms == UINT64_MAX ? INT64_MAX : (int64_t)a->duration_ms * 1000,
        .timeout_us = (int64_t)a->timeout_ms * 1000,
        .progress = !a->quiet && isatty(STDERR_FILENO),
    };
    raise_descriptor_limit();
    if (run_load(job, &limits, &result) < 0)
        return complain(EX_OSERR, "the run", strerror(errno));
    int status = print_report(a, &result);
    return status == EX_OK ? verdict(a, &result) : status;
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
