#include "os/probe_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "os/notify.h"

/* A variable that is a whole number; -1: it is not there, or none. */
static int64_t number_in(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    return *end || errno ? -1 : number;
}

static int64_t positive_in(const char *name)
{
    int64_t number = number_in(name);
    return number > 0 ? number : 0;
}

/* A connected datagram socket has sent nothing: the service manager does not notice. */
static int reach(void)
{
    struct notify notify;
    if (notify_open(&notify) < 0)
        return errno;
    const struct sockaddr *to = (const struct sockaddr *)&notify.to;
    int cause = connect(notify.fd, to, notify.length) < 0 ? errno : 0;
    notify_close(&notify);
    return cause;
}

bool probe_service_unit(const char *line, char unit[PROBE_UNIT_SIZE])
{
    static const char suffix[] = ".service";
    const char *slash = strrchr(line, '/');
    size_t n = slash ? strcspn(slash + 1, "\n") : 0;
    if (n < sizeof suffix || n >= PROBE_UNIT_SIZE ||
        memcmp(slash + 1 + n - (sizeof suffix - 1), suffix, sizeof suffix - 1) != 0)
        return false;
    memcpy(unit, slash + 1, n);
    unit[n] = '\0';
    return true;
}

static void read_unit(struct probe_service *service)
{
    char line[4096];
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f))
        if (probe_service_unit(line, service->unit))
            break;
    if (f)
        fclose(f);
}

static void read_seccomp(struct probe_service *service)
{
    char line[512];
    long long number;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Seccomp: %lld", &number) == 1)
            service->seccomp_mode = number;
        else if (sscanf(line, "Seccomp_filters: %lld", &number) == 1)
            service->seccomp_filters = number;
    if (f)
        fclose(f);
}

void probe_service_read(struct probe_service *service)
{
    const char *notify = getenv("NOTIFY_SOCKET");
    if (notify && !*notify)
        notify = NULL;
    *service = (struct probe_service){
        .runs_systemd = access("/run/systemd/system", F_OK) == 0,
        .is_invoked = getenv("INVOCATION_ID") != NULL,
        .notify = notify,
        .stored_max = number_in("FDSTORE"),
        .watchdog_us = positive_in("WATCHDOG_USEC"),
        .watchdog_pid = (pid_t)positive_in("WATCHDOG_PID"),
        .socket_count = positive_in("LISTEN_FDS"),
        .socket_pid = (pid_t)positive_in("LISTEN_PID"),
        .socket_names = getenv("LISTEN_FDNAMES"),
        .is_journal = *log_prefix(LOG_INFO) != '\0',
        .seccomp_mode = -1,
        .seccomp_filters = -1,
    };
    if (notify)
        service->notify_cause = reach();
    read_unit(service);
    read_seccomp(service);
}
