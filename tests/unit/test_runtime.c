#include "os/runtime.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "support.h"

#define RIVALS 3

static struct runtime read_one(pid_t pid)
{
    struct runtime r = {.ran_ms = -7, .waited_ms = -7};
    cr_assert_eq(runtime_read(pid, &r), 0, "%m");
    return r;
}

Test(runtime, what_runs_is_runnable_and_runs)
{
    int before = count_fds();
    struct runtime then = read_one(getpid()), now = then;
    int64_t start = clock_ms();
    while (now.ran_ms < then.ran_ms + 20 && clock_ms() < start + 5000)
        now = read_one(getpid());
    cr_expect_geq(now.ran_ms, then.ran_ms + 20);
    cr_expect_leq(now.ran_ms - then.ran_ms, clock_ms() - start + 1, "no more than there was");
    cr_expect(now.is_runnable);
    cr_expect_eq(count_fds(), before);
}

/* The name is the process's own choice. */
Test(runtime, a_name_that_looks_like_a_state)
{
    cr_assert_eq(prctl(PR_SET_NAME, ") S ((", 0, 0, 0), 0);
    cr_expect(read_one(getpid()).is_runnable);
}

static _Atomic pid_t sleeper;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *sleep_there(void *unused)
{
    sleeper = gettid();
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
    return unused;
}

/* A thread's number stands for itself in /proc. */
Test(runtime, what_sleeps_is_not_runnable)
{
    pthread_t thread;
    int64_t deadline = clock_ms() + 5000;
    pthread_mutex_lock(&held);
    cr_assert_eq(pthread_create(&thread, NULL, sleep_there, NULL), 0);
    while (sleeper == 0 || (read_one(sleeper).is_runnable && clock_ms() < deadline))
        sched_yield();
    struct runtime then = read_one(sleeper), now = read_one(sleeper);
    cr_expect_not(now.is_runnable);
    cr_expect_eq(runtime_own_ms(&then, &now, 250), 250,
                 "it is blocked, and nobody's fault but its");
    pthread_mutex_unlock(&held);
    pthread_join(thread, NULL);
}

static atomic_bool is_over;

static void *spin(void *unused)
{
    while (!is_over)
        continue;
    return unused;
}

/* They inherit the one CPU that this thread may use. */
Test(runtime, what_waits_for_a_cpu)
{
    pthread_t rivals[RIVALS];
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0, "%m");
    for (size_t i = 0; i < RIVALS; i++)
        cr_assert_eq(pthread_create(&rivals[i], NULL, spin, NULL), 0);
    struct runtime then = read_one(getpid()), now = then;
    int64_t start = clock_ms();
    while (now.waited_ms < then.waited_ms + 40 && clock_ms() < start + 5000)
        now = read_one(getpid());
    int64_t elapsed = clock_ms() - start;
    cr_expect_geq(now.waited_ms, then.waited_ms + 40);
    cr_expect_leq(now.waited_ms - then.waited_ms, elapsed + 1);
    cr_expect_lt(runtime_own_ms(&then, &now, elapsed), elapsed - 30);
    is_over = true;
    for (size_t i = 0; i < RIVALS; i++)
        pthread_join(rivals[i], NULL);
}

Test(runtime, who_is_not_there)
{
    struct runtime r;
    errno = 0;
    cr_expect_eq(runtime_read(0x7fffffff, &r), -1);
    cr_expect_eq(errno, ENOENT, "%m");
}

Test(runtime, whose_time_it_was)
{
    static const struct {
        const char *name;
        struct runtime then, now;
        int64_t elapsed, own;
    } cases[] = {
        {"spins", {10, 0, true}, {110, 0, true}, 100, 100},
        {"spins, and shares a CPU", {10, 5, true}, {60, 55, true}, 100, 50},
        {"waits all along", {10, 5, true}, {10, 5, true}, 100, 0},
        {"sleeps", {10, 5, false}, {10, 5, false}, 100, 100},
        {"sleeps, and has waited", {10, 5, true}, {12, 95, false}, 100, 10},
        {"waited before, too", {10, 400, false}, {10, 400, false}, 100, 100},
        {"readings that were late", {10, 0, true}, {130, 0, true}, 100, 100},
        {"a wait that began earlier", {10, 5, true}, {10, 205, false}, 100, 0},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int64_t own = runtime_own_ms(&cases[i].then, &cases[i].now, cases[i].elapsed);
        cr_expect_eq(own, cases[i].own, "%s: %d", cases[i].name, (int)own);
    }
}
