/* What it costs to make a thread or a process, to switch to it, and what it leaves. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

#define TURNS  3000
#define ROUNDS 9

struct table_tennis {
    int here, there; /* eventfds */
    size_t turns;
};

static void *answer_turns(void *context)
{
    const struct table_tennis *t = context;
    eventfd_t value;
    for (size_t i = 0; i < t->turns; i++)
        if (eventfd_read(t->there, &value) < 0 || eventfd_write(t->here, 1) < 0)
            break;
    return NULL;
}

/* Two switches are a turn; both sides are on one CPU. ns a switch. */
static double switch_ns(bool by_process, size_t turns)
{
    struct table_tennis t = {.here = need(eventfd(0, EFD_CLOEXEC), "eventfd"),
                             .there = need(eventfd(0, EFD_CLOEXEC), "eventfd"),
                             .turns = turns};
    pthread_t thread;
    pid_t pid = by_process ? fixture_fork() : -1;
    if (pid == 0) {
        answer_turns(&t);
        _exit(0);
    }
    if (!by_process && (errno = pthread_create(&thread, NULL, answer_turns, &t)) != 0)
        need(-1, "pthread_create");
    int64_t begun = fixture_wall_ns();
    for (size_t i = 0; i < turns; i++) {
        fixture_raise(t.there);
        fixture_lower(t.here);
    }
    double ns = (double)(fixture_wall_ns() - begun) / (double)(2 * turns);
    if (by_process)
        fixture_end(pid);
    else
        pthread_join(thread, NULL);
    close(t.here);
    close(t.there);
    return ns;
}

/* The last CPU that is allowed: this process and its children take turns on it. */
static void stay_on_one_cpu(void)
{
    cpu_set_t set;
    need(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
    size_t cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !CPU_ISSET(cpu, &set))
        cpu--;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    need(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

void try_thread_switch(struct finding *f, bool is_quick)
{
    double threads[ROUNDS], processes[ROUNDS];
    size_t turns = is_quick ? TURNS / 3 : TURNS;
    stay_on_one_cpu();
    for (size_t r = 0; r < ROUNDS; r++) {
        threads[r] = switch_ns(false, turns);
        processes[r] = switch_ns(true, turns);
    }
    double thread = fixture_least(threads, ROUNDS), process = fixture_least(processes, ROUNDS);
    finding_set(f, process > 2 * thread ? CLAIM_HOLDS : CLAIM_FAILS,
                "on one CPU a wake-up and switch to another thread takes %.0f ns, to another "
                "process %.0f: %.2f times as much (least of %d rounds; caches that a real working "
                "set would refill are not in it)",
                thread, process, process / thread, ROUNDS);
}

static void *do_nothing(void *context)
{
    return context;
}

static double create_us(bool by_process, size_t count)
{
    int64_t begun = fixture_wall_ns();
    for (size_t i = 0; i < count; i++) {
        pthread_t thread;
        pid_t pid = by_process ? need(fork(), "fork") : -1;
        if (pid == 0)
            _exit(0);
        if (by_process) {
            need(waitpid(pid, NULL, 0), "waitpid");
            continue;
        }
        if ((errno = pthread_create(&thread, NULL, do_nothing, NULL)) != 0)
            need(-1, "pthread_create");
        pthread_join(thread, NULL);
    }
    return (double)(fixture_wall_ns() - begun) / 1e3 / (double)count;
}

void try_thread_create(struct finding *f, bool is_quick)
{
    double threads[ROUNDS], processes[ROUNDS];
    size_t count = is_quick ? 30 : 100;
    stay_on_one_cpu();
    for (size_t r = 0; r < ROUNDS; r++) {
        threads[r] = create_us(false, count);
        processes[r] = create_us(true, count);
    }
    double thread = fixture_least(threads, ROUNDS), process = fixture_least(processes, ROUNDS);
    finding_set(f, thread < process ? CLAIM_HOLDS : CLAIM_FAILS,
                "making one, its end and the wait for it take %.1f us for a thread, %.0f for a "
                "process of this small program: %.1f times as much (least of %d rounds, one CPU)",
                thread, process, process / thread, ROUNDS);
}

/* ------------------------------------------------------------------------------ zombies */

static bool is_zombie(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == pid &&
           kill(pid, 0) == 0;
}

void try_zombies(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int kept = 0, gone = 0, count = 10;
    for (int i = 0; i < count; i++) {
        pid_t pid = fixture_fork();
        if (pid == 0)
            _exit(0);
        kept += is_zombie(pid);
        need(waitpid(pid, NULL, 0), "waitpid");
    }
    if (signal(SIGCHLD, SIG_IGN) == SIG_ERR)
        need(-1, "signal");
    for (int i = 0; i < count; i++) {
        pid_t pid = fixture_fork();
        if (pid == 0)
            _exit(0);
        gone += waitpid(pid, NULL, 0) < 0 &&
                errno == ECHILD; /* it returns when the child is gone */
    }
    enum verdict verdict = kept < count ? CLAIM_FAILS : gone == count ? CLAIM_DEPENDS : CLAIM_HOLDS;
    finding_set(f, verdict,
                "%s%d of %d children that had ended stayed as zombies until waitpid; with SIGCHLD "
                "ignored %d of %d were gone by themselves",
                depends_on(verdict, "SIGCHLD"), kept, count, gone, count);
}
