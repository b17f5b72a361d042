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

#define POOL_MAX 8

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
    _Atomic unsigned next; /* thread to number itself */
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
    while (!pool->has_ended) {
        pthread_mutex_lock(&queue->lock);
        queue->taken++;
        pthread_mutex_unlock(&queue->lock);
        if (pool->work_ns > 0)
            for (int64_t end = thread_ns() + pool->work_ns; thread_ns() < end;)
                ;
    }
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
    int64_t begun = fixture_wall_ns();
    fixture_sleep_us(20000);
    pool.has_ended = true;
    for (unsigned i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < POOL_MAX; i++)
        jobs += pool.queues[i].taken;
    return (double)jobs * 1e9 / (double)(fixture_wall_ns() - begun);
}

/* The best of some rounds, as the other processes of the machine take their share. */
static double best_rate(bool is_shared, unsigned workers, int64_t work_ns, bool is_quick)
{
    double best = 0;
    for (int r = 0; r < (is_quick ? 3 : 9); r++) {
        double rate = pool_rate(is_shared, workers, work_ns);
        best = rate > best ? rate : best;
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
    double own = best_rate(false, workers, 0, is_quick), one = best_rate(true, 1, 0, is_quick);
    double locked = best_rate(true, workers, 0, is_quick);
    double own_long = best_rate(false, workers, 20000, is_quick);
    double locked_long = best_rate(true, workers, 20000, is_quick);
    bool limits = locked < 0.8 * own, limits_long = locked_long < 0.8 * own_long;
    enum verdict verdict = limits && limits_long ? CLAIM_HOLDS
                           : limits              ? CLAIM_DEPENDS
                                                 : CLAIM_FAILS;
    finding_set(
        f, verdict,
        "%sempty jobs from one locked queue: %.1f million a second with 1 thread, %.1f with "
        "%u, and %.1f where each of these has a queue of its own; jobs of 20 us: %.0f and "
        "%.0f thousand a second",
        depends_on(verdict, "how long a job is"), one / 1e6, locked / 1e6, workers, own / 1e6,
        locked_long / 1e3, own_long / 1e3);
}
