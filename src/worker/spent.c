#include "worker/spent.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

#define MIB (UINT64_C(1024) * 1024)

static uint64_t moved(uint64_t limit, uint64_t random)
{
    uint64_t tenth = limit / 10;
    return limit - tenth + random % (2 * tenth + 1);
}

void spent_open(struct spent *spent, uint64_t max_requests, uint64_t max_rss, uint64_t random)
{
    *spent = (struct spent){
        .max_requests = moved(max_requests, random), .max_rss = max_rss, .statm = -1};
    if (max_rss > 0)
        spent->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

void spent_close(struct spent *spent)
{
    if (spent->statm >= 0)
        close(spent->statm);
    spent->statm = -1;
}

/* Bytes; 0 where it is not known. */
static uint64_t resident(const struct spent *spent)
{
    char text[128];
    unsigned long long pages = 0;
    ssize_t n = pread(spent->statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%*u %llu", &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* As the option has it: the largest unit that leaves a whole number. */
static void print_size(uint64_t bytes, char *text, size_t size)
{
    static const struct {
        uint64_t bytes;
        const char *name;
    } units[] = {{1024 * MIB, "g"}, {MIB, "m"}, {1024, "k"}, {1, ""}};
    int i = 0;
    while (bytes % units[i].bytes != 0)
        i++;
    snprintf(text, size, "%llu%s", (unsigned long long)(bytes / units[i].bytes), units[i].name);
}

static bool has_grown(struct spent *spent, int64_t now, char *why, size_t size)
{
    char limit[32];
    spent->is_stirred = true;
    if (now < spent->look_at)
        return false;
    spent->is_stirred = false;
    spent->look_at = now + RSS_LOOK_MS;
    uint64_t bytes = resident(spent);
    if (bytes <= spent->max_rss)
        return false;
    print_size(spent->max_rss, limit, sizeof limit);
    snprintf(why, size, "has %llu MiB resident (--max-rss %s)", (unsigned long long)(bytes / MIB),
             limit);
    return true;
}

bool spent_look(struct spent *spent, uint64_t requests, int64_t now, char *why, size_t size)
{
    if (spent->max_requests > 0 && requests >= spent->max_requests) {
        snprintf(why, size, "has answered %llu requests (--max-requests)",
                 (unsigned long long)requests);
        return true;
    }
    return spent->statm >= 0 && has_grown(spent, now, why, size);
}

int64_t spent_next(const struct spent *spent)
{
    return spent->is_stirred ? spent->look_at : CLOCK_NEVER;
}
