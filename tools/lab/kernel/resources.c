#include "lab/kernel/resources.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Of a connection in the kernel and here: two sockets, since the client is on the same machine, and
 * their buffers, which are small as long as nobody sends much. */
#define CONNECTION_BYTES (16 * 1024)

/* Tasks and memory that are left to everybody else. */
#define SPARE_TASKS 256
#define SPARE_BYTES (UINT64_C(512) * 1024 * 1024)

/* Descriptors of one process at most: tables that have a place for each are no larger for that. */
#define NOFILE_MAX (UINT64_C(1) << 20)

/* The number in a file, or after `key` in it. "max", and what is not there: RESOURCES_ANY. */
static uint64_t read_number(const char *path, const char *key)
{
    uint64_t number = RESOURCES_ANY;
    char line[256];
    FILE *file = fopen(path, "re");
    if (!file)
        return RESOURCES_ANY;
    size_t length = strlen(key);
    while (number == RESOURCES_ANY && fgets(line, sizeof line, file))
        if (strncmp(line, key, length) != 0 || sscanf(line + length, "%" SCNu64, &number) != 1)
            number = RESOURCES_ANY;
    fclose(file);
    return number;
}

static uint64_t count_open(void)
{
    uint64_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 3;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 3; /* ".", "..", and the folder's own */
}

/* All tasks of the machine: "0.00 0.01 0.05 1/123 4567" (proc(5), loadavg). */
static uint64_t count_tasks(void)
{
    uint64_t count = 0;
    FILE *file = fopen("/proc/loadavg", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*s %*s %*s %*[0-9]/%" SCNu64, &count) != 1)
        count = 0;
    fclose(file);
    return count;
}

static void lower_tasks(struct resources *resources, uint64_t limit, uint64_t used, const char *by)
{
    if (limit == RESOURCES_ANY)
        return;
    uint64_t left = limit > used + SPARE_TASKS ? limit - used - SPARE_TASKS : 0;
    if (left >= resources->tasks)
        return;
    resources->tasks = left;
    resources->tasks_by = by;
}

/* This process's cgroup, of version 2 alone: one line, "0::/path". */
static void read_cgroup(struct resources *resources)
{
    char line[512];
    char limit[640];
    char used[640];
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return;
    if (fgets(line, sizeof line, file) && strncmp(line, "0::", 3) == 0) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(limit, sizeof limit, "/sys/fs/cgroup%s/pids.max", line + 3);
        snprintf(used, sizeof used, "/sys/fs/cgroup%s/pids.current", line + 3);
        uint64_t current = read_number(used, "");
        lower_tasks(resources, read_number(limit, ""), current == RESOURCES_ANY ? 0 : current,
                    "the cgroup's pids.max");
    }
    fclose(file);
}

static uint64_t soft_limit(__rlimit_resource_t what)
{
    struct rlimit limit;
    if (getrlimit(what, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return RESOURCES_ANY;
    return limit.rlim_cur;
}

void resources_read(struct resources *resources)
{
    uint64_t used = count_open();
    uint64_t tasks = count_tasks();
    uint64_t kib = read_number("/proc/meminfo", "MemAvailable:");
    *resources = (struct resources){.nofile = soft_limit(RLIMIT_NOFILE),
                                    .tasks = RESOURCES_ANY,
                                    .signals = soft_limit(RLIMIT_SIGPENDING),
                                    .maps = read_number("/proc/sys/vm/max_map_count", ""),
                                    .memory = kib == RESOURCES_ANY ? kib : kib * 1024};
    resources->descriptors = resources->nofile > used ? resources->nofile - used : 0;
    lower_tasks(resources, soft_limit(RLIMIT_NPROC), tasks, "RLIMIT_NPROC");
    lower_tasks(resources, read_number("/proc/sys/kernel/pid_max", ""), tasks, "kernel.pid_max");
    lower_tasks(resources, read_number("/proc/sys/kernel/threads-max", ""), tasks,
                "kernel.threads-max");
    read_cgroup(resources);
}

int resources_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    limit.rlim_cur = limit.rlim_max < NOFILE_MAX ? limit.rlim_max : NOFILE_MAX;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

/* ------------------------------------------------------------------------------ the bounds */

void bound_lower(struct bound *bound, uint64_t connections, const char *format, ...)
{
    if (connections >= bound->connections)
        return;
    va_list args;
    va_start(args, format);
    bound->connections = connections;
    vsnprintf(bound->words, sizeof bound->words, format, args);
    va_end(args);
}

/* What is left of the memory for so many bytes a connection. */
static void lower_by_memory(struct bound *bound, const struct resources *resources, uint64_t bytes)
{
    if (resources->memory == RESOURCES_ANY)
        return;
    uint64_t left = resources->memory > SPARE_BYTES ? resources->memory - SPARE_BYTES : 0;
    bound_lower(bound, left / bytes, "memory ends it at %" PRIu64 " connections of %" PRIu64 " KiB",
                left / bytes, bytes / 1024);
}

void bound_of_process(struct bound *bound, const struct resources *resources)
{
    *bound = (struct bound){.connections = RESOURCES_ANY};
    uint64_t left = resources->descriptors > RESOURCES_SPARE_DESCRIPTORS
                        ? resources->descriptors - RESOURCES_SPARE_DESCRIPTORS
                        : 0;
    bound_lower(bound, left,
                "a process ends at %" PRIu64 " descriptors (RLIMIT_NOFILE), %" PRIu64
                " of them for connections",
                resources->nofile, left);
    lower_by_memory(bound, resources, CONNECTION_BYTES);
}

void bound_by_tasks(struct bound *bound, const struct resources *resources, const char *what,
                    uint64_t bytes)
{
    bound_lower(bound, resources->tasks, "%s end at %" PRIu64 " (%s)", what, resources->tasks,
                resources->tasks_by ? resources->tasks_by : "no limit");
    lower_by_memory(bound, resources, CONNECTION_BYTES + bytes);
}
