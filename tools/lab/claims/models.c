/* Processes and threads for connections: how many, how fast, and what they wait for. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "os/child.h"

/* -------------------------------------------------------------- a process for each connection */

/* What a process that waits for one connection takes at most: stack, tables and what was written to
 * after the fork. It is asked before so many are made. */
#define PROCESS_KB_MAX 300

/* What the notes that tell the claim give a server of 10,000 connections. */
#define SERVER_MB 2048

struct clients {
    int *ends;        /* ends of the connections */
    size_t count;     /* that have a process */
    pid_t forker;     /* the server that forks */
    double fork_us;   /* wall time of one */
    double kb;        /* of memory, each */
    double answer_us; /* CPU is shared by all: wall time of one question */
    size_t answered;
    int error; /* why there are no more */
};

static void serve_one(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) == 1)
        fixture_send(fd, 1);
    _exit(0);
}

/* Forks a process for each connection, and tells the other end of `tell` of it: 0, or the error. */
static void serve_all(int door, int tell, size_t wanted)
{
    pid_t parent = getpid();
    signal(SIGCHLD, SIG_IGN); /* nobody is left behind as a zombie */
    for (size_t i = 0; i < wanted; i++) {
        int fd = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
        pid_t pid = fork();
        int error = pid < 0 ? errno : 0;
        if (pid == 0 && child_tie(parent) == 0) {
            close(door);
            close(tell);
            serve_one(fd);
        }
        if (pid == 0)
            _exit(1);
        close(fd);
        need((int)send(tell, &error, sizeof error, MSG_NOSIGNAL), "send");
        if (error)
            break;
    }
    while (wait(NULL) >= 0 || errno == EINTR) /* it fails when there is no child any more */
        ;
    _exit(0);
}

static long available_kb(void)
{
    return fixture_number("/proc/meminfo", "MemAvailable:");
}

static void clients_ask(struct clients *c, size_t questions)
{
    int64_t begun = fixture_wall_ns();
    for (size_t i = 0; i < questions; i++) {
        char byte;
        int fd = c->ends[i * 7919 % c->count];
        fixture_send(fd, 1);
        if (!fixture_readable(fd, 5000))
            break;
        c->answered += recv(fd, &byte, 1, 0) == 1;
    }
    c->answer_us = (double)(fixture_wall_ns() - begun) / 1e3 / (double)questions;
}

static void clients_open(struct clients *c, size_t wanted, size_t questions)
{
    struct sockaddr_in address;
    int ends[2], door = fixture_listen(64, &address);
    *c = (struct clients){.ends = need_pointer(calloc(wanted, sizeof(int)), "calloc")};
    need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
    long before = available_kb();
    int64_t begun = fixture_wall_ns();
    c->forker = fixture_fork();
    if (c->forker == 0) {
        free(c->ends);
        serve_all(door, ends[1], wanted);
    }
    while (c->count < wanted && c->error == 0) {
        c->ends[c->count] = fixture_connect(&address);
        need((int)recv(ends[0], &c->error, sizeof c->error, 0), "recv");
        c->count += c->error == 0;
    }
    c->fork_us = (double)(fixture_wall_ns() - begun) / 1e3 / (double)wanted;
    c->kb = c->count ? (double)(before - available_kb()) / (double)c->count : 0;
    if (c->count > 0)
        clients_ask(c, questions);
}

/* Closing its clients ends each process. */
static void clients_close(struct clients *c)
{
    for (size_t i = 0; i < c->count; i++)
        close(c->ends[i]);
    need(waitpid(c->forker, NULL, 0), "waitpid");
    free(c->ends);
}

/* Why so many processes are not to be tried; NULL: they may. */
static void check_room(size_t wanted)
{
    struct rlimit limit;
    need(getrlimit(RLIMIT_NPROC, &limit), "getrlimit");
    if (limit.rlim_cur < wanted && geteuid() != 0)
        give_up("not tried: RLIMIT_NPROC is %llu", (unsigned long long)limit.rlim_cur);
    if (fixture_descriptors() < wanted + 16)
        give_up("not tried: RLIMIT_NOFILE is too low for %zu clients", wanted);
    long kb = available_kb();
    if (kb / PROCESS_KB_MAX < 2 * (long)wanted)
        give_up("not tried: %ld MB of memory are too few to fork %zu processes and leave as much",
                kb / 1024, wanted);
}

void try_process_each(struct finding *f, bool is_quick)
{
    size_t wanted = 10000, questions = is_quick ? 200 : 1000;
    struct clients few, many;
    check_room(wanted);
    clients_open(&few, 100, questions);
    clients_close(&few);
    clients_open(&many, wanted, questions);
    clients_close(&many);
    bool all = many.count == wanted && many.answered == questions;
    double mb = many.kb * (double)many.count / 1024;
    bool costly = mb > SERVER_MB || many.answer_us > 2 * few.answer_us;
    enum verdict verdict = !all ? CLAIM_HOLDS : costly ? CLAIM_DEPENDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s100 processes: %.0f us to connect and fork each, a question is answered in %.0f "
                "us; %zu of %zu processes (%s): %.0f us each, %.0f us a question, %zu of %zu "
                "answered, %.0f MB of memory, %.0f KB each",
                depends_on(verdict, "memory and patience"), few.fork_us, few.answer_us, many.count,
                wanted, many.error ? error_name(many.error) : "all", many.fork_us, many.answer_us,
                many.answered, questions, mb, many.kb);
}

/* ---------------------------------------------------------------- a pool with one queue */

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
    if (workers < 2)
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
        "%u, where each with jobs of its own has %.0f; jobs of 20 us: %.0f thousand a "
        "second with the queue, %.0f without",
        depends_on(verdict, "how long a job is"), one / 1e6, locked / 1e6, workers, own / 1e6,
        locked_long / 1e3, own_long / 1e3);
}

/* ------------------------------------------------------------------ switching, creating */

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

/* This process has a CPU for itself from here on, as far as it and its children go. */
static void stay_on_one_cpu(void)
{
    cpu_set_t set;
    need(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (CPU_ISSET(cpu, &set)) {
            CPU_ZERO(&set);
            CPU_SET(cpu, &set);
            break;
        }
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
    enum verdict verdict = kept == count && gone == count ? CLAIM_DEPENDS
                           : kept == count                ? CLAIM_HOLDS
                                                          : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s%d of %d children that had ended stayed as zombies until waitpid; with SIGCHLD "
                "ignored %d of %d were gone by themselves",
                depends_on(verdict, "SIGCHLD"), kept, count, gone, count);
}
