#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "config/descriptors.h"
#include "os/cpus.h"
#include "os/probe_kernel.h"
#include "os/probe_net.h"

/* ---------------------------------------------------------------------------- the listeners */

static int backlog_of(const struct settings *s)
{
    int most = 1;
    for (int i = 0; i < s->address_count; i++)
        if (s->addresses[i].backlog > most)
            most = s->addresses[i].backlog;
    return most;
}

static void add_backlog(struct doctor *d)
{
    int wanted = backlog_of(d->settings);
    struct finding *f = findings_add(&d->findings, "backlog");
    struct probe probe = probe_try(probe_backlog, wanted);
    if (probe.verdict == PROBE_YES) {
        finding_found(f, "%d, as --listen asks for", wanted);
        finding_means(f, "so many clients may wait at each listener to be accepted");
        return;
    }
    f->grade = GRADE_NOTE;
    if (probe.verdict == PROBE_UNKNOWN || probe.signal) {
        probe_describe(&probe, f->found, sizeof f->found);
        finding_means(f, "how many clients may wait is not known");
        return;
    }
    finding_found(f, "%lld of the %d that --listen asks for", (long long)probe.value, wanted);
    finding_means(f, "net.core.somaxconn cuts it; a client that comes while so many wait at a "
                     "listener tries again after a second");
    finding_change(f, "sysctl -w net.core.somaxconn=%d, and for good a file in /etc/sysctl.d",
                   wanted);
}

static uint16_t port_of(const struct net_address *a)
{
    struct sockaddr_in in; /* the port is at the same place in both families */
    memcpy(&in, &a->storage, sizeof in);
    return ntohs(in.sin_port);
}

/* The first address whose port is below; NULL: none. */
static const struct net_address *low_port(const struct net_address *list, int count, int64_t first)
{
    for (int i = 0; i < count; i++) {
        const struct net_address *a = &list[i];
        if (!net_is_shared(a) && !net_is_name(a) && !a->any_port && port_of(a) < first)
            return a;
    }
    return NULL;
}

static void add_low_ports(struct doctor *d)
{
    char text[NET_TEXT_SIZE];
    struct finding *f = findings_add(&d->findings, "low ports");
    struct probe start = probe_try(probe_unprivileged_port, 0);
    struct probe right = probe_try(probe_capability, CAP_NET_BIND_SERVICE);
    int64_t first = start.verdict == PROBE_YES ? start.value : IPPORT_RESERVED;
    const struct settings *s = d->settings;
    const char *option = "listen";
    const struct net_address *low = NULL;
    if (!doctor_has_sockets(d))
        low = low_port(s->addresses, s->address_count, first);
    if (!low) {
        low = low_port(s->admin, s->admin_count, first);
        option = "admin";
    }
    if (right.verdict == PROBE_YES || first == 0) {
        finding_found(f, "all ports");
        finding_means(f, "%s",
                      first == 0 ? "net.ipv4.ip_unprivileged_port_start is 0"
                                 : "CAP_NET_BIND_SERVICE is there");
        return;
    }
    finding_found(f, "ports from %lld on, without CAP_NET_BIND_SERVICE", (long long)first);
    finding_means(f, "--listen takes no lower one");
    if (!low)
        return;
    net_text(low, text);
    f->grade = GRADE_BAD;
    finding_means(f, "--%s %s will be refused", option, text);
    finding_change(f,
                   "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a .socket unit that "
                   "has the port; sysctl -w net.ipv4.ip_unprivileged_port_start=%d for every user",
                   port_of(low));
}

/* Can nobody of another machine connect? That of a socket that is passed is its owner's business.
 */
static bool is_private(const struct net_address *a)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    memcpy(&in, &a->storage, sizeof in);
    memcpy(&in6, &a->storage, sizeof in6);
    switch (a->any.sa_family) {
    case AF_INET: return ntohl(in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    default: return true;
    }
}

static void add_admin_address(struct doctor *d)
{
    char text[NET_TEXT_SIZE];
    const struct settings *s = d->settings;
    struct finding *f = findings_add(&d->findings, "admin address");
    finding_found(f, "off");
    finding_means(f, "drover status and drover top tell the same, to this user and root alone");
    for (int i = 0; i < s->admin_count && f->grade == GRADE_OK; i++) {
        net_text(&s->admin[i], text);
        finding_found(f, "%s", text);
        finding_means(f, "who can connect from this machine reads how the server is");
        if (is_private(&s->admin[i]))
            continue;
        f->grade = GRADE_NOTE;
        finding_means(f, "whoever reaches it reads how the server is: it asks nobody who he is");
        finding_change(f, "a network that only trusted machines reach, a firewall, or "
                          "--admin 127.0.0.1:PORT or unix:/path");
    }
}

/* ----------------------------------------------------------------------------- what is there */

static struct probe raise_descriptors(int unused)
{
    (void)unused;
    return (struct probe){.verdict = PROBE_YES, .value = descriptors_raise()};
}

/* How many one may have at a time, now and once the server has raised it. */
static void name_descriptors(struct finding *f, int64_t limit)
{
    struct rlimit now;
    if (limit == DESCRIPTORS_UNLIMITED)
        finding_found(f, "no limit is known");
    else if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur != (rlim_t)limit)
        finding_found(f, "%lld a process (%lld now, which drover raises)", (long long)limit,
                      (long long)now.rlim_cur);
    else
        finding_found(f, "%lld a process", (long long)limit);
}

static void add_descriptors(struct doctor *d)
{
    const struct settings *s = d->settings;
    struct finding *f = findings_add(&d->findings, "descriptors");
    struct probe probe = probe_try(raise_descriptors, 0);
    if (probe.verdict != PROBE_YES) {
        f->grade = GRADE_NOTE;
        probe_describe(&probe, f->found, sizeof f->found);
        finding_means(f, "how many connections a worker can have is not known");
        finding_change(f, "%s", DOCTOR_PERMIT);
        return;
    }
    int64_t fit = descriptors_fit(s, probe.value), wanted = descriptors_wanted(s);
    name_descriptors(f, probe.value);
    if (fit == s->max_connections) {
        finding_means(f, "enough for --max-connections %lld, each with a file to send",
                      (long long)fit);
        return;
    }
    f->grade = GRADE_NOTE;
    finding_means(f,
                  "a worker takes %lld connections, each with a file to send, and not the %lld of "
                  "--max-connections; who comes then waits in the queue",
                  (long long)fit, (long long)s->max_connections);
    finding_change(f,
                   "LimitNOFILE=%lld in the unit, or ulimit -n %lld before the start; or "
                   "--max-connections %lld",
                   (long long)wanted, (long long)wanted, (long long)fit);
}

static void add_cpus(struct doctor *d)
{
    int cpus = cpus_usable();
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    long long workers = d->settings->workers;
    struct finding *f = findings_add(&d->findings, "CPUs");
    if (all > cpus)
        finding_found(f, "%d of %ld, by the affinity or the control group's quota", cpus, all);
    else
        finding_found(f, "%d", cpus);
    if (workers <= cpus) {
        finding_means(f, "enough for --workers %lld", workers);
        return;
    }
    f->grade = GRADE_NOTE;
    finding_means(f, "%lld workers share %s; more workers than CPUs serve no more requests",
                  workers, cpus == 1 ? "it" : "them");
    finding_change(f, "--workers auto, which is %d here", cpus);
}

/* The master, the admin process, and while a reload is under way two generations of workers. */
static long long tasks_wanted(const struct settings *s)
{
    return 2 + 2 * (long long)s->workers * (s->standby ? 2 : 1);
}

static void add_tasks(struct doctor *d)
{
    const struct settings *s = d->settings;
    long long wanted = tasks_wanted(s);
    struct finding *f = findings_add(&d->findings, "tasks");
    struct probe probe = probe_try(probe_tasks, 0);
    if (probe.verdict == PROBE_YES)
        finding_found(f, "%lld at most", (long long)probe.value);
    else
        finding_found(f, "no limit is known");
    if (probe.verdict != PROBE_YES || probe.value >= wanted) {
        finding_means(f, "a reload of %lld worker%s%s has %lld processes for a while",
                      (long long)s->workers, s->workers == 1 ? "" : "s",
                      s->standby ? ", each with a standby," : "", wanted);
        return;
    }
    f->grade = GRADE_NOTE;
    finding_means(f, "a reload of --workers %lld%s wants %lld processes for a while%s",
                  (long long)s->workers, s->standby ? " with --standby on" : "", wanted,
                  s->standby ? "; where there are fewer, workers go without a standby" : "");
    finding_change(f, "TasksMax=%lld in the unit, pids.max of the control group, ulimit -u %lld",
                   wanted, wanted);
}

/* ----------------------------------------------------------------------- what it may do */

struct refused {
    char names[FINDING_TEXT_SIZE / 2]; /* "a, b"; cut where there are more */
    size_t needed;                     /* how many of them a server must have */
    size_t deadly;                     /* how many kill who makes them */
};

static void try_calls(struct refused *refused)
{
    size_t used = 0, size = sizeof refused->names;
    *refused = (struct refused){.needed = 0};
    for (size_t i = 0; i < probe_call_count(); i++) {
        struct probe probe = probe_try(probe_call, (int)i);
        if (probe.verdict != PROBE_NO)
            continue;
        int n = snprintf(refused->names + used, size - used, "%s%s", used > 0 ? ", " : "",
                         probe_call_name(i));
        used = (size_t)n < size - used ? used + (size_t)n : size - 1;
        refused->needed += probe_call_is_needed(i);
        refused->deadly += probe.signal != 0;
    }
}

static void name_filters(struct finding *f, const struct probe_service *service)
{
    if (service->seccomp_mode == 0)
        finding_found(f, "no filter");
    else if (service->seccomp_mode < 0)
        finding_found(f, "unknown, since /proc/self/status is not to be seen");
    else if (service->seccomp_filters < 0)
        finding_found(f, "filters");
    else
        finding_found(f, "%lld filter%s", (long long)service->seccomp_filters,
                      service->seccomp_filters == 1 ? "" : "s");
}

static void add_seccomp(struct doctor *d)
{
    struct refused refused;
    struct finding *f = findings_add(&d->findings, "seccomp");
    try_calls(&refused);
    name_filters(f, &d->service);
    if (!*refused.names) {
        finding_means(f, "all %zu system calls that were tried are permitted", probe_call_count());
        return;
    }
    f->grade = refused.needed > 0 || refused.deadly > 0 ? GRADE_BAD : GRADE_NOTE;
    finding_change(f, "%s", refused.deadly > 0 ? DOCTOR_REFUSE_KINDLY : DOCTOR_PERMIT);
    if (refused.deadly > 0)
        finding_means(f, "a server is killed as soon as it calls %s", refused.names);
    else if (refused.needed > 0)
        finding_means(f, "drover needs what is refused: %s", refused.names);
    else
        finding_means(f,
                      "refused is %s; drover runs without, but execve is for an upgrade, "
                      "prlimit64 for more descriptors, sched_getaffinity for --workers auto",
                      refused.names);
}

static void add_admin(struct doctor *d)
{
    struct finding *f = findings_add(&d->findings, "CAP_NET_ADMIN");
    struct probe probe = probe_try(probe_capability, CAP_NET_ADMIN);
    finding_found(f, "%s",
                  probe.verdict == PROBE_YES  ? "is there"
                  : probe.verdict == PROBE_NO ? "is not there"
                                              : "unknown");
    finding_means(f, "nothing but the SYN filter asks for it, and that on newer kernels alone");
}

void doctor_limits(struct doctor *d)
{
    add_low_ports(d);
    add_backlog(d);
    add_admin_address(d);
    add_descriptors(d);
    add_cpus(d);
    add_tasks(d);
    add_seccomp(d);
    add_admin(d);
}
