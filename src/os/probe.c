#include "os/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/sigfd.h"

struct probe probe_is(enum probe_verdict verdict)
{
    return (struct probe){.verdict = verdict, .cause = verdict == PROBE_YES ? 0 : errno};
}

/* What it answers is in shared memory, so that no call stands between the probe and its answer. */
static void run(probe_fn *fn, int argument, volatile struct probe *answer)
{
    sigset_t alarm_set;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&alarm_set);
    sigaddset(&alarm_set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_set, NULL);
    alarm(PROBE_SECONDS);
    prctl(PR_SET_DUMPABLE,
          0); /* a finding leaves no core; where this is refused, one may be left */
    *answer = fn(argument);
    _exit(0);
}

static struct probe wait_for(pid_t child, const struct probe *answer)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0)
        return probe_is(PROBE_UNKNOWN);
    if (!WIFSIGNALED(status))
        return *answer;
    /* One that was too slow says nothing: the machine may be. */
    enum probe_verdict verdict = WTERMSIG(status) == SIGALRM ? PROBE_UNKNOWN : PROBE_NO;
    return (struct probe){.verdict = verdict, .signal = WTERMSIG(status)};
}

struct probe probe_try(probe_fn *fn, int argument)
{
    struct probe *answer = mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (answer == MAP_FAILED)
        return probe_is(PROBE_UNKNOWN);
    pid_t child = fork();
    if (child == 0)
        run(fn, argument, answer);
    struct probe probe = child < 0 ? probe_is(PROBE_UNKNOWN) : wait_for(child, answer);
    munmap(answer, sizeof *answer);
    return probe;
}

void probe_describe(const struct probe *probe, char *text, size_t size)
{
    if (probe->signal == SIGSYS)
        snprintf(text, size, "refused by a seccomp filter (SIGSYS)");
    else if (probe->signal == SIGALRM)
        snprintf(text, size, "no answer within %d s", PROBE_SECONDS);
    else if (probe->signal)
        snprintf(text, size, "the probe was killed by %s", sigfd_name(probe->signal));
    else if (probe->verdict == PROBE_UNKNOWN)
        snprintf(text, size, "could not be tried (%s)", strerror(probe->cause));
    else if (probe->cause)
        snprintf(text, size, "refused (%s)", strerror(probe->cause));
    else
        snprintf(text, size, "taken, but without effect");
}
