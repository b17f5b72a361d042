#include "os/sigfd.h"

#include <errno.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int known[] = {SIGTERM, SIGQUIT, SIGINT,  SIGHUP,  SIGUSR1, SIGUSR2,
                            SIGTTIN, SIGTTOU, SIGCHLD, SIGPIPE, SIGXFSZ, 0};

static void fill(sigset_t *set, const int *signals)
{
    sigemptyset(set);
    for (; *signals; signals++)
        sigaddset(set, *signals);
}

int sigfd_block(sigset_t *before)
{
    sigset_t set;
    /* What was ignored by whoever started this is not: SIGCHLD would reap by itself. */
    for (const int *one = known; *one; one++)
        if (signal(*one, SIG_DFL) == SIG_ERR)
            return -1;
    fill(&set, known);
    return sigprocmask(SIG_BLOCK, &set, before);
}

int sigfd_open(const int *signals)
{
    sigset_t set;
    fill(&set, signals);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int sigfd_read(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n;
    do
        n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    return (int)info.ssi_signo;
}

/* sigabbrev_np(3) is glibc's alone. */
const char *sigfd_name(int signal)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGCHLD] = "SIGCHLD",
        [SIGCONT] = "SIGCONT", [SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",
        [SIGTTOU] = "SIGTTOU", [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS",
    };
    static char number[24];
    if (signal > 0 && signal < (int)(sizeof names / sizeof *names) && names[signal])
        return names[signal];
    snprintf(number, sizeof number, "signal %d", signal);
    return number;
}
