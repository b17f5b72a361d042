#include "lab/kernel/tracepoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

enum what {
    WAKING,
    WAKEUP,
    TRACEPOINTS, /* so many; what follows is no tracepoint */
    SWITCHES = TRACEPOINTS,
};

static const char *const id_paths[TRACEPOINTS] = {
    [WAKING] = "events/sched/sched_waking/id",
    [WAKEUP] = "events/sched/sched_wakeup/id",
};

/* Of one filter: a page is what the kernel takes (perf_event_set_filter()). A pid has seven digits
 * at most (PID_MAX_LIMIT), so a term of one pid has 14 bytes, one of two or more 30. */
#define FILTER_SIZE     4096
#define FILTER_PIDS_MAX 256
_Static_assert(FILTER_PIDS_MAX * 15 < FILTER_SIZE, "each pid must have its place");

struct tracepoint {
    size_t count;
    struct counter {
        int fd; /* owned */
        enum what what;
    } counters[];
};

/* ---- the tracepoint's number ------------------------------------------------------------------
 */

/* -1 with errno set. */
static long read_id_at(int folder, enum what what)
{
    char text[32];
    int fd = openat(folder, id_paths[what], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    int error = errno;
    close(fd);
    if (n <= 0) {
        errno = n < 0 ? error : EPROTO;
        return -1;
    }
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

static long read_id_below(const char *path, enum what what)
{
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    long id = read_id_at(folder, what);
    int error = errno;
    close(folder);
    errno = error;
    return id;
}

/* A tracefs that is mounted nowhere: it is gone with its descriptor, and nobody else sees it
 * (fsmount(2), Linux 5.2). */
static int mount_nowhere(void)
{
    int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    int folder = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        folder = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    int error = errno;
    close(context);
    errno = error;
    return folder;
}

static long read_id(enum what what)
{
    static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        long id = read_id_below(places[i], what);
        if (id >= 0 || errno == EACCES)
            return id;
    }
    int folder = mount_nowhere();
    if (folder < 0)
        return -1;
    long id = read_id_at(folder, what);
    int error = errno;
    close(folder);
    errno = error;
    return id;
}

/* ---- events -----------------------------------------------------------------------------------
 */

static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu)
{
    attr->size = sizeof *attr;
    return (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* How many from the first one on follow one another without a gap. */
static size_t run_length(const pid_t *pids, size_t count)
{
    size_t n = 1;
    while (n < count && pids[n] <= pids[n - 1] + 1)
        n++;
    return n;
}

/* Every wakeup of the whole system goes through the filter, a term costs some 5 ns of it, and most
 * pids, which must be in order, were given one after the other. */
static void write_filter(char filter[FILTER_SIZE], const pid_t *pids, size_t count)
{
    size_t n = 0;
    for (size_t at = 0, length; at < count; at += length) {
        const char * or = at > 0 ? "||" : "";
        length = run_length(pids + at, count - at);
        int first = (int)pids[at];
        int last = (int)pids[at + length - 1];
        n += (size_t)(first == last ? snprintf(filter + n, FILTER_SIZE - n, "%spid==%d", or, first)
                                    : snprintf(filter + n, FILTER_SIZE - n, "%s(pid>=%d&&pid<=%d)",
                                               or, first, last));
    }
}

/* It does not count yet. */
static int open_wakeup(long id, pid_t pid, int cpu)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT, .config = (uint64_t)id, .disabled = 1};
    return open_event(&attr, pid, cpu);
}

/*
 * The last event of a tracepoint that is closed waits for all CPUs, some 40 ms, and the next first
 * one patches the kernel's code again, some 10 ms. So one that never counts stays open until the
 * process ends. A failure costs time alone.
 */
static void keep_registered(long id, enum what what)
{
    static int keepers[TRACEPOINTS]; /* 0: none yet; standard input is another's */
    if (keepers[what] <= 0)
        keepers[what] = open_wakeup(id, 0, -1);
}

/* The filter must be there before it counts. */
static int open_wakeups(long id, int cpu, const char *filter)
{
    int fd = open_wakeup(id, -1, cpu);
    if (fd < 0)
        return -1;
    if (ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) == 0 &&
        ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void add(struct tracepoint *tracepoint, int fd, enum what what)
{
    tracepoint->counters[tracepoint->count++] = (struct counter){.fd = fd, .what = what};
}

/* One a CPU and filter. */
static int add_wakeups(struct tracepoint *tracepoint, enum what what, const pid_t *pids,
                       size_t count)
{
    char filter[FILTER_SIZE];
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    long id = read_id(what);
    if (id < 0)
        return -1;
    keep_registered(id, what);
    for (size_t at = 0; at < count; at += FILTER_PIDS_MAX) {
        size_t left = count - at;
        write_filter(filter, pids + at, left < FILTER_PIDS_MAX ? left : FILTER_PIDS_MAX);
        for (int cpu = 0; cpu < cpus; cpu++) {
            int fd = open_wakeups(id, cpu, filter);
            if (fd < 0 && errno == ENODEV) /* this CPU is not online */
                continue;
            if (fd < 0)
                return -1;
            add(tracepoint, fd, what);
        }
    }
    return 0;
}

/* One a process; those that it forks are in it. */
static int add_switches(struct tracepoint *tracepoint, const pid_t *pids, size_t count)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CONTEXT_SWITCHES, .inherit = 1};
    for (size_t i = 0; i < count; i++) {
        int fd = open_event(&attr, pids[i], -1);
        if (fd < 0)
            return -1;
        add(tracepoint, fd, SWITCHES);
    }
    return 0;
}

/* ---- opening and reading ----------------------------------------------------------------------
 */

/* The filter's pids are those of the first namespace (pid_namespaces(7)), whose number is fixed. */
static bool is_first_namespace(void)
{
    static const char first[] = "pid:[4026531836]";
    char text[sizeof first];
    ssize_t n = readlink("/proc/self/ns/pid", text, sizeof text);
    return n == sizeof first - 1 && memcmp(text, first, sizeof first - 1) == 0;
}

static const char *words_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return "no permission: it takes CAP_PERFMON, or kernel.perf_event_paranoid at 0 or below "
               "and a tracefs that may be read";
    case ENOENT:
    case ENODEV: return "this kernel has no tracefs, or no tracepoint sched:sched_waking";
    case ENOSYS: return "this kernel has no perf_event_open(2), or no tracefs is mounted";
    case EMFILE:
    case ENFILE: return "too few descriptors: it takes one a CPU and one a process";
    case ENOMEM: return "no memory";
    case ESRCH: return "a process is gone";
    default: return "perf_event_open(2) failed";
    }
}

static struct tracepoint *allocate(size_t count)
{
    size_t cpus = (size_t)sysconf(_SC_NPROCESSORS_CONF);
    size_t filters = (count + FILTER_PIDS_MAX - 1) / FILTER_PIDS_MAX;
    size_t counters = TRACEPOINTS * cpus * filters + count;
    return calloc(1, sizeof(struct tracepoint) + counters * sizeof(struct counter));
}

static int compare(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a;
    pid_t right = *(const pid_t *)b;
    return (left > right) - (left < right);
}

/* Those that are there, in order, for the caller to free: to perf_event_open(2), 0 is who calls. */
static pid_t *without_gaps(const pid_t *pids, size_t *count)
{
    pid_t *list = calloc(*count + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; list && i < *count; i++)
        if (pids[i] > 0)
            list[n++] = pids[i];
    if (list)
        qsort(list, n, sizeof *list, compare);
    *count = n;
    return list;
}

static struct tracepoint *open_all(const pid_t *pids, size_t count)
{
    struct tracepoint *tracepoint = allocate(count);
    if (tracepoint && add_wakeups(tracepoint, WAKING, pids, count) == 0 &&
        add_wakeups(tracepoint, WAKEUP, pids, count) == 0 &&
        add_switches(tracepoint, pids, count) == 0)
        return tracepoint;
    int error = errno;
    tracepoint_close(tracepoint);
    errno = error;
    return NULL;
}

struct tracepoint *tracepoint_open(const pid_t *pids, size_t count, const char **why)
{
    if (!is_first_namespace()) {
        *why = "this is a PID namespace of its own, and the tracepoint has other PIDs";
        return NULL;
    }
    pid_t *list = without_gaps(pids, &count);
    struct tracepoint *tracepoint = list ? open_all(list, count) : NULL;
    *why = words_of(errno);
    free(list);
    return tracepoint;
}

int tracepoint_read(const struct tracepoint *tracepoint, struct tracepoint_counts *counts)
{
    *counts = (struct tracepoint_counts){.wakeups = 0};
    uint64_t *const sums[] = {[WAKING] = &counts->wakeups,
                              [WAKEUP] = &counts->wakeups_told,
                              [SWITCHES] = &counts->switches};
    for (size_t i = 0; i < tracepoint->count; i++) {
        uint64_t value;
        ssize_t n = read(tracepoint->counters[i].fd, &value, sizeof value);
        if (n != sizeof value) {
            errno = n < 0 ? errno : EPROTO;
            return -1;
        }
        *sums[tracepoint->counters[i].what] += value;
    }
    return 0;
}

void tracepoint_close(struct tracepoint *tracepoint)
{
    if (!tracepoint)
        return;
    for (size_t i = 0; i < tracepoint->count; i++)
        close(tracepoint->counters[i].fd);
    free(tracepoint);
}
