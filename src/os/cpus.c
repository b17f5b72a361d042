#include "os/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int of_affinity(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    return CPU_COUNT(&set);
}

/* CPUs that a quota a period comes to. */
static int rounded_up(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return INT_MAX;
    long long cpus = (quota + period - 1) / period;
    return cpus > INT_MAX ? INT_MAX : (int)cpus;
}

static bool read_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(line, (int)size, f) != NULL;
    fclose(f);
    return got;
}

/* "200000 100000", or "max 100000" for no limit; cgroups(7), version 2. */
static int of_cgroup2(const char *group)
{
    char path[512], line[64];
    long long quota, period;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld %lld", &quota, &period) != 2)
        return INT_MAX;
    return rounded_up(quota, period);
}

/* Version 1 has a file each; -1 is no limit. */
static int of_cgroup1(const char *group)
{
    char path[512], line[64];
    long long quota, period;
    snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/cpu.cfs_quota_us", group);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld", &quota) != 1)
        return INT_MAX;
    snprintf(path, sizeof path, "/sys/fs/cgroup/cpu%s/cpu.cfs_period_us", group);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%lld", &period) != 1)
        return INT_MAX;
    return rounded_up(quota, period);
}

/* A line is "ID:CONTROLLERS:GROUP"; no controllers: version 2. */
static int of_group_line(char *line)
{
    char *rest = NULL;
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return INT_MAX;
    *controllers++ = '\0';
    *group++ = '\0';
    const char *tail = strcmp(group, "/") == 0 ? "" : group;
    if (!*controllers)
        return of_cgroup2(tail);
    for (char *one = strtok_r(controllers, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
        if (strcmp(one, "cpu") == 0)
            return of_cgroup1(tail);
    return INT_MAX;
}

static int of_quota(void)
{
    char line[512];
    int least = INT_MAX;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (!f)
        return INT_MAX;
    while (fgets(line, sizeof line, f)) {
        int cpus = of_group_line(line);
        least = cpus < least ? cpus : least;
    }
    fclose(f);
    return least;
}

int cpus_usable(void)
{
    int affinity = of_affinity();
    int quota = of_quota();
    int least = quota < affinity ? quota : affinity;
    return least > 0 ? least : 1;
}
