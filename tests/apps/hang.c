/* hang - an application for HTTP with the faults of applications: handlers that do not return,
 * that end their process, that lose memory. tests/system/{crash,hang,recycle,overload}.bats drive
 * it.
 *
 *   /1k.bin      1024 bytes, at once
 *   /who         the worker's pid
 *   /self        the same, as libc knows it of the thread
 *   /work...     the same, after a millisecond of a CPU's time
 *   /later/1k.bin the same, 20 ms later, while the worker goes on
 *   /spin?MS     an endless loop, for so long
 *   /block?MS    a system call that does not return, for so long
 *   /deaf?MS     as /spin, and SIGABRT does not end it
 *   /hold?MS     no fault: an answer that comes later, while the worker goes on
 *   /abort?MS    the end of the process, after so long
 *   /leak?KB     so much memory that is never given back
 *
 * A worker takes HANG_START_US microseconds to start, if that is in its environment.
 */
#define _GNU_SOURCE
#include "app.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static struct drover_worker *worker; /* a process has one */

/* By the wall's clock, so that it lasts as long on a busy machine. */
static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void spin(const struct drover_request *q, struct drover_response *r)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (elapsed_ms(&start) < argument(q, 0)) {
    }
    say(r, "spun\n");
}

static void deaf(const struct drover_request *q, struct drover_response *r)
{
    signal(SIGABRT, SIG_IGN);
    spin(q, r);
    signal(SIGABRT, SIG_DFL);
}

static void be_blocked(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

static void block(const struct drover_request *q, struct drover_response *r)
{
    be_blocked(argument(q, 0));
    say(r, "was blocked\n");
}

static void let_go(void *response)
{
    say(response, "held\n");
    drover_response_finish(response);
}

static void hold(const struct drover_request *q, struct drover_response *r)
{
    drover_response_defer(r);
    drover_timer_start(worker, (uint64_t)argument(q, 0), let_go, r);
}

static void end(const struct drover_request *q, struct drover_response *r)
{
    (void)r;
    be_blocked(argument(q, 0));
    abort();
}

/* No page is resident before it was written to. */
static void leak(const struct drover_request *q, struct drover_response *r)
{
    size_t n = (size_t)argument(q, 0) * 1024;
    char *lost = malloc(n);
    if (lost)
        memset(lost, 1, n);
    say(r, "lost %zu bytes at %p\n", n, (void *)lost);
}

static void who(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%d\n", (int)getpid());
}

/* The number is in that of the thread's clock, as pthread_getcpuclockid(3) has it. */
static void self(const struct drover_request *q, struct drover_response *r)
{
    clockid_t id = 0;
    (void)q;
    pthread_getcpuclockid(pthread_self(), &id);
    say(r, "%d\n", ~(id >> 3));
}

/* As long as the site's file of that name, so that the same load may ask for it. */
static void ok(const struct drover_request *q, struct drover_response *r)
{
    static char kilobyte[1024];
    (void)q;
    memset(kilobyte, 'k', sizeof kilobyte);
    drover_response_body(r, kilobyte, sizeof kilobyte);
}

static void work(const struct drover_request *q, struct drover_response *r)
{
    clock_t start = clock();
    while (clock() - start < CLOCKS_PER_SEC / 1000) {
    }
    ok(q, r);
}

static void give(void *response)
{
    ok(NULL, response);
    drover_response_finish(response);
}

static void later(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    drover_response_defer(r);
    drover_timer_start(worker, 20, give, r);
}

static const struct path paths[] = {{"1k.bin", ok}, {"work", work},   {"later", later},
                                    {"who", who},   {"self", self},   {"spin", spin},
                                    {"deaf", deaf}, {"block", block}, {"hold", hold},
                                    {"abort", end}, {"leak", leak},   {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static int worker_start(void *context, struct drover_worker *w, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)why;
    const char *slow = getenv("HANG_START_US");
    worker = w;
    if (slow)
        usleep((useconds_t)atoi(slow));
    return 0;
}

static const struct drover_app app = {
    .name = "hang", .worker_start = worker_start, .handle = handle};
DROVER_MAIN(app)
