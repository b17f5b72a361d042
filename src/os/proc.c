#include "os/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Bytes of a status file: those of Linux 6.18 have 1,500, and its groups may be many. */
#define STATUS_SIZE 8192

static int read_path(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, size - 1);
    int saved = errno;
    close(fd);
    errno = saved;
    if (n < 0)
        return -1;
    text[n] = '\0';
    return 0;
}

int proc_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return read_path(path, text, size);
}

/* "NAME:  VALUE": the first one behind `at`; 0 when there is none, as a zombie has no memory. */
static uint64_t field_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void add_switches(struct proc *proc, const char *status)
{
    proc->voluntary += field_of(status, "\nvoluntary_ctxt_switches:");
    proc->involuntary += field_of(status, "\nnonvoluntary_ctxt_switches:");
}

static void add_switches_of(struct proc *proc, pid_t pid, const char *thread)
{
    char path[64], status[STATUS_SIZE];
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/status", (int)pid, thread);
    if (read_path(path, status, sizeof status) == 0)
        add_switches(proc, status);
}

/* A thread's own are counted in its own file alone. */
static void add_switches_of_all(struct proc *proc, pid_t pid)
{
    char path[64];
    const struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    while (threads && (entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            add_switches_of(proc, pid, entry->d_name);
    if (threads)
        closedir(threads);
}

static uint64_t cpu_us_of(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int proc_read(pid_t pid, struct proc *proc)
{
    char status[STATUS_SIZE];
    *proc = (struct proc){0};
    if (proc_file(pid, "status", status, sizeof status) < 0)
        return -1;
    proc->parent = (pid_t)field_of(status, "\nPPid:");
    const char *state = strstr(status, "\nState:\t");
    proc->is_stopped = state && (state[8] == 'T' || state[8] == 't');
    proc->rss = field_of(status, "\nVmRSS:") * 1024;
    proc->cpu_us = cpu_us_of(pid);
    if (field_of(status, "\nThreads:") > 1)
        add_switches_of_all(proc, pid);
    else
        add_switches(proc, status);
    return 0;
}

/* ------------------------------------------------------------------------------ descriptors */

static int open_if(const char *folder, const char *name, const char *target)
{
    char path[320], is[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ssize_t n = readlink(path, is, sizeof is - 1);
    if (n < 0)
        return -1;
    is[n] = '\0';
    return strcmp(is, target) == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

int proc_open(pid_t pid, const char *target)
{
    char folder[32];
    const struct dirent *entry;
    int fd = -1;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    DIR *all = opendir(folder);
    if (!all)
        return -1;
    while (fd < 0 && (entry = readdir(all)))
        fd = open_if(folder, entry->d_name, target);
    closedir(all);
    if (fd < 0)
        errno = ENOENT;
    return fd;
}
