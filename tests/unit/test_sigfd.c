#include "os/sigfd.h"

#include <errno.h>
#include <unistd.h>

#include "support.h"

static const int known[] = {SIGTERM, SIGQUIT, SIGINT,  SIGHUP,  SIGUSR1, SIGUSR2,
                            SIGTTIN, SIGTTOU, SIGCHLD, SIGPIPE, SIGXFSZ};

Test(sigfd, blocks_what_it_knows_and_nothing_else)
{
    sigset_t before, during, none;
    sigemptyset(&none);
    sigaddset(&none, SIGWINCH);
    sigprocmask(SIG_SETMASK, &none, NULL);
    cr_assert_eq(sigfd_block(&before), 0);
    sigprocmask(SIG_BLOCK, NULL, &during);
    cr_expect(sigismember(&before, SIGWINCH), "what was before");
    cr_expect_not(sigismember(&before, SIGTERM));
    for (size_t i = 0; i < LENGTH(known); i++)
        cr_expect(sigismember(&during, known[i]), "%d", known[i]);
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                 SIGABRT, SIGTRAP, SIGSYS, SIGTSTP};
    for (size_t i = 0; i < LENGTH(faults); i++)
        cr_expect_not(sigismember(&during, faults[i]), "%d", faults[i]);
    cr_expect_eq(sigfd_block(NULL), 0);
}

/* Whoever started us may have ignored them, and an ignored SIGCHLD reaps by itself. */
Test(sigfd, none_is_ignored_any_more)
{
    for (size_t i = 0; i < LENGTH(known); i++)
        signal(known[i], SIG_IGN);
    cr_assert_eq(sigfd_block(NULL), 0);
    for (size_t i = 0; i < LENGTH(known); i++) {
        struct sigaction now;
        cr_assert_eq(sigaction(known[i], NULL, &now), 0);
        cr_expect_eq(now.sa_handler, SIG_DFL, "%s", sigfd_name(known[i]));
    }
}

Test(sigfd, one_signal_at_a_time)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGUSR1, 0};
    cr_assert_eq(sigfd_block(NULL), 0);
    int fd = sigfd_open(signals);
    cr_assert_geq(fd, 0, "%m");
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(sigfd_read(fd), 0, "none is pending");
    raise(SIGHUP);
    raise(SIGHUP); /* those of a kind are one */
    raise(SIGTERM);
    raise(SIGUSR2); /* not one of these */
    int first = sigfd_read(fd), second = sigfd_read(fd);
    cr_expect_eq(first + second, SIGHUP + SIGTERM, "%d and %d", first, second);
    cr_expect_neq(first, second);
    cr_expect_eq(sigfd_read(fd), 0);
    close(fd);
    errno = 0;
    cr_expect_eq(sigfd_read(fd), -1);
    cr_expect_eq(errno, EBADF, "%m");
}

Test(sigfd, names)
{
    static const struct {
        int signal;
        const char *name;
    } names[] = {{SIGTERM, "SIGTERM"},    {SIGINT, "SIGINT"},       {SIGQUIT, "SIGQUIT"},
                 {SIGHUP, "SIGHUP"},      {SIGUSR1, "SIGUSR1"},     {SIGUSR2, "SIGUSR2"},
                 {SIGTTIN, "SIGTTIN"},    {SIGTTOU, "SIGTTOU"},     {SIGCHLD, "SIGCHLD"},
                 {SIGPIPE, "SIGPIPE"},    {SIGKILL, "SIGKILL"},     {SIGSEGV, "SIGSEGV"},
                 {SIGSYS, "SIGSYS"},      {SIGSTOP, "SIGSTOP"},     {SIGXCPU, "SIGXCPU"},
                 {SIGWINCH, "signal 28"}, {64, "signal 64"},        {0, "signal 0"},
                 {-5, "signal -5"},       {100000, "signal 100000"}};
    for (size_t i = 0; i < LENGTH(names); i++)
        cr_expect_str_eq(sigfd_name(names[i].signal), names[i].name, "%d: %s", names[i].signal,
                         sigfd_name(names[i].signal));
}
