#include "lab/models/model_trial.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/client/client.h"
#include "lab/kernel/account.h"
#include "lab/kernel/pause.h"
#include "lab/kernel/pin.h"
#include "lab/kernel/resources.h"
#include "lab/kernel/tracepoint.h"
#include "lab/models/host.h"
#include "lab/models/idlers.h"

/* Microseconds of load that are measured. */
#define SPAN_US       700000
#define SPAN_QUICK_US 200000

/* Milliseconds until all clients of a step are in, or all have been answered once more: with a
 * retransmission of what found the listener's queue full. */
#define AWAIT_MS IDLERS_OPEN_MS

/* Requests of a connection that is kept: more than there is time for. */
#define REQUESTS_ANY 1000000000U

/* Connections of one source address of the client: fewer than it has ports. */
#define SOURCES 4

#define PATIENCE_US (10 * 1000 * 1000)

/* Bytes of a reason. */
#define WORDS_SIZE 256

/* What was counted up to a moment. */
struct reading {
    struct server_usage usage;
    struct account server, client; /* of the first process alone */
    uint64_t answered, vain, drops;
    int64_t at_us;
};

/* One step of a trial. */
struct point {
    struct model_trial *trial;
    unsigned step;
    struct host host;
    struct idlers idlers;
    struct client *client;
    uint64_t resident; /* before there were connections */
    struct tracepoint *tracepoint;
    struct server_usage price; /* of asking what was used */
    struct reading begun;
    struct client_result result; /* of what was measured alone */
    bool is_too_slow;
    struct measurement m;
};

/* Words of its own are in the trial, or are the host's. */
static int fail(struct point *point, const char *words)
{
    int cause = errno;
    if (words)
        snprintf(point->trial->words, sizeof point->trial->words, "%s", words);
    else
        snprintf(point->trial->words, sizeof point->trial->words, "%s", point->host.words);
    errno = cause;
    return -1;
}

/* It cannot do as much in any time that one would wait for: that is a result, and no failure. */
static int too_slow(struct point *point, const char *words)
{
    point->is_too_slow = true;
    errno = ETIMEDOUT;
    return fail(point, words);
}

static int64_t span_us(const struct point *point)
{
    return point->trial->is_quick ? SPAN_QUICK_US : SPAN_US;
}

/* ---------------------------------------------------------------------- what is measured */

static void subtract(struct server_usage *from, const struct server_usage *usage)
{
    from->user_us -= usage->user_us;
    from->system_us -= usage->system_us;
    from->voluntary -= usage->voluntary;
    from->involuntary -= usage->involuntary;
}

static int read_all(struct point *point, struct reading *reading)
{
    const struct server_counts *counts = point->host.counts;
    if (host_usage(&point->host, &reading->usage) < 0)
        return fail(point, NULL);
    if (account_read(client_pid(point->client), &reading->client) < 0)
        return fail(point, "the client cannot be accounted for");
    if (point->trial->model->is_steady && account_read(point->host.pid, &reading->server) < 0)
        return fail(point, "the server cannot be accounted for");
    reading->answered = counts->answered;
    reading->vain = counts->vain;
    reading->drops = host_drops(&point->host);
    reading->at_us = clock_us();
    return 0;
}

static int settle(struct point *point, uint64_t held)
{
    if (host_settle(&point->host, held))
        return 0;
    if (host_has_ended(&point->host))
        return fail(point, NULL);
    errno = ETIMEDOUT;
    return fail(point, "the server does not come to rest");
}

static void watch_tasks(struct point *point)
{
    pid_t tids[LAB_WORKERS_MAX];
    const char *why;
    if (!point->trial->model->is_steady)
        return;
    size_t count = account_threads(point->host.pid, tids, LAB_WORKERS_MAX);
    if (count > 0 && count <= LAB_WORKERS_MAX)
        point->tracepoint = tracepoint_open(tids, count, &why);
}

/*
 * To ask wakes every process of the server, and what that costs is seen by the next one who asks:
 * so it is asked twice, and the difference is subtracted in the end. A model that never sleeps is
 * not woken.
 */
static int begin(struct point *point, uint64_t held)
{
    struct server_usage first;
    if (settle(point, held) < 0)
        return -1;
    if (host_usage(&point->host, &first) < 0)
        return fail(point, NULL);
    if (read_all(point, &point->begun) < 0)
        return -1;
    point->price = point->begun.usage;
    subtract(&point->price, &first);
    if (point->trial->model->is_busy)
        point->price = (struct server_usage){0};
    watch_tasks(point);
    return 0;
}

/* A price may be paid in another currency: a process that was put aside one time. */
static double figure(uint64_t counted, uint64_t price, double n)
{
    return counted > price ? (double)(counted - price) / n : 0;
}

static void set_usage(struct point *point, const struct reading *ended, double n)
{
    struct measurement *m = &point->m;
    const struct server_usage *price = &point->price;
    struct server_usage used = ended->usage;
    subtract(&used, &point->begun.usage);
    m->cpu_user_us = figure(used.user_us, price->user_us, n);
    m->cpu_system_us = figure(used.system_us, price->system_us, n);
    m->cpu_us = m->cpu_user_us + m->cpu_system_us;
    m->switches_voluntary = figure(used.voluntary, price->voluntary, n);
    m->switches_involuntary = figure(used.involuntary, price->involuntary, n);
    m->wakeups = m->switches_voluntary;
}

static void set_counts(struct point *point, const struct reading *ended, double n)
{
    struct measurement *m = &point->m;
    const struct reading *begun = &point->begun;
    m->requests = ended->answered - begun->answered;
    m->wasted_visible = (double)(ended->vain - begun->vain) / n;
    m->drops = (double)(ended->drops - begun->drops);
    m->client_cpu_us = (double)(ended->client.cpu_ns - begun->client.cpu_ns) / 1000 / n;
    if (point->trial->model->is_steady)
        m->run_delay_us = (double)(ended->server.delay_ns - begun->server.delay_ns) / 1000 / n;
}

/* Read before anybody is asked, which wakes. */
static void read_tracepoint(const struct point *point, struct tracepoint_counts *counts, bool *has)
{
    *has = point->tracepoint && tracepoint_read(point->tracepoint, counts) == 0;
}

/* The load has lasted so long. */
static int end(struct point *point, uint64_t held, int64_t elapsed_us)
{
    struct reading ended;
    struct tracepoint_counts counts;
    bool has_counts;
    if (settle(point, held) < 0)
        return -1;
    read_tracepoint(point, &counts, &has_counts);
    if (read_all(point, &ended) < 0)
        return -1;
    uint64_t requests = ended.answered - point->begun.answered;
    double n = requests > 0 ? (double)requests : 1;
    if (has_counts) {
        point->m.wakeups_kernel = (double)counts.wakeups / n;
        point->m.wakeups_told = (double)counts.wakeups_told / n;
        point->m.switches_kernel = (double)counts.switches / n;
    }
    set_usage(point, &ended, n);
    set_counts(point, &ended, n);
    if (elapsed_us > 0)
        point->m.rate = (double)requests * 1e6 / (double)elapsed_us;
    return 0;
}

/* ---------------------------------------------------------------------- what is to be told */

static void set_result(struct measurement *m, const struct client_result *result)
{
    m->connections = m->per_worker[0] = result->connections;
    m->served = result->served;
    m->late = result->late;
    memcpy(m->lost, result->lost, sizeof m->lost);
    m->latency = measurement_latency(&result->answer);
    m->accept_latency = measurement_latency(&result->accept);
}

static void describe(struct point *point)
{
    struct measurement *m = &point->m;
    const struct model_trial *trial = point->trial;
    measurement_clear(m);
    m->kind = "model";
    m->name = trial->model->name;
    m->workload = trial->workload->name;
    m->workers = 1;
    m->repeat = trial->repeat;
    m->settings = trial->settings;
    m->idle = model_workload_idle(trial->workload, point->step);
    if (trial->workload->unit)
        snprintf(m->phase, sizeof m->phase, "%u %s", point->step, trial->workload->unit);
}

static void emit(const struct point *point)
{
    if (point->trial->emit)
        point->trial->emit(&point->m, point->trial->context);
}

/* ------------------------------------------------------ connections of some requests each */

static int start_client(struct point *point, unsigned seats, unsigned requests, int64_t duration_us)
{
    const struct model_trial *trial = point->trial;
    const char *words;
    struct client_plan plan = {
        .to = point->host.address,
        .sources = trial->settings.wire == WIRE_LOOPBACK ? SOURCES : 0,
        .asks = true,
        .seats = seats,
        .connections = duration_us > 0 ? 0 : seats,
        .duration_us = duration_us,
        .requests = requests,
        .patience_us = PATIENCE_US,
        .cpu = trial->settings.is_pinned ? pin_last() : -1,
        .netns = point->host.link.client,
        .seed = trial->settings.seed + trial->repeat,
    };
    point->client = client_start(&plan, &words);
    return point->client ? 0 : fail(point, words);
}

static int run_passing(struct point *point)
{
    const struct model_workload *workload = point->trial->workload;
    unsigned seats = model_workload_active(workload, point->step);
    if (start_client(point, seats, workload->requests, span_us(point)) < 0 || begin(point, 0) < 0)
        return -1;
    client_go(point->client);
    client_wait(point->client);
    if (end(point, 0, client_watch(point->client)->elapsed_us) < 0)
        return -1;
    struct client *client = point->client;
    point->client = NULL;
    if (client_join(client, &point->result) < 0)
        return fail(point, point->result.words);
    return 0;
}

/* -------------------------------------------------------------------- connections that stay */

/* Until a count has come to so many, or will not any more. */
static int await_count(struct point *point, const _Atomic uint64_t *count, uint64_t wanted)
{
    int64_t give_up_at = clock_ms() + AWAIT_MS;
    while (*count < wanted) {
        if (host_has_ended(&point->host))
            return fail(point, NULL);
        if (clock_ms() > give_up_at) {
            return too_slow(point, "clients were not all served");
        }
        pause_us(1000);
    }
    return 0;
}

/* What has come since. */
static void subtract_result(struct client_result *result, const struct client_result *before)
{
    result->served -= before->served;
    result->late -= before->late;
    result->answer.total -= before->answer.total;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        result->answer.count[i] -= before->answer.count[i];
    /* The largest of all is known exactly, that of a part as exactly as its bucket. */
    result->answer.max_us = histogram_quantile(&result->answer, 1000);
}

/* All that ask have been answered before it begins; and those that were asked when the clients were
 * stopped have their answers before latencies count. For these there is half of the time at least,
 * even where one round of answers takes all of it. */
static int run_span(struct point *point, uint64_t held, unsigned active)
{
    pid_t pid = client_pid(point->client);
    if (kill(pid, SIGSTOP) < 0 || begin(point, held) < 0)
        return -1;
    int64_t begun_us = clock_us();
    if (kill(pid, SIGCONT) < 0 ||
        await_count(point, &point->host.counts->answered, point->begun.answered + 2 * active) < 0)
        return -1;
    struct client_result before = *client_watch(point->client);
    int64_t left_us = span_us(point) - (clock_us() - begun_us);
    pause_us(left_us > span_us(point) / 2 ? left_us : span_us(point) / 2);
    point->result = *client_watch(point->client);
    subtract_result(&point->result, &before);
    int64_t elapsed_us = clock_us() - begun_us;
    return kill(pid, SIGSTOP) < 0 ? -1 : end(point, held, elapsed_us);
}

static int run_kept(struct point *point)
{
    const struct model_workload *workload = point->trial->workload;
    const struct server_counts *counts = point->host.counts;
    unsigned active = model_workload_active(workload, point->step);
    unsigned idle = model_workload_idle(workload, point->step);
    uint64_t held = model_workload_held(workload, point->step);
    if (idle > 0 &&
        idlers_open(&point->idlers, &point->host.address, idle, point->host.link.client) < 0)
        return errno == ETIMEDOUT ? too_slow(point, "idle connections were not all open")
                                  : fail(point, "the idle connections cannot be opened");
    if (start_client(point, active, REQUESTS_ANY, 0) < 0)
        return -1;
    client_go(point->client);
    if (await_count(point, &counts->accepted, held) < 0 ||
        await_count(point, &counts->answered, held + active) < 0 ||
        run_span(point, held, active) < 0)
        return -1;
    uint64_t resident = host_resident(&point->host);
    if (resident > point->resident)
        point->m.resident_per_connection = (double)(resident - point->resident) / (double)held;
    return 0;
}

/* ------------------------------------------------------------------------------- the steps */

static int run_point(struct point *point, uint64_t capacity)
{
    const struct model_trial *trial = point->trial;
    if (host_open(&point->host, trial->model, &trial->settings, capacity) < 0)
        return fail(point, NULL);
    point->resident = host_resident(&point->host);
    return trial->workload->requests > 0 ? run_passing(point) : run_kept(point);
}

static void close_point(struct point *point)
{
    int cause = errno;
    tracepoint_close(point->tracepoint);
    if (point->client)
        client_join(point->client, NULL);
    idlers_close(&point->idlers);
    host_close(&point->host);
    errno = cause;
}

/* Why it is not to be tried, in *words where they are not static; NULL: it is. *capacity: how many
 * connections it can hold. */
static const char *why_not(const struct model_trial *trial, unsigned step, uint64_t *capacity,
                           char words[WORDS_SIZE])
{
    struct resources resources;
    struct bound bound;
    const char *lacks = trial->model->lacks ? trial->model->lacks() : NULL;
    if (lacks)
        return lacks;
    resources_read(&resources);
    model_limit(trial->model, &resources, &bound);
    *capacity = bound.connections;
    bool fits = model_workload_fits(trial->workload, step, &bound, &resources, words, WORDS_SIZE);
    return fits ? NULL : words;
}

/* It was tried, and failed. The reason if that is a result; NULL: it is a failure of the lab. */
static const char *why_given_up(const struct point *point, char words[WORDS_SIZE])
{
    if (point->is_too_slow)
        snprintf(words, WORDS_SIZE, "too slow: %.128s within %d s", point->trial->words,
                 AWAIT_MS / 1000);
    return point->is_too_slow ? words : point->host.lacks;
}

static int run_step(struct model_trial *trial, unsigned step)
{
    struct point point = {.trial = trial, .step = step, .idlers.told_fd = -1};
    char words[WORDS_SIZE];
    uint64_t capacity = 0;
    describe(&point);
    const char *skipped = why_not(trial, step, &capacity, words);
    if (!skipped) {
        int result = run_point(&point, capacity);
        close_point(&point);
        if (result < 0 && !(skipped = why_given_up(&point, words)))
            return -1;
        if (skipped) /* what had been counted until then is no figure */
            describe(&point);
        else
            set_result(&point.m, &point.result);
    }
    point.m.skipped = skipped;
    emit(&point);
    return 0;
}

int model_run(struct model_trial *trial)
{
    unsigned steps[MODEL_STEPS_MAX];
    size_t count = model_workload_steps(trial->workload, trial->is_quick, steps);
    trial->words[0] = '\0';
    if (trial->only > 0) {
        steps[0] = trial->only;
        count = 1;
    }
    if (resources_raise() < 0) {
        snprintf(trial->words, sizeof trial->words, "setrlimit: %s", strerror(errno));
        return -1;
    }
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = run_step(trial, steps[i]);
    return result;
}
