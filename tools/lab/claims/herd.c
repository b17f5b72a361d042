/* Claims about herds: tried by the trials of `drover-lab run`, with few connections. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/trial/stats.h"
#include "lab/trial/trial.h"

#define SEEN_MAX 8

/* What a trial has emitted. */
struct seen {
    struct measurement list[SEEN_MAX];
    size_t count;
};

static void keep(const struct measurement *m, void *context)
{
    struct seen *seen = context;
    if (m->skipped)
        give_up("could not be tried: %s, %s: %s", m->name, m->workload, m->skipped);
    if (seen->count < SEEN_MAX)
        seen->list[seen->count++] = *m;
}

static void measure(struct seen *seen, const char *strategy, const char *workload, unsigned workers,
                    bool is_quick)
{
    struct trial trial = {
        .strategy = strategy_find(strategy),
        .workload = workload_find(workload),
        .workers = workers,
        .is_quick = is_quick,
        .settings = {.seed = 1},
        .emit = keep,
        .context = seen,
    };
    seen->count = 0;
    if (!trial.strategy || !trial.workload)
        give_up("could not be tried: there is no strategy %s or no workload %s", strategy,
                workload);
    if (trial_run(&trial) < 0)
        give_up("could not be tried: %s, %s: %s", strategy, workload, trial.words);
    if (seen->count == 0)
        give_up("could not be tried: %s, %s: no measurement", strategy, workload);
    if (seen->list[seen->count - 1].connections == 0)
        give_up("could not be tried: %s, %s: no connection came to be", strategy, workload);
}

/* Connections one at a time on idle workers. */
static struct measurement singles(const char *strategy, unsigned workers, bool is_quick)
{
    struct seen seen;
    measure(&seen, strategy, "singles", workers, is_quick);
    return seen.list[0];
}

/* One wakeup a connection, give or take a stray one. */
static bool is_one(double wakeups)
{
    return wakeups > 0.5 && wakeups < 1.2;
}

#define WORKERS       16
#define WORKERS_STALL 4

void try_accept_herd(struct finding *f, bool is_quick)
{
    struct measurement blocking = singles("accept-blocking", WORKERS, is_quick);
    struct measurement few = singles("accept-blocking", 4, is_quick);
    struct measurement poll = singles("poll", WORKERS, is_quick);
    bool one = is_one(blocking.wakeups) && is_one(few.wakeups);
    finding_set(f, one ? CLAIM_HOLDS : CLAIM_FAILS,
                "of 4 processes asleep in accept %.2f were woken by a connection, of %d %.2f "
                "(scheduler wakeups, %llu connections one at a time); of %d asleep in poll for the "
                "same listener %.2f",
                few.wakeups, WORKERS, blocking.wakeups, (unsigned long long)blocking.connections,
                WORKERS, poll.wakeups);
}

void try_epoll_herd(struct finding *f, bool is_quick)
{
    struct measurement plain = singles("epoll-lt", WORKERS, is_quick);
    struct measurement exclusive = singles("epoll-exclusive", WORKERS, is_quick);
    struct measurement shared = singles("shared-epoll-et", WORKERS, is_quick);
    bool is_herd = plain.wakeups > 0.8 * WORKERS;
    bool is_avoided = is_one(exclusive.wakeups) && is_one(shared.wakeups);
    enum verdict verdict = is_herd && is_avoided ? CLAIM_DEPENDS
                           : is_herd             ? CLAIM_FAILS
                                                 : CLAIM_HOLDS;
    finding_set(f, verdict,
                "%sof %d workers, each with its own epoll on a shared listener, a connection wakes "
                "%.2f, of which %.2f return from epoll_wait in vain and %.2f sleep on in it; with "
                "EPOLLEXCLUSIVE %.2f, with one epoll descriptor for all and ET %.2f",
                depends_on(verdict, "how they register"), WORKERS, plain.wakeups,
                plain.wasted_visible, plain.wasted_hidden, exclusive.wakeups, shared.wakeups);
}

void try_reuseport_herd(struct finding *f, bool is_quick)
{
    struct measurement m = singles("reuseport", WORKERS, is_quick);
    finding_set(f, m.wakeups < 1.2 ? CLAIM_HOLDS : CLAIM_FAILS,
                "%d workers, a listener each: %.2f wakeups a connection, %.2f of them in vain "
                "(%llu connections one at a time)",
                WORKERS, m.wakeups, m.wasted_visible + m.wasted_hidden,
                (unsigned long long)m.connections);
}

struct stalled {
    uint64_t served, all;
};

/* Clients that come while one of the workers is stopped. Three times: one in 30 times the hash
 * sends none of 12 to it. */
static struct stalled stall(const char *strategy, bool is_quick)
{
    struct stalled stalled = {0};
    for (int i = 0; i < 3; i++) {
        struct seen seen;
        measure(&seen, strategy, "stall-stop", WORKERS_STALL, is_quick);
        const struct measurement *m = &seen.list[0];
        stalled.served += m->served;
        stalled.all += m->served + m->late;
        for (int cause = 0; cause < OUTCOME_COUNT; cause++)
            stalled.all += m->lost[cause];
    }
    return stalled;
}

/* A chance of one in a thousand is none. */
#define CHANCE 0.001

void try_reuseport_balance(struct finding *f, bool is_quick)
{
    struct measurement m = singles("reuseport", WORKERS_STALL, is_quick);
    struct stalled stalled = stall("reuseport", is_quick);
    bool is_even = m.chi_squared_p > CHANCE, is_blind = stalled.served < stalled.all;
    enum verdict verdict = !is_even ? CLAIM_FAILS : is_blind ? CLAIM_DEPENDS : CLAIM_HOLDS;
    const char
        *what = "what load is; it spreads connections, by chance, and is blind to who is busy";
    finding_set(
        f, verdict,
        "%s%llu connections over %d workers came as %llu, %llu, %llu and %llu: Jain's index %.3f, "
        "by "
        "chance alone %.3f, chi-squared p %.2f; with one worker stopped %llu of %llu clients were "
        "served in time",
        depends_on(verdict, what), (unsigned long long)m.connections, WORKERS_STALL,
        (unsigned long long)m.per_worker[0], (unsigned long long)m.per_worker[1],
        (unsigned long long)m.per_worker[2], (unsigned long long)m.per_worker[3], m.jain,
        stats_jain_by_chance(WORKERS_STALL, m.connections), m.chi_squared_p,
        (unsigned long long)stalled.served, (unsigned long long)stalled.all);
}

void try_exclusive_one(struct finding *f, bool is_quick)
{
    struct measurement few = singles("epoll-exclusive", 4, is_quick);
    struct measurement many = singles("epoll-exclusive", WORKERS, is_quick);
    bool one = is_one(few.wakeups) && is_one(many.wakeups);
    finding_set(f, one ? CLAIM_HOLDS : CLAIM_FAILS,
                "%.2f wakeups a connection with 4 idle workers, %.2f with %d (%llu connections one "
                "at a time; epoll_ctl(2) promises one or more)",
                few.wakeups, many.wakeups, WORKERS, (unsigned long long)many.connections);
}

void try_exclusive_lifo(struct finding *f, bool is_quick)
{
    struct measurement m = singles("epoll-exclusive", WORKERS, is_quick);
    struct measurement shared = singles("shared-epoll-et", WORKERS, is_quick);
    uint64_t first = m.per_worker[0], last = m.per_worker[WORKERS - 1];
    double share = (double)last / (double)m.connections;
    finding_set(
        f, share > 0.5 ? CLAIM_HOLDS : CLAIM_FAILS,
        "of %llu connections one at a time the first of %d workers to register took %llu "
        "and the last one %llu; where all wait at one epoll descriptor (ET) the last one to "
        "wait took %llu of %llu",
        (unsigned long long)m.connections, WORKERS, (unsigned long long)first,
        (unsigned long long)last, (unsigned long long)shared.per_worker[WORKERS - 1],
        (unsigned long long)shared.connections);
}

/* A worker that is likely to be woken is stopped as a client arrives, again and again. Never quick:
 * one in twenty is not to be missed. */
static struct measurement strand(const char *strategy)
{
    struct seen seen;
    measure(&seen, strategy, "stall-stop", WORKERS_STALL, false);
    for (size_t i = 0; i < seen.count; i++)
        if (!isnan(seen.list[i].stranded))
            return seen.list[i];
    give_up("could not be tried: %s: the trial did not look for stranded clients", strategy);
}

void try_exclusive_loses(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct measurement exclusive = strand("epoll-exclusive"), plain = strand("epoll-lt");
    finding_set(f, exclusive.stranded > plain.stranded ? CLAIM_FAILS : CLAIM_HOLDS,
                "a worker is stopped as a client comes, while %d others sleep: with EPOLLEXCLUSIVE "
                "%.1f %% of %llu clients were left in the queue for more than 50 ms, with plain "
                "level-triggered epoll %.1f %% of %llu",
                WORKERS_STALL - 1, 100 * exclusive.stranded,
                (unsigned long long)exclusive.connections, 100 * plain.stranded,
                (unsigned long long)plain.connections);
}
