#include "os/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"

/* SD_LISTEN_FDS_START: behind the standard three. */
#define FIRST_FD 3

/* ---------------------------------------------------------------------------- the environment */

/* The last one is systemd's too, since 258: it names the process a second time. */
static void forget_variables(void)
{
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_PIDFDID");
}

/* 1: ours, 0: none or another's, -1: no number. */
static int is_for_us(const char *pid, char *why, size_t size)
{
    uint64_t value;
    if (!pid)
        return 0;
    if (span_to_u64(span_of(pid), &value))
        return value == (uint64_t)getpid();
    snprintf(why, size, "LISTEN_PID=%s is not a number", pid);
    errno = EINVAL;
    return -1;
}

static int parse_count(const char *text, size_t *count, char *why, size_t size)
{
    uint64_t value;
    errno = EINVAL;
    if (!span_to_u64(span_of(text), &value)) {
        snprintf(why, size, "LISTEN_FDS=%s is not a number", text ? text : "");
        return -1;
    }
    if (value > INHERIT_MAX) {
        snprintf(why, size, "LISTEN_FDS=%s is more than %d", text, INHERIT_MAX);
        return -1;
    }
    *count = (size_t)value;
    return 0;
}

/* Cuts `names` at its colons. */
static int name_entries(struct inherit *in, char *names, char *why, size_t size)
{
    size_t named = 0;
    for (char *name; (name = strsep(&names, ":")); named++)
        if (named < in->count)
            in->entries[named].name = name;
    if (named <= in->count)
        return 0;
    snprintf(why, size, "LISTEN_FDNAMES has %zu names for %zu descriptors", named, in->count);
    errno = EINVAL;
    return -1;
}

static int guard_entries(const struct inherit *in, char *why, size_t size)
{
    for (size_t i = 0; i < in->count; i++) {
        if (fcntl(in->entries[i].fd, F_SETFD, FD_CLOEXEC) == 0)
            continue;
        snprintf(why, size, "LISTEN_FDS: descriptor %d (%s) is not open", in->entries[i].fd,
                 in->entries[i].name);
        return -1;
    }
    return 0;
}

static int fill(struct inherit *in, size_t count, const char *names, char *why, size_t size)
{
    in->entries = calloc(count, sizeof *in->entries);
    in->names = names && *names ? strdup(names) : NULL;
    if (!in->entries || (names && *names && !in->names)) {
        snprintf(why, size, "LISTEN_FDS");
        return -1;
    }
    in->count = count;
    for (size_t i = 0; i < count; i++)
        in->entries[i] = (struct inherit_entry){.fd = FIRST_FD + (int)i, .name = "unknown"};
    if (in->names && name_entries(in, in->names, why, size) < 0)
        return -1;
    return guard_entries(in, why, size);
}

static int take(struct inherit *in, char *why, size_t size)
{
    size_t count;
    int ours = is_for_us(getenv("LISTEN_PID"), why, size);
    if (ours <= 0)
        return ours;
    if (parse_count(getenv("LISTEN_FDS"), &count, why, size) < 0)
        return -1;
    return count == 0 ? 0 : fill(in, count, getenv("LISTEN_FDNAMES"), why, size);
}

int inherit_take(struct inherit *inherit, char *why, size_t size)
{
    *inherit = (struct inherit){.count = 0};
    int status = take(inherit, why, size);
    int saved = errno;
    if (status < 0)
        inherit_free(inherit);
    forget_variables();
    errno = saved;
    return status;
}

void inherit_free(struct inherit *inherit)
{
    free(inherit->entries);
    free(inherit->names);
    *inherit = (struct inherit){.count = 0};
}

/* --------------------------------------------------------------------------------- the handing */

/* Those at 3, 4, .. are to be overwritten. */
static bool is_in_the_way(int fd, size_t count)
{
    return fd >= FIRST_FD && (size_t)fd < FIRST_FD + count;
}

static int move_up(int *fd, size_t count)
{
    if (!is_in_the_way(*fd, count))
        return 0;
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FD + (int)count);
    if (moved < 0)
        return -1;
    *fd = moved;
    return 0;
}

/* All are moved first, since each may stand where an earlier one belongs. */
int inherit_place(struct inherit_entry *entries, size_t count, int *report)
{
    if (count > INHERIT_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (move_up(report, count) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (move_up(&entries[i].fd, count) < 0)
            return -1;
    for (size_t i = 0; i < count; i++) {
        int at = FIRST_FD + (int)i; /* never its own place: the copy is not close-on-exec */
        if (dup2(entries[i].fd, at) < 0)
            return -1;
        entries[i].fd = at;
    }
    return 0;
}

static char *join_names(const struct inherit_entry *entries, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(entries[i].name) + 1;
    char *text = malloc(size), *at = text;
    if (!text)
        return NULL;
    *at = '\0';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = ':';
        at = stpcpy(at, entries[i].name);
    }
    return text;
}

static int set_number(const char *name, unsigned long number)
{
    char text[24];
    snprintf(text, sizeof text, "%lu", number);
    return setenv(name, text, 1);
}

static int set_variables(const struct inherit_entry *entries, size_t count, char *const extra[])
{
    char *names = join_names(entries, count);
    if (!names)
        return -1;
    forget_variables();
    int status = setenv("LISTEN_FDNAMES", names, 1);
    free(names);
    if (status < 0 || set_number("LISTEN_FDS", count) < 0 ||
        set_number("LISTEN_PID", (unsigned long)getpid()) < 0)
        return -1;
    for (; extra && *extra; extra++)
        if (putenv(*extra) != 0)
            return -1;
    return 0;
}

int inherit_exec(const char *path, char *const argv[], struct inherit_entry *entries, size_t count,
                 char *const extra[], int *report)
{
    if (inherit_place(entries, count, report) < 0 || set_variables(entries, count, extra) < 0)
        return -1;
    return execv(path, argv);
}
