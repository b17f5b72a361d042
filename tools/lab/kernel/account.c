#include "lab/kernel/account.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Bytes of a file below /proc/PID: `status` has some 1500, and lists all supplementary groups. */
#define TEXT_SIZE 16384

/* "/proc/PID/task/TID/schedstat" with the longest numbers. */
#define PATH_SIZE 64

/* Microseconds between two looks, while some process runs or has just been woken. */
#define LOOK_MIN_US 100
#define LOOK_MAX_US 500

/* Of one thread. */
struct sleeper {
    char state; /* as proc_pid_status(5) has it */
    unsigned threads;
    uint64_t voluntary;
    uint64_t involuntary;
};

/* Returns 0, or -1 with errno set: ESRCH when who it is about is gone. */
static int read_text(const char *path, char text[TEXT_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    size_t length = 0;
    ssize_t n;
    do {
        n = read(fd, text + length, TEXT_SIZE - 1 - length);
        length += n > 0 ? (size_t)n : 0;
    } while (n > 0 && length < TEXT_SIZE - 1);
    int error = n < 0 ? errno : EOVERFLOW;
    close(fd);
    text[length] = '\0';
    if (n == 0)
        return 0;
    errno = error;
    return -1;
}

/* What stands behind a line's name and its colon; NULL if there is no such line. */
static const char *value_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    if (!at)
        return NULL;
    at += strlen(name);
    return at + strspn(at, " \t");
}

static int parse_status(const char *text, struct sleeper *sleeper)
{
    const char *state = value_of(text, "\nState:");
    const char *threads = value_of(text, "\nThreads:");
    const char *voluntary = value_of(text, "\nvoluntary_ctxt_switches:");
    const char *involuntary = value_of(text, "\nnonvoluntary_ctxt_switches:");
    if (!state || !voluntary || !involuntary) {
        errno = EPROTO;
        return -1;
    }
    sleeper->state = *state;
    /* A process that has ended, and was not waited for yet, has no such line. */
    sleeper->threads = threads ? (unsigned)strtoul(threads, NULL, 10) : 1;
    sleeper->voluntary = strtoull(voluntary, NULL, 10);
    sleeper->involuntary = strtoull(involuntary, NULL, 10);
    return 0;
}

static int read_status(const char *path, struct sleeper *sleeper)
{
    char text[TEXT_SIZE];
    return read_text(path, text) < 0 ? -1 : parse_status(text, sleeper);
}

/* Calls it for each thread that is still there. Stops at a call that returns less than 0. */
typedef int thread_fn(const char *folder, void *context);

static int each_thread(pid_t pid, thread_fn *fn, void *context)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (!tasks) {
        errno = errno == ENOENT ? ESRCH : errno;
        return -1;
    }
    int result = 0;
    for (const struct dirent *entry; result == 0 && (entry = readdir(tasks));) {
        if (!isdigit((unsigned char)*entry->d_name))
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.16s", (int)pid, entry->d_name);
        result = fn(path, context);
        if (result < 0 && errno == ESRCH) /* this thread has ended meanwhile */
            result = 0;
    }
    int error = errno;
    closedir(tasks);
    errno = error;
    return result;
}

/* Where account_threads() puts them. */
struct tid_list {
    pid_t *tids;
    size_t size;
    size_t count;
};

static int add_tid(const char *folder, void *context)
{
    struct tid_list *list = context;
    if (list->count < list->size)
        list->tids[list->count] = (pid_t)strtol(strrchr(folder, '/') + 1, NULL, 10);
    list->count++;
    return 0;
}

size_t account_threads(pid_t pid, pid_t *tids, size_t size)
{
    struct tid_list list = {.tids = tids, .size = size};
    return each_thread(pid, add_tid, &list) < 0 ? 0 : list.count;
}

/* The whole process's: threads that have ended are in it. */
static int read_cpu(pid_t pid, struct account *account)
{
    clockid_t clock;
    struct timespec t;
    int error = clock_getcpuclockid(pid, &clock);
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (clock_gettime(clock, &t) < 0) {
        errno = errno == EINVAL ? ESRCH : errno; /* it is gone since */
        return -1;
    }
    account->cpu_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    return 0;
}

/* Fields 14 and 15. The second one is the name in brackets, and may have any byte in it. */
static int read_ticks(pid_t pid, struct account *account)
{
    char path[PATH_SIZE];
    char text[TEXT_SIZE];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_text(path, text) < 0)
        return -1;
    const char *name_end = strrchr(text, ')');
    unsigned long long user;
    unsigned long long system;
    if (!name_end || sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                            &user, &system) != 2) {
        errno = EPROTO;
        return -1;
    }
    account->user_ticks = user;
    account->system_ticks = system;
    return 0;
}

static int read_resident(pid_t pid, struct account *account)
{
    char path[PATH_SIZE];
    char text[TEXT_SIZE];
    unsigned long long pages;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (read_text(path, text) < 0)
        return -1;
    if (sscanf(text, "%*u %llu", &pages) != 1) {
        errno = EPROTO;
        return -1;
    }
    account->resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return 0;
}

/* Without CONFIG_SCHED_INFO there is no such file, and no delay. */
static int add_delay(const char *folder, struct account *account)
{
    char path[PATH_SIZE];
    char text[TEXT_SIZE];
    unsigned long long delay;
    snprintf(path, sizeof path, "%s/schedstat", folder);
    if (read_text(path, text) < 0)
        return errno == ESRCH ? 0 : -1;
    if (sscanf(text, "%*u %llu", &delay) == 1)
        account->delay_ns += delay;
    return 0;
}

static int add_thread(const char *folder, void *context)
{
    struct account *account = context;
    char path[PATH_SIZE];
    struct sleeper sleeper;
    snprintf(path, sizeof path, "%s/status", folder);
    if (read_status(path, &sleeper) < 0)
        return -1;
    account->voluntary += sleeper.voluntary;
    account->involuntary += sleeper.involuntary;
    return add_delay(folder, account);
}

int account_read(pid_t pid, struct account *account)
{
    *account = (struct account){0};
    if (read_cpu(pid, account) < 0 || read_ticks(pid, account) < 0 ||
        read_resident(pid, account) < 0)
        return -1;
    return each_thread(pid, add_thread, account);
}

void account_add(struct account *sum, const struct account *one)
{
    sum->voluntary += one->voluntary;
    sum->involuntary += one->involuntary;
    sum->cpu_ns += one->cpu_ns;
    sum->user_ticks += one->user_ticks;
    sum->system_ticks += one->system_ticks;
    sum->delay_ns += one->delay_ns;
    sum->resident += one->resident;
}

void account_subtract(struct account *sum, const struct account *one)
{
    sum->voluntary -= one->voluntary;
    sum->involuntary -= one->involuntary;
    sum->cpu_ns -= one->cpu_ns;
    sum->user_ticks -= one->user_ticks;
    sum->system_ticks -= one->system_ticks;
    sum->delay_ns -= one->delay_ns;
}

/* What a look has found of a process. */
struct look {
    bool is_asleep;
    uint64_t sleeps; /* how often its threads have begun to sleep */
};

static int look_at_thread(const char *folder, void *context)
{
    struct look *look = context;
    char path[PATH_SIZE];
    struct sleeper sleeper;
    snprintf(path, sizeof path, "%s/status", folder);
    if (read_status(path, &sleeper) < 0)
        return -1;
    /* Asleep, stopped, traced, ended; 'D' is about to go on. */
    look->is_asleep &= strchr("StTZX", sleeper.state) != NULL;
    look->sleeps += sleeper.voluntary;
    return 0;
}

/* Most processes have one thread: one file is read of these. One that is gone sleeps for good. */
static struct look look_at(pid_t pid)
{
    char path[PATH_SIZE];
    struct sleeper sleeper;
    struct look look = {.is_asleep = true};
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (read_status(path, &sleeper) < 0) {
        look.is_asleep = errno == ESRCH;
        return look;
    }
    if (sleeper.threads > 1) {
        if (each_thread(pid, look_at_thread, &look) < 0 && errno != ESRCH)
            look.is_asleep = false;
        return look;
    }
    look.is_asleep = strchr("StTZX", sleeper.state) != NULL;
    look.sleeps = sleeper.voluntary;
    return look;
}

bool account_is_asleep(pid_t pid)
{
    return look_at(pid).is_asleep;
}

static uint64_t sleeps_of(const pid_t *pids, size_t count, bool *are_asleep)
{
    uint64_t sleeps = 0;
    *are_asleep = true;
    for (size_t i = 0; i < count && *are_asleep; i++) {
        if (pids[i] <= 0)
            continue;
        struct look look = look_at(pids[i]);
        *are_asleep = look.is_asleep;
        sleeps += look.sleeps;
    }
    return sleeps;
}

/*
 * Who sleeps at the second look, and has begun no sleep since the first one, slept at all times
 * between them; so there was a moment when all of them did. Their sum does for all of them, since
 * none of them ever sinks while its threads stay.
 */
bool account_settle(const pid_t *pids, size_t count, int timeout_ms)
{
    int64_t end = clock_us() + (int64_t)timeout_ms * 1000;
    bool were_asleep = false;
    uint64_t before = 0;
    for (useconds_t pause = LOOK_MIN_US;;
         pause = pause * 2 < LOOK_MAX_US ? pause * 2 : LOOK_MAX_US) {
        bool are_asleep;
        uint64_t now = sleeps_of(pids, count, &are_asleep);
        if (are_asleep && were_asleep && now == before)
            return true;
        if (clock_us() >= end)
            return false;
        were_asleep = are_asleep;
        before = now;
        usleep(pause);
    }
}
