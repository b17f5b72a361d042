#include "lab/trial/trial.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lab/kernel/pin.h"
#include "lab/trial/stats.h"

/* Workers are asleep within a millisecond of their last connection, but where CPUs are short. */
#define SETTLE_MS 3000
#define REST_MS   1000

int trial_fail(struct trial *trial, const char *format, ...)
{
    int cause = errno;
    va_list args;
    va_start(args, format);
    vsnprintf(trial->words, sizeof trial->words, format, args);
    va_end(args);
    errno = cause;
    return -1;
}

/* --------------------------------------------------------------------------- what is measured */

static int read_accounts(struct trial *trial, struct account *accounts)
{
    for (unsigned i = 0; i <= LAB_WORKERS_MAX; i++) {
        accounts[i] = (struct account){.voluntary = 0};
        if (trial->arena.pids[i] > 0 && account_read(trial->arena.pids[i], &accounts[i]) < 0)
            return trial_fail(trial, "worker %u cannot be accounted for: %s", i, strerror(errno));
    }
    return 0;
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_acquire);
}

uint64_t trial_accepted(const struct trial *trial, unsigned slot)
{
    return load(&trial->arena.tallies[slot].accepted);
}

static void sum_tallies(const struct trial *trial, uint64_t *returns, uint64_t *wasted)
{
    *returns = *wasted = 0;
    for (unsigned i = 0; i <= LAB_WORKERS_MAX; i++) {
        *returns += load(&trial->arena.tallies[i].returns);
        *wasted += load(&trial->arena.tallies[i].wasted);
    }
}

int trial_begin(struct trial *trial)
{
    if (!arena_settle(&trial->arena, SETTLE_MS)) {
        errno = ETIMEDOUT;
        return trial_fail(trial, "the workers of %s do not come to rest", trial->strategy->name);
    }
    for (unsigned i = 0; i < LAB_WORKERS_MAX; i++)
        trial->accepted[i] = trial_accepted(trial, i);
    sum_tallies(trial, &trial->returns, &trial->wasted);
    if (read_accounts(trial, trial->begun) < 0)
        return -1;
    tracepoint_close(trial->tracepoint);
    trial->tracepoint = tracepoint_open(trial->arena.pids, LAB_WORKERS_MAX + 1, &trial->untraced);
    if (trial->tracepoint)
        trial->untraced = NULL;
    return 0;
}

/* ------------------------------------------------------------------------------ the figures */

static void take_accounts(const struct trial *trial, const struct account *ended,
                          struct measurement *m, double n)
{
    struct account sum = {.voluntary = 0};
    for (unsigned i = 0; i <= LAB_WORKERS_MAX; i++) {
        struct account one = ended[i];
        account_subtract(&one, &trial->begun[i]);
        account_add(&sum, &one);
    }
    double ticks = (double)(sum.user_ticks + sum.system_ticks);
    m->wakeups = m->switches_voluntary = (double)sum.voluntary / n;
    m->switches_involuntary = (double)sum.involuntary / n;
    m->cpu_us = (double)sum.cpu_ns / 1000 / n;
    m->run_delay_us = (double)sum.delay_ns / 1000 / n;
    if (ticks >= 10) { /* fewer are no better than chance */
        m->cpu_user_us = m->cpu_us * (double)sum.user_ticks / ticks;
        m->cpu_system_us = m->cpu_us - m->cpu_user_us;
    }
}

static void take_tracepoint(struct trial *trial, struct measurement *m, double n)
{
    struct tracepoint_counts counts;
    if (!trial->tracepoint || tracepoint_read(trial->tracepoint, &counts) < 0)
        return;
    m->wakeups_kernel = (double)counts.wakeups / n;
    m->wakeups_told = (double)counts.wakeups_told / n;
    m->switches_kernel = (double)counts.switches / n;
}

static void take_tallies(const struct trial *trial, struct measurement *m, double n)
{
    uint64_t returns, wasted;
    sum_tallies(trial, &returns, &wasted);
    double returned = (double)(returns - trial->returns) / n;
    m->wasted_visible = (double)(wasted - trial->wasted) / n;
    m->wasted_hidden = m->wakeups > returned ? m->wakeups - returned : 0;
    for (unsigned i = 0; i < trial->workers; i++)
        m->per_worker[i] = trial_accepted(trial, i) - trial->accepted[i];
    m->jain = stats_jain(m->per_worker, trial->workers);
    m->max_over_mean = stats_max_over_mean(m->per_worker, trial->workers);
    m->chi_squared = stats_chi_squared(m->per_worker, trial->workers);
    m->chi_squared_p = stats_chi_squared_p(m->chi_squared, trial->workers - 1);
}

static void take_result(const struct client_result *result, struct measurement *m, double n)
{
    m->connections = result->connections;
    m->requests = result->served + result->late;
    m->served = result->served;
    m->late = result->late;
    memcpy(m->lost, result->lost, sizeof m->lost);
    m->client_cpu_us = (double)result->cpu_us / n;
    if (result->elapsed_us > 0)
        m->rate = (double)result->connections * 1e6 / (double)result->elapsed_us;
    m->latency = measurement_latency(&result->answer);
    m->accept_latency = measurement_latency(&result->accept);
}

static void describe(const struct trial *trial, struct measurement *m)
{
    measurement_clear(m);
    m->kind = "strategy";
    m->name = trial->strategy->name;
    m->workload = trial->workload->name;
    m->workers = trial->workers;
    m->repeat = trial->repeat;
    m->settings = trial->settings;
    m->drain = trial->arena.drain;
    m->untraced = trial->untraced;
}

int trial_end(struct trial *trial, const struct client_result *result, struct measurement *m)
{
    struct account ended[LAB_WORKERS_MAX + 1];
    bool is_at_rest = arena_settle(&trial->arena, SETTLE_MS);
    describe(trial, m);
    if (read_accounts(trial, ended) < 0)
        return -1;
    double n = result->connections > 0 ? (double)result->connections : 1;
    take_accounts(trial, ended, m, n);
    take_tracepoint(trial, m, n);
    take_tallies(trial, m, n);
    take_result(result, m, n);
    if (!is_at_rest || result->connections == 0)
        measurement_forget_costs(m);
    return 0;
}

/* -------------------------------------------------------------------------------- the client */

void trial_plan(const struct trial *trial, struct client_plan *plan)
{
    *plan = (struct client_plan){
        .to = trial->arena.address,
        .asks = trial->arena.asks,
        .requests = 1,
        .patience_us = 10 * 1000 * 1000,
        .cpu = -1,
        .netns = trial->arena.link.client,
        .seed = trial->settings.seed + trial->repeat,
    };
    if (trial->settings.is_pinned)
        plan->cpu = pin_last();
}

/* A worker that was woken for nothing sleeps again within microseconds. */
static void wait_for_rest(void *context)
{
    const struct trial *trial = context;
    arena_settle(&trial->arena, REST_MS);
}

void trial_plan_singles(struct trial *trial, struct client_plan *plan, uint64_t connections)
{
    trial_plan(trial, plan);
    plan->seats = 1;
    plan->connections = connections;
    plan->before = wait_for_rest;
    plan->context = trial;
}

struct client *trial_client(struct trial *trial, const struct client_plan *plan)
{
    const char *words;
    struct client *client = client_start(plan, &words);
    if (!client)
        trial_fail(trial, "the client cannot be started: %s", words);
    return client;
}

/* The workers are looked at before its idle connections are closed, which would wake them. */
static int finish(struct trial *trial, struct client *client, struct measurement *m)
{
    struct client_result result;
    client_wait(client);
    result = *client_watch(client);
    if (result.connections == 0) /* of a burst, whose connections were there before */
        result.connections = result.idle;
    int measured = trial_end(trial, &result, m);
    if (client_join(client, &result) < 0)
        return trial_fail(trial, "the client: %s: %s", result.words, strerror(errno));
    return measured;
}

int trial_load_while(struct trial *trial, const struct client_plan *plan,
                     trial_meanwhile_fn *meanwhile, void *context, struct measurement *m)
{
    struct client *client = trial_client(trial, plan);
    if (!client)
        return -1;
    int result = trial_begin(trial);
    if (result == 0 && meanwhile)
        result = meanwhile(trial, client, context);
    else
        client_go(client);
    if (result == 0)
        return finish(trial, client, m);
    int cause = errno;
    client_join(client, NULL);
    errno = cause;
    return -1;
}

int trial_load(struct trial *trial, const struct client_plan *plan, struct measurement *m)
{
    return trial_load_while(trial, plan, NULL, NULL, m);
}

/* ------------------------------------------------------------------------- death and respawn */

/* What the dead one had is taken from where its successor begins: differences of unsigned figures
 * come out right, below 0 too. */
int trial_kill(struct trial *trial, unsigned slot)
{
    struct account account;
    if (account_read(trial->arena.pids[slot], &account) < 0)
        return trial_fail(trial, "worker %u cannot be accounted for: %s", slot, strerror(errno));
    account_subtract(&trial->begun[slot], &account);
    if (arena_kill(&trial->arena, slot) < 0)
        return trial_fail(trial, "%s", trial->arena.words);
    return 0;
}

int trial_respawn(struct trial *trial, unsigned slot)
{
    if (arena_respawn(&trial->arena, slot) < 0)
        return trial_fail(trial, "%s", trial->arena.words);
    return 0;
}

/* ----------------------------------------------------------------------------------- the run */

void trial_emit(const struct trial *trial, const struct measurement *m)
{
    if (trial->emit)
        trial->emit(m, trial->context);
}

static const char *reason_to_skip(const struct trial *trial)
{
    const struct strategy *strategy = trial->strategy;
    if (trial->workload->needs_many && !strategy->watch)
        return "a worker of this strategy serves one client at a time, to its end";
    if (trial->workers < trial->workload->min_workers)
        return "this workload needs more workers";
    if (strategy->drains_only && trial->settings.drain == DRAIN_NO)
        return "this strategy cannot take one connection alone";
    if (strategy->takes_one && trial->settings.drain == DRAIN_YES)
        return "this strategy cannot take more than one connection at a time";
    return strategy->lacks ? strategy->lacks() : NULL;
}

static int skip(struct trial *trial, const char *reason)
{
    struct measurement m;
    describe(trial, &m);
    m.skipped = reason;
    trial_emit(trial, &m);
    return 0;
}

static int run_in_arena(struct trial *trial)
{
    if (arena_open(&trial->arena, trial->strategy, trial->workers, &trial->settings,
                   trial->workload->asks) == 0)
        return trial->workload->run(trial);
    if (trial->arena.lacks)
        return skip(trial, trial->arena.lacks);
    return trial_fail(trial, "%s", trial->arena.words);
}

int trial_run(struct trial *trial)
{
    const char *reason = reason_to_skip(trial);
    if (reason)
        return skip(trial, reason);
    trial->tracepoint = NULL;
    int result = run_in_arena(trial);
    int cause = errno;
    tracepoint_close(trial->tracepoint);
    arena_close(&trial->arena);
    errno = cause;
    return result;
}
