/* A pool of threads that take their jobs from one queue. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"

#define POOL_MAX 8

/* Short, and many of them: some are not disturbed by other processes of the machine. */
#define ROUND_US     5000
#define ROUNDS       80
#define ROUNDS_MAX   200
#define ROUNDS_QUICK 30

/* A queue and its lock, on cache lines of their own; the jobs in it are numbers. */
struct queue {
    _Alignas(128) pthread_mutex_t lock;
    uint64_t taken;
};

/* Threads that take jobs from the first queue, all of them, or each from its own. */
struct pool {
    struct queue queues[POOL_MAX];
    bool is_shared;
    int64_t work_ns; /* CPU time of a job */
    pthread_barrier_t start;
    _Atomic bool has_ended;
    _Atomic unsigned next;                    /* thread to number itself */
    int64_t begun[POOL_MAX], ended[POOL_MAX]; /* each thread's; the clock of whoever starts them may
                                                 be read long after they run */
};

static int64_t thread_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *take_jobs(void *context)
{
    struct pool *pool = context;
    unsigned number = atomic_fetch_add(&pool->next, 1);
    struct queue *queue = &pool->queues[pool->is_shared ? 0 : number];
    pthread_barrier_wait(&pool->start);
    pool->begun[number] = fixture_wall_ns();
    while (!pool->has_ended) {
        pthread_mutex_lock(&queue->lock);
        queue->taken++;
        pthread_mutex_unlock(&queue->lock);
        if (pool->work_ns > 0)
            for (int64_t end = thread_ns() + pool->work_ns; thread_ns() < end;)
                ;
    }
    pool->ended[number] = fixture_wall_ns();
    return NULL;
}

/* Jobs a second of so many threads. */
static double pool_rate(bool is_shared, unsigned workers, int64_t work_ns)
{
    pthread_t threads[POOL_MAX];
    uint64_t jobs = 0;
    struct pool pool = {.is_shared = is_shared, .work_ns = work_ns};
    for (unsigned i = 0; i < POOL_MAX; i++)
        pthread_mutex_init(&pool.queues[i].lock, NULL);
    pthread_barrier_init(&pool.start, NULL, workers + 1);
    for (unsigned i = 0; i < workers; i++)
        if ((errno = pthread_create(&threads[i], NULL, take_jobs, &pool)) != 0)
            need(-1, "pthread_create");
    pthread_barrier_wait(&pool.start);
    pause_us(ROUND_US);
    pool.has_ended = true;
    for (unsigned i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    int64_t begun = pool.begun[0], ended = pool.ended[0];
    for (unsigned i = 0; i < workers; i++) {
        jobs += pool.queues[i].taken;
        begun = pool.begun[i] < begun ? pool.begun[i] : begun;
        ended = pool.ended[i] > ended ? pool.ended[i] : ended;
    }
    return (double)jobs * 1e9 / (double)(ended - begun);
}

struct rates {
    double one;    /* one thread */
    double shared; /* all, one queue */
    double own;    /* all, a queue each */
};

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* The check that the CPUs were there to be had: threads that share nothing must be faster. */
static bool is_undisturbed(const struct rates *rates)
{
    return rates->own > 1.4 * rates->one;
}

/* The best of interleaved rounds, as the other processes of the machine take their share; more of
 * them while these take too much. */
static struct rates best_rates(unsigned workers, int64_t work_ns, int rounds)
{
    struct rates best = {0};
    for (int r = 0; r < rounds || (r < ROUNDS_MAX && !is_undisturbed(&best)); r++) {
        best.one = larger(best.one, pool_rate(true, 1, work_ns));
        best.shared = larger(best.shared, pool_rate(true, workers, work_ns));
        best.own = larger(best.own, pool_rate(false, workers, work_ns));
    }
    return best;
}

void try_pool_lock(struct finding *f, bool is_quick)
{
    cpu_set_t set;
    need(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
    unsigned cpus = (unsigned)CPU_COUNT(&set), workers = cpus < POOL_MAX ? cpus : POOL_MAX;
    if (cpus < 2)
        give_up("could not be tried: threads that take turns on one CPU do not meet at a lock");
    struct rates empty = best_rates(workers, 0, is_quick ? ROUNDS_QUICK : ROUNDS);
    struct rates jobs = best_rates(workers, 20000, is_quick ? ROUNDS_QUICK : ROUNDS);
    if (!is_undisturbed(&empty) || !is_undisturbed(&jobs))
        give_up(
            "could not be tried: %u threads that share nothing were %.1f and %.1f times as fast "
            "as one: other processes have the CPUs",
            workers, empty.own / empty.one, jobs.own / jobs.one);
    bool limits = empty.shared < 0.8 * empty.own, limits_jobs = jobs.shared < 0.8 * jobs.own;
    enum verdict verdict = !limits ? CLAIM_FAILS : limits_jobs ? CLAIM_HOLDS : CLAIM_DEPENDS;
    finding_set(
        f, verdict,
        "%sempty jobs from one locked queue: %.1f million a second with 1 thread, %.1f with "
        "%u, and %.1f where each of these has a queue of its own; jobs of 20 us: %.0f, %.0f "
        "and %.0f thousand a second",
        depends_on(verdict, "how long a job is"), empty.one / 1e6, empty.shared / 1e6, workers,
        empty.own / 1e6, jobs.one / 1e3, jobs.shared / 1e3, jobs.own / 1e3);
}
