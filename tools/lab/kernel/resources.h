/*
 * resources - what this machine and this user still have for a server: descriptors, tasks, memory;
 * and how many connections come of that, with the reason in words.
 */
#ifndef DROVER_LAB_KERNEL_RESOURCES_H
#define DROVER_LAB_KERNEL_RESOURCES_H

#include <stdint.h>

/* Descriptors that a server needs beside connections: listener, epoll, eventfd, the pipe to its
 * supervisor; and those that the supervisor opens before it forks. */
#define RESOURCES_SPARE_DESCRIPTORS 16

/* A bound that there is not. */
#define RESOURCES_ANY UINT64_MAX

struct resources {
    uint64_t nofile;      /* RLIMIT_NOFILE */
    uint64_t descriptors; /* of these: not open yet in this process */
    uint64_t tasks;       /* processes and threads that may still be made */
    const char *tasks_by; /* what says so: "RLIMIT_NPROC", "kernel.pid_max"; static */
    uint64_t maps;        /* vm.max_map_count, mappings of one process */
    uint64_t signals;     /* RLIMIT_SIGPENDING, queued at one time, of this user */
    uint64_t memory;      /* bytes that are available (MemAvailable, proc(5)) */
};

/* How many connections a server can hold, and what it ends at. */
struct bound {
    uint64_t connections;
    char words[128]; /* "select(2) ends at 1024 descriptors (FD_SETSIZE)" */
};

/* Reads them; what cannot be read is RESOURCES_ANY. */
void resources_read(struct resources *resources);

/* The soft limit of descriptors becomes the hard one, or a million if that is less, for this
 * process and whom it forks. Returns 0, or -1 with errno set. */
int resources_raise(void);

/* Lowers the bound to so many, and says why (printf(3)'s format); nothing if it is lower already.
 */
void bound_lower(struct bound *bound, uint64_t connections, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The bound of a process that holds every connection itself. */
void bound_of_process(struct bound *bound, const struct resources *resources);

/* Every connection costs a task with so many bytes of memory; `what` in the plural. */
void bound_by_tasks(struct bound *bound, const struct resources *resources, const char *what,
                    uint64_t bytes);

#endif
