#include "os/probe_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/loop.h"
#include "os/pass.h"
#include "os/runtime.h"
#include "os/sigfd.h"
#include "os/twin.h"

/* ------------------------------------------------------------------------------ the loop's */

static void count(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)fd;
    *(int *)context += (events & EPOLLIN) != 0;
}

static struct probe wait_with(uint32_t events)
{
    int ends[2], seen = 0;
    if (pass_pair(ends) < 0)
        return probe_is(PROBE_UNKNOWN);
    struct loop *loop = loop_open();
    if (!loop || loop_add(loop, ends[0], events, count, &seen) < 0 ||
        pass_send(ends[1], "x", 1, NULL, 0) < 0 || loop_turn(loop, PROBE_ANSWER_MS, NULL, NULL) < 0)
        return probe_is(PROBE_NO);
    errno = 0;
    return probe_is(seen == 1 ? PROBE_YES : PROBE_NO);
}

struct probe probe_epoll(int unused)
{
    (void)unused;
    return wait_with(EPOLLIN);
}

struct probe probe_exclusive(int unused)
{
    (void)unused;
    return wait_with(EPOLLIN | EPOLLEXCLUSIVE);
}

struct probe probe_signalfd(int unused)
{
    static const int signals[] = {SIGUSR1, 0};
    (void)unused;
    int fd = sigfd_block(NULL) < 0 ? -1 : sigfd_open(signals);
    if (fd < 0 || raise(SIGUSR1) != 0)
        return probe_is(PROBE_NO);
    errno = 0;
    return probe_is(sigfd_read(fd) == SIGUSR1 ? PROBE_YES : PROBE_NO);
}

struct probe probe_seqpacket(int unused)
{
    int ends[2], fd;
    char byte;
    size_t fd_count = 1;
    (void)unused;
    if (pass_pair(ends) < 0 || pass_send(ends[0], "x", 1, ends, 1) < 0 ||
        pass_receive(ends[1], &byte, 1, &fd, &fd_count) < 0)
        return probe_is(PROBE_NO);
    errno = 0;
    return probe_is(fd_count == 1 ? PROBE_YES : PROBE_NO);
}

/* ------------------------------------------------------------------- what is asked, and told */

/* <linux/landlock.h> is not on every machine that builds: these are its two names. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_ASK_VERSION 1U

struct probe probe_landlock(int unused)
{
    (void)unused;
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_ASK_VERSION);
    struct probe probe = probe_is(version > 0 ? PROBE_YES : PROBE_NO);
    probe.value = version;
    return probe;
}

struct probe probe_schedstat(int unused)
{
    struct runtime runtime;
    (void)unused;
    return probe_is(runtime_read(getpid(), &runtime) == 0 ? PROBE_YES : PROBE_NO);
}

struct probe probe_capability(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &header, data) < 0)
        return probe_is(PROBE_UNKNOWN);
    uint32_t word = data[CAP_TO_INDEX(capability)].effective;
    int64_t has = (word & CAP_TO_MASK(capability)) != 0;
    return (struct probe){.verdict = has ? PROBE_YES : PROBE_NO, .value = has};
}

struct probe probe_unprivileged_port(int unused)
{
    char text[16];
    (void)unused;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (!f || !fgets(text, sizeof text, f))
        return probe_is(PROBE_UNKNOWN);
    return (struct probe){.verdict = PROBE_YES, .value = strtol(text, NULL, 10)};
}

struct probe probe_fork(int unused)
{
    (void)unused;
    return probe_is(PROBE_YES);
}

/* -------------------------------------------------------------------------------- the twin */

/* An exit status beside the errnos: the call was taken, and did nothing. */
#define NO_EFFECT 255

/* What either closes, both have not any more; then the twin parts from it. Returns in both, with
 * the status to exit with. */
static int have_twin(void)
{
    int ends[2];
    if (pass_pair(ends) < 0)
        return errno;
    pid_t twin = twin_fork();
    if (twin < 0)
        return errno;
    if (twin == 0) {
        close(ends[1]);
        return twin_part() < 0 ? errno : 0;
    }
    struct pollfd end = {.fd = ends[0]};
    return poll(&end, 1, PROBE_ANSWER_MS) == 1 ? 0 : NO_EFFECT;
}

/* Of one child, or of the only one that there is. */
static struct probe end_of(idtype_t which, pid_t pid)
{
    int status;
    siginfo_t seen;
    if (waitid(which, (id_t)pid, &seen, WEXITED | WNOWAIT) < 0 ||
        waitpid(seen.si_pid, &status, 0) < 0)
        return probe_is(PROBE_UNKNOWN);
    if (WIFSIGNALED(status))
        return (struct probe){.verdict = PROBE_NO, .signal = WTERMSIG(status)};
    errno = WEXITSTATUS(status) == NO_EFFECT ? 0 : WEXITSTATUS(status);
    return probe_is(WEXITSTATUS(status) ? PROBE_NO : PROBE_YES);
}

/* A process between, so that the twin's parent is this one, and not who asks. */
struct probe probe_twin(int unused)
{
    (void)unused;
    pid_t worker = fork();
    if (worker == 0)
        _exit(have_twin());
    if (worker < 0)
        return probe_is(PROBE_UNKNOWN);
    struct probe made = end_of(P_PID, worker);
    if (made.verdict != PROBE_YES)
        return made;
    struct probe parted = end_of(P_ALL, 0);
    parted.value = 1;
    return parted;
}

struct probe probe_twin_itself(int unused)
{
    (void)unused;
    return probe_is(twin_is_itself() ? PROBE_YES : PROBE_NO);
}

/* ------------------------------------------------------------------------------- the tasks */

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A number alone; "max" is none. */
static int64_t read_limit(const char *root, const char *group)
{
    char path[512], line[32];
    long long n;
    snprintf(path, sizeof path, "%s%s/pids.max", root, strcmp(group, "/") == 0 ? "" : group);
    FILE *f = fopen(path, "re");
    if (!f)
        return INT64_MAX;
    bool is_number = fgets(line, sizeof line, f) && sscanf(line, "%lld", &n) == 1;
    fclose(f);
    return is_number ? n : INT64_MAX;
}

/* Of the own control group, cgroups(7): version 2 has one, version 1 one a controller. */
static int64_t tasks_of_group(void)
{
    char line[512], group[512];
    int64_t least = INT64_MAX;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (!f)
        return least;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "0::%511[^\n]", group) == 1)
            least = least_of(least, read_limit("/sys/fs/cgroup", group));
        else if (sscanf(line, "%*d:pids:%511[^\n]", group) == 1)
            least = least_of(least, read_limit("/sys/fs/cgroup/pids", group));
    fclose(f);
    return least;
}

/* Root is bound by its control group alone. */
struct probe probe_tasks(int unused)
{
    struct rlimit limit;
    (void)unused;
    int64_t least = tasks_of_group();
    if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        least = least_of(least, (int64_t)limit.rlim_cur);
    return (struct probe){.verdict = least < INT64_MAX ? PROBE_YES : PROBE_UNKNOWN, .value = least};
}

/* -------------------------------------------------------------------------- the system calls */

/* No descriptor, no memory, no flag: EBADF, EFAULT, EINVAL; or what asks and changes nothing. */
static const struct call {
    const char *name;
    long number;
    long a[6];
    bool is_needed;
} calls[] = {
    {"accept4", SYS_accept4, {-1, 0, 0, 0}, true},
    {"bind", SYS_bind, {-1, 0, 0}, true},
    {"epoll_create1", SYS_epoll_create1, {-1}, true},
    {"epoll_ctl", SYS_epoll_ctl, {-1, 0, -1, 0}, true},
    {"eventfd2", SYS_eventfd2, {0, -1}, true},
    {"execve", SYS_execve, {0, 0, 0}, false},
    {"fstat", SYS_fstat, {-1, 0}, true},
    {"getdents64", SYS_getdents64, {-1, 0, 0}, true},
    {"getpeername", SYS_getpeername, {-1, 0, 0}, true},
    {"getsockname", SYS_getsockname, {-1, 0, 0}, true},
    {"getsockopt", SYS_getsockopt, {-1, 0, 0, 0, 0}, true},
    {"kill", SYS_kill, {INT_MAX, 0}, true}, /* no such process */
    {"listen", SYS_listen, {-1, 0}, true},
    {"openat", SYS_openat, {-1, 0, 0, 0}, true},
    {"prctl", SYS_prctl, {-1, 0, 0, 0, 0}, true},
    {"pread64", SYS_pread64, {-1, 0, 0, 0}, true},
    {"prlimit64", SYS_prlimit64, {0, -1, 0, 0}, false},
    {"recvfrom", SYS_recvfrom, {-1, 0, 0, 0, 0, 0}, true},
    {"recvmsg", SYS_recvmsg, {-1, 0, 0}, true},
    {"sched_getaffinity", SYS_sched_getaffinity, {0, 0, 0}, false},
    {"sendfile", SYS_sendfile, {-1, -1, 0, 0}, true},
    {"sendmsg", SYS_sendmsg, {-1, 0, 0}, true},
    {"sendto", SYS_sendto, {-1, 0, 0, 0, 0, 0}, true},
    {"setsockopt", SYS_setsockopt, {-1, 0, 0, 0, 0}, true},
    {"shutdown", SYS_shutdown, {-1, 0}, true},
    {"signalfd4", SYS_signalfd4, {-1, 0, 0, -1}, true},
    {"socket", SYS_socket, {-1, 0, 0}, true},
    {"socketpair", SYS_socketpair, {-1, 0, 0, 0}, true},
    {"wait4", SYS_wait4, {-1, 0, WNOHANG, 0}, true},
};

size_t probe_call_count(void)
{
    return sizeof calls / sizeof *calls;
}

const char *probe_call_name(size_t i)
{
    return calls[i].name;
}

bool probe_call_is_needed(size_t i)
{
    return calls[i].is_needed;
}

/* None of these calls can say one of the two words of its own accord, with such arguments. */
struct probe probe_call(int i)
{
    const long *a = calls[i].a;
    long result = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
    bool is_refused = result < 0 && (errno == EPERM || errno == ENOSYS);
    return probe_is(is_refused ? PROBE_NO : PROBE_YES);
}
