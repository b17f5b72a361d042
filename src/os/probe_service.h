/*
 * probe_service - what the service manager has given this process: variables of the environment
 * (sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3), systemd.exec(5)) and /proc. It looks,
 * and takes, sends or changes nothing.
 */
#ifndef DROVER_OS_PROBE_SERVICE_H
#define DROVER_OS_PROBE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A unit's name has at most 255 characters, systemd.unit(5). */
#define PROBE_UNIT_SIZE 256

/* Strings are of the environment. */
struct probe_service {
    bool runs_systemd;          /* it is the machine's, sd_booted(3) */
    char unit[PROBE_UNIT_SIZE]; /* the service that this process is of; "": none */
    bool is_invoked;            /* it was started as one, and is not merely a child of one */
    const char *notify;         /* NULL: there is no such socket */
    int notify_cause;           /* errno of reaching it; 0: it is there */
    int64_t stored_max;         /* descriptors that may be stored; -1: not told */
    int64_t watchdog_us;        /* 0: none */
    pid_t watchdog_pid;         /* whom it is for; 0: not told, so for this process */
    int64_t socket_count;       /* descriptors from 3 on; 0: none */
    pid_t socket_pid;           /* whom they are for; 0: not told */
    const char *socket_names;   /* NULL: none */
    bool is_journal;            /* stderr goes to the journal */
    int64_t seccomp_mode;       /* 0: none, 1: strict, 2: filters; -1: not told */
    int64_t seccomp_filters;    /* how many; -1: not told */
};

void probe_service_read(struct probe_service *service);

/* The unit of a line of /proc/PID/cgroup, cgroups(7): its last part, if that is a service. False:
 * none. */
bool probe_service_unit(const char *line, char unit[PROBE_UNIT_SIZE]);

#endif
