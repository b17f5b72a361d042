#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/doctor.h"
#include "handlers/beneath.h"
#include "os/probe_kernel.h"
#include "os/probe_net.h"

/* RESOLVE_BENEATH is there when it refuses what it has to. */
static struct probe openat2_beneath(int unused)
{
    (void)unused;
    if (!beneath_has_openat2())
        return probe_is(PROBE_NO);
    if (beneath_open(AT_FDCWD, "..", O_PATH | O_DIRECTORY, true) < 0 && errno == EXDEV)
        return probe_is(PROBE_YES);
    errno = 0;
    return probe_is(PROBE_NO);
}

/* A row a probe: what it is when it works, and what it means when it does not. */
struct row {
    const char *what;
    probe_fn *probe;
    const char *found, *means; /* where it works */
    enum grade without;        /* where it does not */
    const char *found_without; /* where no call failed; NULL: as probe_describe() says */
    const char *means_without;
    const char *change; /* NULL: nothing */
};

static const struct row process_rows[] = {
    {.what = "epoll",
     .probe = probe_epoll,
     .found = "works",
     .means = "every process waits with it",
     .without = GRADE_BAD,
     .means_without = "every process of drover waits with it",
     .change = DOCTOR_PERMIT},
    {.what = "signalfd",
     .probe = probe_signalfd,
     .found = "works",
     .means = "signals are read, between two requests",
     .without = GRADE_BAD,
     .means_without = "drover reads its signals with it",
     .change = DOCTOR_PERMIT},
    {.what = "SOCK_SEQPACKET",
     .probe = probe_seqpacket,
     .found = "passes descriptors on",
     .means = "workers hand over connections with it, and report to the master",
     .without = GRADE_BAD,
     .means_without = "workers hand over connections with it, and report to the master",
     .change = DOCTOR_PERMIT},
};

static const struct row listener_rows[] = {
    {.what = "SO_REUSEPORT",
     .probe = probe_reuseport,
     .found = "two listeners share a port",
     .means = "every worker has a listener of its own",
     .without = GRADE_BAD,
     .means_without = "every worker is to have a listener of its own; no TCP address can be served",
     .change = "run it on Linux from 3.9 on; if this is, " DOCTOR_PERMIT},
    {.what = "classic BPF",
     .probe = probe_classic_bpf,
     .found = "steers clients to a listener",
     .means = "new clients go past a worker that hangs, starts or is full",
     .without = GRADE_NOTE,
     .means_without = "new clients still come to the queue of a worker that hangs, starts or is "
                      "full, and others serve them from there",
     .change = "run it on Linux from 4.6 on; if this is, " DOCTOR_PERMIT},
    {.what = "extended BPF",
     .probe = probe_extended_bpf,
     .found = "steers clients to a listener",
     .means = "drover does so with classic BPF, and does not need it",
     .without = GRADE_OK,
     .means_without = "drover steers with classic BPF, which needs no privilege"},
    {.what = "EPOLLEXCLUSIVE",
     .probe = probe_exclusive,
     .found = "works",
     .means = "of the workers that share a unix socket, a client wakes one and not all",
     .without = GRADE_NOTE,
     .means_without = "workers cannot share a socket: unix sockets, and a single activated one, "
                      "are not served",
     .change = "run it on Linux from 4.5 on"},
    {.what = "TCP_DEFER_ACCEPT",
     .probe = probe_defer_accept,
     .found = "works",
     .means = "a worker gets a client once it has sent something; one that is killed takes few "
              "with it",
     .without = GRADE_NOTE,
     .means_without = "workers accept clients that have sent nothing yet; one that is killed takes "
                      "these with it",
     .change = "run it on a Linux kernel that is not emulated; if this is, " DOCTOR_PERMIT},
    {.what = "SYN filter",
     .probe = probe_drop_new,
     .found = "new clients can be dropped",
     .means = "a client that comes while drover stops is refused, or served by its successor, and "
              "never reset",
     .without = GRADE_NOTE,
     .means_without = "a client that comes in the last moment of a stop is reset; nothing else "
                      "changes",
     .change = "CAP_NET_ADMIN for the master (AmbientCapabilities=CAP_NET_ADMIN in the unit); or "
               "sockets that outlive a stop (FileDescriptorStoreMax= in the unit, or a .socket "
               "unit)"},
    {.what = "request migration",
     .probe = probe_migration,
     .found = "a queued client came to another listener",
     .means = "drover does not rely on it: it closes no listener while it serves",
     .without = GRADE_OK,
     .found_without = "a queued client was reset with its listener",
     .means_without = "drover closes no listener while it serves, and does not need "
                      "net.ipv4.tcp_migrate_req"},
};

static const struct row other_rows[] = {
    {.what = "schedstat",
     .probe = probe_schedstat,
     .found = "the kernel keeps it",
     .means = "a worker that waits for a CPU is not taken for one that hangs",
     .without = GRADE_NOTE,
     .means_without = "a worker that only waits for a CPU may be taken for one that hangs, and "
                      "replaced",
     .change = "a kernel with CONFIG_SCHED_INFO, and /proc mounted; or a longer --hang-timeout"},
    {.what = "openat2",
     .probe = openat2_beneath,
     .found = "RESOLVE_BENEATH works",
     .means = "the static site follows symbolic links, and none leads out of ROOT",
     .without = GRADE_NOTE,
     .means_without = "the static site follows no symbolic link at all",
     .change = "run it on Linux from 5.6 on; if this is, permit openat2: in a unit, "
               "RestrictSUIDSGID=, which DynamicUser= implies, refuses it, and so do the seccomp "
               "profiles of older container runtimes"},
};

/* Does the server bind TCP addresses itself? */
static bool binds_tcp(const struct doctor *d)
{
    for (int i = 0; i < d->settings->address_count; i++)
        if (!net_is_shared(&d->settings->addresses[i]))
            return !doctor_has_sockets(d);
    return false;
}

static void add_listener(struct doctor *d)
{
    struct finding *f = findings_add(&d->findings, "TCP listener");
    struct probe probe = probe_try(probe_listener, 0);
    if (probe.verdict == PROBE_YES) {
        finding_found(f, "takes clients");
        finding_means(f, "tried on loopback, at a port of the kernel's choice");
        return;
    }
    probe_describe(&probe, f->found, sizeof f->found);
    if (probe.cause == EADDRNOTAVAIL || probe.cause == ENETUNREACH) {
        f->grade = GRADE_NOTE;
        finding_means(f, "the loopback interface is down: what needs it cannot be tried, and only "
                         "other addresses can be served");
        finding_change(f, "ip link set lo up");
        return;
    }
    f->grade = probe.verdict == PROBE_NO && binds_tcp(d) ? GRADE_BAD : GRADE_NOTE;
    finding_means(
        f, "only unix sockets, and those that the service manager has opened, can be served");
    finding_change(f, "%s", DOCTOR_PERMIT);
}

static void add_kernel(struct findings *findings)
{
    struct utsname name;
    struct finding *f = findings_add(findings, "kernel");
    if (uname(&name) < 0) {
        finding_found(f, "unknown");
        return;
    }
    finding_found(f, "%s %s, %s", name.sysname, name.release, name.machine);
    finding_means(f, "its version decides nothing; what follows was tried");
}

/* Every probe has a process of its own, so that this is the first. */
static void add_processes(struct findings *findings)
{
    struct finding *f = findings_add(findings, "processes");
    struct probe probe = probe_try(probe_fork, 0);
    finding_means(f, "drover is a master and its workers");
    if (probe.verdict == PROBE_YES || probe.signal) {
        finding_found(f, "can be forked");
        return;
    }
    f->grade = GRADE_BAD;
    finding_found(f, "cannot be forked (%s)", strerror(probe.cause));
    if (probe.cause == EAGAIN)
        finding_change(f, "let this user have more of them: ulimit -u, TasksMax= in the unit, "
                          "pids.max of the control group");
    else
        finding_change(f, "%s", DOCTOR_PERMIT);
}

/* A call that is answered by SIGSYS ends whoever makes it: of those that drover makes, none may be
 * such a one, even where it could do without. */
static void add_deadly(struct finding *f)
{
    f->grade = GRADE_BAD;
    finding_means(f, "drover asks for it, and would be killed");
    finding_change(f, "%s", DOCTOR_REFUSE_KINDLY);
}

static void add_words(struct finding *f, const struct row *row, const struct probe *probe)
{
    f->grade = row->without;
    probe_describe(probe, f->found, sizeof f->found);
    if (probe->verdict == PROBE_UNKNOWN) {
        f->grade = row->without == GRADE_OK ? GRADE_OK : GRADE_NOTE;
        finding_means(f, "whether it works here is not known");
        return;
    }
    if (probe->signal == SIGSYS && row->without != GRADE_OK) {
        add_deadly(f);
        return;
    }
    if (row->found_without && !probe->cause && !probe->signal)
        finding_found(f, "%s", row->found_without);
    finding_means(f, "%s", row->means_without);
    finding_change(f, "%s", row->change ? row->change : "");
}

static void add_rows(struct findings *findings, const struct row *rows, size_t count)
{
    for (const struct row *row = rows; row < rows + count; row++) {
        struct finding *f = findings_add(findings, row->what);
        struct probe probe = probe_try(row->probe, 0);
        if (probe.verdict != PROBE_YES) {
            add_words(f, row, &probe);
            continue;
        }
        finding_found(f, "%s", row->found);
        finding_means(f, "%s", row->means);
    }
}

static void add_whole_standby(struct finding *f)
{
    finding_found(f, "shares a worker's descriptors, and can part from it");
    finding_means(f, "the connections of a worker that is killed, or hangs, go on in another");
    if (probe_try(probe_twin_itself, 0).verdict == PROBE_YES)
        return;
    f->grade = GRADE_NOTE;
    finding_found(f, "shares a worker's descriptors, but libc takes it for the worker");
    finding_means(f, "the connections go on in another, but there abort(3), raise(3) and robust "
                     "mutexes of an application do not do what they are to");
    finding_change(f, "use glibc, and a kernel with CONFIG_CHECKPOINT_RESTORE; or --standby off");
}

/* Where nothing makes it, nothing is refused either. */
static void add_standby(struct doctor *d)
{
    struct finding *f = findings_add(&d->findings, "standby");
    if (!d->settings->standby) {
        finding_found(f, "off");
        finding_means(f, "a worker's connections end with it");
        return;
    }
    struct probe probe = probe_try(probe_twin, 0);
    if (probe.verdict == PROBE_YES) {
        add_whole_standby(f);
        return;
    }
    f->grade = GRADE_NOTE;
    probe_describe(&probe, f->found, sizeof f->found);
    finding_change(f, "%s; or --standby off",
                   probe.signal == SIGSYS ? DOCTOR_REFUSE_KINDLY : DOCTOR_PERMIT);
    if (probe.value)
        finding_means(f, "a worker that hangs keeps its connections; those of one that is killed "
                         "go on in another");
    else
        finding_means(f, "workers have none, and their connections end with them");
}

/* What a sandbox of others is made with. */
static void add_landlock(struct findings *findings)
{
    struct finding *f = findings_add(findings, "Landlock");
    struct probe probe = probe_try(probe_landlock, 0);
    if (probe.verdict == PROBE_YES)
        finding_found(f, "version %lld", (long long)probe.value);
    else
        probe_describe(&probe, f->found, sizeof f->found);
    finding_means(f, "a sandbox around drover may use it; drover itself does not");
}

#define ROWS(rows) rows, sizeof(rows) / sizeof *(rows)

void doctor_kernel(struct doctor *d)
{
    add_kernel(&d->findings);
    add_processes(&d->findings);
    add_rows(&d->findings, ROWS(process_rows));
    add_listener(d);
    add_rows(&d->findings, ROWS(listener_rows));
    add_rows(&d->findings, ROWS(other_rows));
    add_standby(d);
    add_landlock(&d->findings);
}
