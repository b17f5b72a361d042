#include "lab/models/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
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
#include "lab/kernel/pause.h"
#include "lab/kernel/pin.h"
#include "os/child.h"

/* Milliseconds: a server starts within one, unless a machine is short of CPUs. */
#define START_MS 5000

/* It has come to rest when nothing has moved in so many looks, a millisecond apart. */
#define STILL_LOOKS 4
#define SETTLE_MS   5000

/* Seconds that TCP_DEFER_ACCEPT waits for a client's request. */
#define DEFER_SECONDS 10

/* Children that are looked at to know what one has resident. */
#define CHILDREN_LOOKED_AT 8

static int fail(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The words, and behind them errno's. */
static int fail(struct host *host, const char *format, ...)
{
    int cause = errno;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(host->words, sizeof host->words, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof host->words)
        snprintf(host->words + n, sizeof host->words - (size_t)n, ": %s", strerror(cause));
    errno = cause;
    return -1;
}

/* -------------------------------------------------------------------------- in its process */

static int pin(void)
{
    cpu_set_t set;
    int last = pin_last();
    if (last < 0)
        return 0;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return -1;
    CPU_CLR((size_t)last, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

static void serve(const struct host *host, const struct settings *settings, pid_t supervisor,
                  struct server *server)
{
    sigset_t none;
    sigemptyset(&none);
    if (setpgid(0, 0) < 0 || child_tie(supervisor) < 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) < 0 || (settings->is_pinned && pin() < 0) ||
        server_open(server) < 0)
        server_fail(server, "cannot settle in: %s", strerror(errno));
    else
        host->model->run(server);
    if (server->counts->words[0] == '\0')
        server_fail(server, "it failed: %s", strerror(errno));
    _exit(EXIT_FAILURE);
}

/* ------------------------------------------------------------------------------ its start */

static int open_link(struct host *host, const struct settings *settings)
{
    const char *why;
    if (wire_open(&host->link, settings->wire, &why) < 0) {
        host->lacks = why;
        return fail(host, "%s", why);
    }
    wire_address(&host->link, &host->address);
    host->address.backlog = settings_backlog(settings);
    host->address.defer = settings->is_deferred;
    return 0;
}

static int open_door(struct host *host)
{
    host->door = net_bind(&host->address);
    if (host->door < 0)
        return -1;
    int flags = fcntl(host->door, F_GETFL);
    if (flags < 0 || fcntl(host->door, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return -1;
    return net_listen(host->door, &host->address, DEFER_SECONDS);
}

/* The listener is to be in the server's network namespace. */
static int open_door_in_place(struct host *host)
{
    if (wire_enter(&host->link) < 0)
        return fail(host, "the network namespace cannot be entered");
    int result = open_door(host);
    if (result < 0)
        fail(host, "a listener cannot be opened");
    if (wire_leave(&host->link) < 0)
        return fail(host, "the network namespace cannot be left");
    return result;
}

static int become_subreaper(struct host *host)
{
    int was = 0;
    if (prctl(PR_GET_CHILD_SUBREAPER, &was) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return fail(host, "prctl");
    host->was_subreaper = was != 0;
    return 0;
}

/* The byte of server_ready(); none when it has ended before. */
static int await_ready(struct host *host, int fd)
{
    char byte;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n = poll(&wait, 1, START_MS);
    if (n == 1 && read(fd, &byte, 1) == 1)
        return 0;
    errno = n == 0 ? ETIMEDOUT : ECHILD;
    return fail(host, "%s does not start (%s)", host->model->name, host->counts->words);
}

static int start(struct host *host, const struct settings *settings, uint64_t capacity)
{
    int ends[2];
    pid_t supervisor = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail(host, "pipe");
    pid_t pid = fork();
    if (pid == 0) {
        struct server server = {
            .door = host->door, .capacity = capacity, .counts = host->counts, .ready_fd = ends[1]};
        close(ends[0]);
        serve(host, settings, supervisor, &server);
    }
    close(ends[1]);
    if (pid > 0) {
        host->pid = pid;
        setpgid(pid, pid); /* whoever is first; it fails only when the other one has done it */
    }
    int result = pid < 0 ? fail(host, "fork") : await_ready(host, ends[0]);
    close(ends[0]);
    return result;
}

int host_open(struct host *host, const struct model *model, const struct settings *settings,
              uint64_t capacity)
{
    *host = (struct host){.model = model,
                          .link = {.home = -1, .server = -1, .client = -1},
                          .door = -1,
                          .was_subreaper = true};
    host->counts = server_counts_open();
    if (!host->counts)
        return fail(host, "no memory to share");
    if (become_subreaper(host) < 0 || open_link(host, settings) < 0 || open_door_in_place(host) < 0)
        return -1;
    return start(host, settings, capacity);
}

/* -------------------------------------------------------------------------------- its end */

/* One signal reaches all: a fork(2) that is under way sees it and begins anew, or its child is in
 * the group by then. To send it for each that is reaped would be quadratic. */
static void end_group(pid_t group)
{
    pid_t pid;
    kill(-group, SIGKILL);
    do
        pid = waitpid(-group, NULL, 0);
    while (pid > 0 || errno == EINTR);
}

void host_close(struct host *host)
{
    if (host->pid > 0)
        end_group(host->pid);
    if (host->door >= 0)
        close(host->door);
    wire_close(&host->link);
    if (!host->was_subreaper)
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    server_counts_close(host->counts);
    host->counts = NULL;
    host->pid = 0;
}

bool host_has_ended(struct host *host)
{
    int status;
    char how[64];
    if (waitpid(host->pid, &status, WNOHANG) != host->pid)
        return false;
    child_describe(status, how, sizeof how);
    snprintf(host->words, sizeof host->words, "%s has ended by itself: %s %.100s",
             host->model->name, how, host->counts->words);
    return true;
}

/* --------------------------------------------------------------------------- what is read */

/* Where each connection has a process, one that has ended is to be reaped: its times count then. */
static bool is_still(const struct host *host, uint64_t held)
{
    const struct server_counts *counts = host->counts;
    return counts->open == held && (counts->processes == 1 || counts->processes == held + 1);
}

bool host_settle(const struct host *host, uint64_t held)
{
    int64_t end = clock_ms() + SETTLE_MS;
    uint64_t answered = host->counts->answered;
    for (int still = 0; still < STILL_LOOKS; still++) {
        pause_us(1000);
        if (!is_still(host, held) || host->counts->answered != answered)
            still = -1;
        answered = host->counts->answered;
        if (clock_ms() > end)
            return false;
    }
    return true;
}

int host_usage(struct host *host, struct server_usage *usage)
{
    if (server_ask(host->pid, host->counts, usage) < 0)
        return fail(host, "the processes of %s do not tell what they have used", host->model->name);
    return 0;
}

/* "Pss" counts what n processes share as an n-th of it. */
static uint64_t proportional(pid_t pid)
{
    char path[64];
    char line[128];
    uint64_t kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
            break;
    fclose(file);
    return kib * 1024;
}

/* All children of a process weigh the same: some are looked at. */
static uint64_t children_proportional(pid_t pid)
{
    char path[64];
    int child;
    uint64_t sum = 0;
    unsigned looked_at = 0;
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    for (; fscanf(file, "%d", &child) == 1; count++)
        if (looked_at < CHILDREN_LOOKED_AT) {
            sum += proportional(child);
            looked_at++;
        }
    fclose(file);
    return looked_at > 0 ? sum / looked_at * count : 0;
}

uint64_t host_resident(const struct host *host)
{
    return proportional(host->pid) + children_proportional(host->pid);
}

uint64_t host_drops(const struct host *host)
{
    struct net_queue queue;
    return net_queue(host->door, &queue) == 0 ? queue.drops : 0;
}
