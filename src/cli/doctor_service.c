#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "os/net.h"

/* The first descriptor of LISTEN_FDS, sd_listen_fds(3). */
#define SOCKETS_FROM 3

#define US_PER_S 1e6

static const char *unit_of(const struct probe_service *s)
{
    return *s->unit ? s->unit : "UNIT";
}

static bool is_for_others(pid_t pid)
{
    return pid != 0 && pid != getpid();
}

bool doctor_has_sockets(const struct doctor *d)
{
    return d->service.socket_count > 0 && !is_for_others(d->service.socket_pid);
}

static void add_manager(struct doctor *d)
{
    const struct probe_service *s = &d->service;
    struct finding *f = findings_add(&d->findings, "service manager");
    if (s->is_invoked && *s->unit) {
        finding_found(f, "this is a process of %s", s->unit);
        finding_means(f, "what follows is what that unit gives");
    } else if (s->runs_systemd) {
        finding_found(f, "systemd, which has not started this process");
        finding_means(f,
                      "what follows is what a start by hand gets. To see what a unit gives, have "
                      "drover doctor as its ExecStart= for once (systemctl edit), and read the "
                      "journal");
    } else {
        finding_found(f, "none is known");
        finding_means(f, "drover needs none");
    }
}

static void add_notify(struct doctor *d)
{
    const struct probe_service *s = &d->service;
    struct finding *f = findings_add(&d->findings, "notify socket");
    if (!s->notify) {
        finding_found(f, "none");
        finding_means(f,
                      "nobody is told when drover is ready, reloads or stops, but by its log and "
                      "--ready-fd");
        if (!s->is_invoked || !*s->unit)
            return;
        f->grade = GRADE_NOTE;
        finding_change(f, "Type=notify in %s", s->unit);
        return;
    }
    finding_found(f, "%.120s", s->notify);
    finding_means(f, "the service manager is told when drover is ready, reloads and stops");
    if (s->notify_cause == 0)
        return;
    f->grade = GRADE_NOTE;
    finding_found(f, "%.120s, which cannot be reached (%s)", s->notify, strerror(s->notify_cause));
    finding_means(f, "the service manager is told nothing, and may take drover for never ready");
    finding_change(f, "AF_UNIX in RestrictAddressFamilies=; that path to be seen by the service");
}

/* A socket a slot and TCP address, and one a unix address. */
static int64_t stored_wanted(const struct settings *s)
{
    int64_t wanted = 0;
    for (int i = 0; i < s->address_count; i++)
        wanted += net_is_shared(&s->addresses[i]) ? 1 : s->workers;
    return wanted;
}

static void add_store(struct doctor *d)
{
    const struct probe_service *s = &d->service;
    long long wanted = stored_wanted(d->settings);
    struct finding *f = findings_add(&d->findings, "descriptor store");
    if (s->stored_max >= 0)
        finding_found(f, "room for %lld descriptors", (long long)s->stored_max);
    else
        finding_found(f, s->notify ? "not told" : "none");
    if (doctor_has_sockets(d)) {
        finding_means(f, "activated sockets outlive a restart without it");
    } else if (!s->notify) {
        finding_means(f, "the sockets end with drover, and clients that come while it is restarted "
                         "are refused");
    } else if (s->stored_max < 0) {
        f->grade = GRADE_NOTE;
        finding_means(f,
                      "systemd says so from version 254 on, where there is one; an older one does "
                      "not, and it cannot be known from inside");
        finding_change(f,
                       "systemctl show -p NFileDescriptorStore,FileDescriptorStoreMax %s: the "
                       "second is to be %lld at least",
                       unit_of(s), wanted);
    } else if (s->stored_max < wanted) {
        f->grade = GRADE_NOTE;
        finding_means(f,
                      "drover has %lld sockets, and those without room end with it: clients that "
                      "wait there are lost in a restart",
                      wanted);
        finding_change(f, "FileDescriptorStoreMax=%lld in %s", wanted, unit_of(s));
    } else {
        finding_means(f,
                      "enough for %lld sockets, which outlive a restart, and clients wait in them",
                      wanted);
    }
}

static void add_watchdog(struct doctor *d)
{
    const struct probe_service *s = &d->service;
    struct finding *f = findings_add(&d->findings, "watchdog");
    if (s->watchdog_us == 0) {
        finding_found(f, "none");
        finding_means(f, "the master ends workers that hang; nobody ends a master that does");
        if (s->is_invoked && *s->unit)
            finding_change(f, "WatchdogSec=10s in %s, where that is wanted", s->unit);
        return;
    }
    finding_found(f, "every %g s", (double)s->watchdog_us / US_PER_S);
    finding_means(f, "the service manager restarts drover when it gives no sign of life");
    if (!is_for_others(s->watchdog_pid))
        return;
    f->grade = GRADE_NOTE;
    finding_found(f, "every %g s, of process %d", (double)s->watchdog_us / US_PER_S,
                  (int)s->watchdog_pid);
    finding_means(f, "WATCHDOG_PID is not this process (%d), which gives no sign of life then",
                  (int)getpid());
    finding_change(f, "drover itself, and no shell before it, as ExecStart=");
}

/* ------------------------------------------------------------------------ activated sockets */

/* Adds "NAME ADDRESS" of one; `names` is what is left of LISTEN_FDNAMES. False: it is no listener.
 */
static bool add_socket(char *text, size_t size, int fd, const char *names)
{
    char where[NET_TEXT_SIZE];
    struct net_address address;
    size_t used = strlen(text), n = strcspn(names, ":");
    bool listens = net_of_listener(fd, &address) == 0;
    if (listens)
        net_text(&address, where);
    else
        snprintf(where, sizeof where, "descriptor %d is no listener (%s)", fd, strerror(errno));
    snprintf(text + used, size - used, "%s%.*s%s%s", used > 0 ? ", " : "", (int)n, names,
             n > 0 ? " " : "", where);
    return listens;
}

static bool list_sockets(const struct probe_service *s, char *text, size_t size)
{
    const char *names = s->socket_names ? s->socket_names : "";
    bool all_listen = true;
    for (int64_t i = 0; i < s->socket_count && strlen(text) + 1 < size; i++) {
        if (!add_socket(text, size, SOCKETS_FROM + (int)i, names))
            all_listen = false;
        names += strcspn(names, ":");
        names += *names == ':';
    }
    return all_listen;
}

static void add_sockets(struct doctor *d)
{
    const struct probe_service *s = &d->service;
    char text[FINDING_TEXT_SIZE - 32] = "";
    struct finding *f = findings_add(&d->findings, "activated sockets");
    if (s->socket_count == 0) {
        finding_found(f, "none");
        finding_means(f, "drover opens its own");
    } else if (is_for_others(s->socket_pid)) {
        f->grade = GRADE_NOTE;
        finding_found(f, "%lld, for process %d", (long long)s->socket_count, (int)s->socket_pid);
        finding_means(f, "LISTEN_PID is not this process (%d), which takes none then",
                      (int)getpid());
        finding_change(f, "drover itself, and no shell before it, as ExecStart=");
    } else if (list_sockets(s, text, sizeof text)) {
        finding_found(f, "%lld (%s)", (long long)s->socket_count, text);
        finding_means(f, "they stay open while drover is restarted");
    } else {
        f->grade = GRADE_NOTE;
        finding_found(f, "%lld (%s)", (long long)s->socket_count, text);
        finding_means(f, "drover serves stream sockets that listen, alone");
        finding_change(f, "ListenStream= and Accept=no in the .socket unit");
    }
}

static void add_journal(struct doctor *d)
{
    struct finding *f = findings_add(&d->findings, "journal");
    if (d->service.is_journal) {
        finding_found(f, "stderr goes there");
        finding_means(f, "the log's lines have its priorities, and no time of their own");
    } else {
        finding_found(f, "stderr does not go there");
        finding_means(f, "the log's lines begin with the time");
    }
}

void doctor_service(struct doctor *d)
{
    add_manager(d);
    add_notify(d);
    add_store(d);
    add_watchdog(d);
    add_sockets(d);
    add_journal(d);
}
