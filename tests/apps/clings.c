/* clings - an application for HTTP that leaves things behind: descriptors, watches, timers, threads
 * and children that its worker's end does not take away. tests/system/standby.bats drives it.
 */
#define _GNU_SOURCE
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

static struct drover_worker *worker; /* a process has one */
static int asked;                    /* of this process */

/* What all processes share. */
static struct shared {
    int starts; /* of workers */
    int events; /* of watches and timers */
    int fatal;  /* so many of the next workers end before they are ready */
} * shared;

static void on_event(void *context, int fd, unsigned events)
{
    (void)context, (void)fd, (void)events;
    __atomic_add_fetch(&shared->events, 1, __ATOMIC_RELAXED);
}

static void on_time(void *context)
{
    __atomic_add_fetch(&shared->events, 1, __ATOMIC_RELAXED);
    drover_timer_start(worker, 1, on_time, context);
}

static void *sleep_on(void *context)
{
    for (;;)
        pause();
    return context;
}

/* So many descriptors. */
static void open_some(const struct drover_request *q, struct drover_response *r)
{
    for (long i = argument(q, 0); i > 0; i--)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            drover_response_status(r, 500);
    say(r, "%d\n", getpid());
}

/* Has nothing open but the pipe, and that until the master is gone. */
static void hold_open(const int ends[2], pid_t master)
{
    dup2(ends[1], 1);
    dup2(ends[0], 0);
    close_range(3, ~0U, 0);
    while (kill(master, 0) == 0)
        usleep(20000);
    _exit(0);
}

/* A watched pipe, in which there is something to read for ever, and which a child has open, too; a
 * timer; a thread. */
static void cling(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    int ends[2];
    pthread_t thread;
    pid_t master = getppid();
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 || write(ends[1], "x", 1) < 0)
        drover_response_status(r, 500);
    if (fork() == 0)
        hold_open(ends, master);
    drover_watch(worker, ends[0], DROVER_READABLE, on_event, NULL);
    drover_timer_start(worker, 1, on_time, NULL);
    if (pthread_create(&thread, NULL, sleep_on, NULL) != 0)
        drover_response_status(r, 500);
    say(r, "%d\n", getpid());
}

/* What this process was asked so far, the workers that there have been, and the events. */
static void state(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%d %d %d\n", asked++, shared->starts, shared->events);
}

/* So many of the next workers end before they are ready. */
static void fatal(const struct drover_request *q, struct drover_response *r)
{
    shared->fatal = (int)argument(q, 0);
    say(r, "%d\n", getpid());
}

static const struct path paths[] = {
    {"open", open_some}, {"cling", cling}, {"state", state}, {"fatal", fatal}, {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static int before_fork(void *context, char why[DROVER_WHY_SIZE])
{
    (void)context;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED)
        return 0;
    snprintf(why, DROVER_WHY_SIZE, "mmap: %s", strerror(errno));
    return EX_OSERR;
}

static int worker_start(void *context, struct drover_worker *w, char why[DROVER_WHY_SIZE])
{
    (void)context, (void)why;
    worker = w;
    shared->starts++;
    if (shared->fatal > 0) {
        shared->fatal--;
        abort();
    }
    return 0;
}

static const struct drover_app app = {
    .name = "clings", .before_fork = before_fork, .worker_start = worker_start, .handle = handle};
DROVER_MAIN(app)
