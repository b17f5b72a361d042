#include "lab/trial/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/kernel/account.h"
#include "lab/kernel/pause.h"
#include "lab/kernel/pin.h"
#include "lab/strategies/strategy.h"
#include "lab/trial/session.h"
#include "os/child.h"
#include "os/pass.h"

/* A worker registers within microseconds; a machine that is short of CPUs takes longer. */
#define START_MS 5000

/* Seconds that TCP_DEFER_ACCEPT waits for a client's request. */
#define DEFER_SECONDS 10

/* -1, and why in the arena's words; errno stays. */
static int fail(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct arena *arena, const char *format, ...)
{
    int cause = errno;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(arena->words, sizeof arena->words, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof arena->words)
        snprintf(arena->words + length, sizeof arena->words - (size_t)length, ": %s",
                 strerror(cause));
    errno = cause;
    return -1;
}

/* ---------------------------------------------------------------------------- the listeners */

static int set_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

static int open_door(struct arena *arena, unsigned slot)
{
    int fd = slot == 0 ? net_bind(&arena->address) : net_join(&arena->address);
    if (fd < 0)
        return -1;
    arena->doors[slot] = fd;
    if (arena->strategy->is_blocking && set_blocking(fd) < 0)
        return -1;
    return net_listen(fd, &arena->address, DEFER_SECONDS);
}

static int open_doors(struct arena *arena)
{
    unsigned count = arena->strategy->doors == DOORS_OWN ? arena->workers : 1;
    for (unsigned i = 0; i < count; i++)
        if (open_door(arena, i) < 0)
            return fail(arena, "a listener cannot be opened");
    for (unsigned i = count; i < arena->workers; i++)
        arena->doors[i] = arena->doors[0];
    return 0;
}

static void close_doors(struct arena *arena)
{
    /* From the last down: a member that leaves a group is replaced by the last one. */
    for (unsigned i = arena->workers; i-- > 0;)
        if (arena->doors[i] >= 0 && (i == 0 || arena->doors[i] != arena->doors[0]))
            close(arena->doors[i]);
}

static int open_link(struct arena *arena)
{
    const struct settings *settings = arena->settings;
    const char *why;
    if (wire_open(&arena->link, settings->wire, &why) < 0) {
        arena->lacks = why;
        return fail(arena, "%s", why);
    }
    wire_address(&arena->link, &arena->address);
    arena->address.backlog = settings_backlog(settings);
    arena->address.defer = settings->is_deferred;
    return 0;
}

/* The listeners are to be in the server's network namespace. */
static int open_doors_in_place(struct arena *arena)
{
    if (wire_enter(&arena->link) < 0)
        return fail(arena, "the network namespace cannot be entered");
    int result = open_doors(arena);
    if (wire_leave(&arena->link) < 0)
        return fail(arena, "the network namespace cannot be left");
    return result;
}

/* ------------------------------------------------------------------------------- the workers */

static struct tally *own_row; /* of this worker: a signal's handler has no other way to it */

static void spin(int signal)
{
    (void)signal;
    while (atomic_load_explicit(&own_row->spin, memory_order_relaxed))
        ;
}

/* So that whoever counts from outside (perf, bpftrace, top) can tell the processes apart. */
static void set_name(unsigned slot)
{
    char name[16] = "lab-dispatcher";
    if (slot < LAB_WORKERS_MAX)
        snprintf(name, sizeof name, "lab-worker-%u", slot);
    prctl(PR_SET_NAME, name);
}

static int prepare_child(const struct arena *arena, unsigned slot, pid_t supervisor)
{
    if (child_tie(supervisor) < 0)
        return -1;
    set_name(slot);
    own_row = &arena->tallies[slot];
    struct sigaction action = {.sa_handler = spin};
    sigset_t none;
    sigemptyset(&none);
    if (sigaction(SIGUSR1, &action, NULL) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return -1;
    return arena->settings->is_pinned ? pin_nth(slot) : 0;
}

static void run_worker(struct arena *arena, unsigned slot)
{
    struct lab_worker worker = {
        .arena = arena,
        .slot = slot,
        .door = arena->doors[slot],
        .channel = arena->ends[slot],
        .tally = &arena->tallies[slot],
    };
    if (arena->strategy->open && arena->strategy->open(&worker) < 0) {
        tally_fail(worker.tally, "it cannot register at the listener: %s", strerror(errno));
        return;
    }
    arena->strategy->run(&worker);
    tally_fail(worker.tally, "it cannot wait: %s", strerror(errno));
}

static void run_dispatcher(struct arena *arena, unsigned slot)
{
    struct tally *row = &arena->tallies[slot];
    arena->strategy->dispatch(arena, row);
    tally_fail(row, "the dispatcher cannot go on: %s", strerror(errno));
}

/* It is left for arena_close() to reap. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

/* Is it asleep and registered? 1: yes; 0: not yet; -1: it has ended, or says that it cannot. */
static int has_started(struct arena *arena, unsigned slot)
{
    const struct tally *row = &arena->tallies[slot];
    uint32_t ready = atomic_load(&row->ready);
    if (ready == TALLY_FAILED || has_ended(arena->pids[slot]))
        return -1;
    return ready == TALLY_READY && account_is_asleep(arena->pids[slot]);
}

static int await_start(struct arena *arena, unsigned slot)
{
    int64_t deadline = clock_ms() + START_MS;
    int state;
    while ((state = has_started(arena, slot)) == 0) {
        if (clock_ms() > deadline) {
            errno = ETIMEDOUT;
            return fail(arena, "worker %u does not start", slot);
        }
        pause_us(50);
    }
    if (state > 0)
        return 0;
    snprintf(arena->words, sizeof arena->words, "worker %u: %s", slot,
             *arena->tallies[slot].words ? arena->tallies[slot].words : "it ended at once");
    errno = ECHILD;
    return -1;
}

/* The registrations are to have the order of the slots: see herd.md's first trap. */
static int start(struct arena *arena, unsigned slot,
                 void (*run)(struct arena *arena, unsigned slot))
{
    pid_t supervisor = getpid();
    atomic_store(&arena->tallies[slot].ready, 0);
    pid_t pid = fork();
    if (pid < 0)
        return fail(arena, "worker %u cannot be forked", slot);
    if (pid == 0) {
        if (prepare_child(arena, slot, supervisor) < 0)
            tally_fail(&arena->tallies[slot], "it cannot be set up: %s", strerror(errno));
        else
            run(arena, slot);
        _exit(EXIT_FAILURE);
    }
    arena->pids[slot] = pid;
    return await_start(arena, slot);
}

static int end_process(struct arena *arena, unsigned slot)
{
    pid_t pid = arena->pids[slot];
    if (pid <= 0)
        return 0;
    arena->pids[slot] = 0;
    if (kill(pid, SIGKILL) < 0)
        return -1;
    pid_t reaped;
    do
        reaped = waitpid(pid, NULL, 0);
    while (reaped < 0 && errno == EINTR);
    return reaped == pid ? 0 : -1;
}

/* ------------------------------------------------------------------------------- the arena */

static int open_channels(struct arena *arena)
{
    for (unsigned i = 0; i < arena->workers; i++) {
        int pair[2];
        if (pass_pair(pair) < 0)
            return fail(arena, "a pair of sockets cannot be made");
        arena->channels[i] = pair[0];
        arena->ends[i] = pair[1];
    }
    return 0;
}

static void clear(struct arena *arena, const struct strategy *strategy, unsigned workers,
                  const struct settings *settings, bool asks)
{
    *arena = (struct arena){
        .strategy = strategy,
        .settings = settings,
        .workers = workers,
        .asks = asks || settings->is_deferred,
        .drain = settings->drain == DRAIN_DEFAULT ? strategy->drains : settings->drain == DRAIN_YES,
    };
    arena->link = (struct wire_link){.home = -1, .server = -1, .client = -1};
    for (unsigned i = 0; i < LAB_WORKERS_MAX; i++)
        arena->doors[i] = arena->channels[i] = arena->ends[i] = -1;
}

static int start_all(struct arena *arena)
{
    if (arena->strategy->prepare && arena->strategy->prepare(arena) < 0)
        return *arena->words ? -1 : fail(arena, "%s cannot be prepared", arena->strategy->name);
    for (unsigned i = 0; i < arena->workers; i++)
        if (start(arena, i, run_worker) < 0)
            return -1;
    return arena->strategy->dispatch ? start(arena, LAB_WORKERS_MAX, run_dispatcher) : 0;
}

int arena_open(struct arena *arena, const struct strategy *strategy, unsigned workers,
               const struct settings *settings, bool asks)
{
    clear(arena, strategy, workers, settings, asks);
    arena->tallies = tally_open(LAB_WORKERS_MAX + 1);
    if (!arena->tallies)
        return fail(arena, "no shared memory");
    if (open_link(arena) < 0 || open_doors_in_place(arena) < 0 || open_channels(arena) < 0)
        return -1;
    return start_all(arena);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void arena_close(struct arena *arena)
{
    for (unsigned i = 0; i <= LAB_WORKERS_MAX; i++)
        end_process(arena, i);
    if (arena->strategy->release)
        arena->strategy->release(arena);
    close_doors(arena);
    wire_close(&arena->link);
    for (unsigned i = 0; i < LAB_WORKERS_MAX; i++) {
        close_fd(&arena->channels[i]);
        close_fd(&arena->ends[i]);
    }
    tally_close(arena->tallies, LAB_WORKERS_MAX + 1);
    arena->tallies = NULL;
}

bool arena_settle(const struct arena *arena, int timeout_ms)
{
    return account_settle(arena->pids, LAB_WORKERS_MAX + 1, timeout_ms);
}

/* ------------------------------------------------------------------------- stall and death */

static void tell_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    if (arena->strategy->on_stall)
        arena->strategy->on_stall(arena, slot, is_stalled);
}

/* Sends it, and waits until waitpid(2) reports the change. */
static int signal_and_wait(struct arena *arena, unsigned slot, int signal, int options)
{
    pid_t pid = arena->pids[slot];
    if (kill(pid, signal) < 0)
        return -1;
    pid_t seen;
    do
        seen = waitpid(pid, NULL, options);
    while (seen < 0 && errno == EINTR);
    return seen == pid ? 0 : -1;
}

int arena_stop(struct arena *arena, unsigned slot, bool tell)
{
    if (signal_and_wait(arena, slot, SIGSTOP, WUNTRACED) < 0)
        return fail(arena, "worker %u cannot be stopped", slot);
    if (tell)
        tell_stall(arena, slot, true);
    return 0;
}

int arena_continue(struct arena *arena, unsigned slot)
{
    if (signal_and_wait(arena, slot, SIGCONT, WCONTINUED) < 0)
        return fail(arena, "worker %u cannot be continued", slot);
    tell_stall(arena, slot, false);
    return 0;
}

int arena_spin(struct arena *arena, unsigned slot, bool tell)
{
    atomic_store(&arena->tallies[slot].spin, 1);
    if (kill(arena->pids[slot], SIGUSR1) < 0)
        return fail(arena, "worker %u cannot be made to spin", slot);
    int64_t deadline = clock_ms() + START_MS;
    while (account_is_asleep(arena->pids[slot])) {
        if (clock_ms() > deadline) {
            errno = ETIMEDOUT;
            return fail(arena, "worker %u does not begin to spin", slot);
        }
        pause_us(50);
    }
    if (tell)
        tell_stall(arena, slot, true);
    return 0;
}

int arena_rest(struct arena *arena, unsigned slot)
{
    atomic_store(&arena->tallies[slot].spin, 0);
    tell_stall(arena, slot, false);
    return 0;
}

int arena_kill(struct arena *arena, unsigned slot)
{
    if (end_process(arena, slot) < 0)
        return fail(arena, "worker %u cannot be ended", slot);
    atomic_store(&arena->tallies[slot].open, 0);
    if (arena->strategy->on_end)
        arena->strategy->on_end(arena, slot);
    return 0;
}

int arena_respawn(struct arena *arena, unsigned slot)
{
    return start(arena, slot, run_worker);
}
