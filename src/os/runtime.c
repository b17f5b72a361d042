#include "os/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/proc.h"

#define NS_PER_MS 1000000

/* Nanoseconds that it ran, nanoseconds that it waited, and how often it was given a CPU. */
static int read_account(pid_t pid, struct runtime *runtime)
{
    char text[96], *at = text;
    if (proc_file(pid, "schedstat", text, sizeof text) < 0)
        return -1;
    runtime->ran_ms = (int64_t)(strtoull(at, &at, 10) / NS_PER_MS);
    runtime->waited_ms = (int64_t)(strtoull(at, &at, 10) / NS_PER_MS);
    if (strtoull(at, &at, 10) > 0)
        return 0;
    errno = ENOTSUP;
    return -1;
}

/* "PID (NAME) STATE ..": a name may have parentheses of its own. */
static int read_state(pid_t pid, struct runtime *runtime)
{
    char text[128];
    if (proc_file(pid, "stat", text, sizeof text) < 0)
        return -1;
    const char *end = strrchr(text, ')');
    runtime->is_runnable = end && strncmp(end, ") R", 3) == 0;
    return 0;
}

int runtime_read(pid_t pid, struct runtime *runtime)
{
    /* The state first: the account of one that sleeps then has all of its waits. */
    if (read_state(pid, runtime) < 0)
        return -1;
    return read_account(pid, runtime);
}

int64_t runtime_own_ms(const struct runtime *then, const struct runtime *now, int64_t elapsed_ms)
{
    int64_t own = now->is_runnable ? now->ran_ms - then->ran_ms
                                   : elapsed_ms - (now->waited_ms - then->waited_ms);
    if (own < 0)
        return 0;
    return own < elapsed_ms ? own : elapsed_ms;
}
