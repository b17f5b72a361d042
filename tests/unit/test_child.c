#include "os/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "support.h"

#define CORE 0x80 /* WCOREFLAG */

/* What waitpid(2) gives. */
static const struct {
    int status;
    const char *text;
} rows[] = {
    {W_EXITCODE(0, 0), "exit status 0"},
    {W_EXITCODE(1, 0), "exit status 1"},
    {W_EXITCODE(255, 0), "exit status 255"},
    {W_EXITCODE(EX_USAGE, 0), "exit status 64 (EX_USAGE)"},
    {W_EXITCODE(EX_NOINPUT, 0), "exit status 66 (EX_NOINPUT)"},
    {W_EXITCODE(EX_UNAVAILABLE, 0), "exit status 69 (EX_UNAVAILABLE)"},
    {W_EXITCODE(EX_SOFTWARE, 0), "exit status 70 (EX_SOFTWARE)"},
    {W_EXITCODE(EX_OSERR, 0), "exit status 71 (EX_OSERR)"},
    {W_EXITCODE(EX_NOPERM, 0), "exit status 77 (EX_NOPERM)"},
    {W_EXITCODE(EX_CONFIG, 0), "exit status 78 (EX_CONFIG)"},
    {W_EXITCODE(79, 0), "exit status 79"},
    {W_EXITCODE(0, SIGKILL), "killed by SIGKILL"},
    {W_EXITCODE(0, SIGTERM), "killed by SIGTERM"},
    {W_EXITCODE(0, SIGSEGV) | CORE, "killed by SIGSEGV, core dumped"},
    {W_EXITCODE(0, SIGABRT) | CORE, "killed by SIGABRT, core dumped"},
    {W_EXITCODE(0, SIGSYS), "killed by SIGSYS"},
    {W_EXITCODE(0, 42), "killed by signal 42"},
    {W_EXITCODE(0, 64), "killed by signal 64"},
    {W_STOPCODE(SIGSTOP), "stopped by SIGSTOP"},
    {W_STOPCODE(SIGTSTP), "stopped by SIGTSTP"},
    {W_STOPCODE(SIGTTIN), "stopped by SIGTTIN"},
    {0xffff, "continued"}, /* __W_CONTINUED */
};

Test(child, describe)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[64];
        child_describe(rows[i].status, text, sizeof text);
        cr_expect_str_eq(text, rows[i].text, "0x%x: %s", (unsigned)rows[i].status, text);
    }
}

Test(child, describe_is_cut)
{
    char text[16];
    memset(text, 'X', sizeof text);
    child_describe(W_EXITCODE(EX_CONFIG, 0), text, 8);
    cr_expect_str_eq(text, "exit st");
    cr_expect_eq(text[8], 'X');
}

Test(child, an_identity_that_changes_nothing)
{
    struct child_identity identity = {.change = false, .uid = 12345, .gid = 12345};
    uid_t uid = geteuid();
    gid_t gid = getegid();
    cr_expect_eq(child_become(&identity), 0);
    cr_expect_eq(geteuid(), uid);
    cr_expect_eq(getegid(), gid);
}

Test(child, tie)
{
    int signal = 0;
    cr_expect_eq(child_tie(getppid()), 0, "%m");
    cr_expect_eq(prctl(PR_GET_PDEATHSIG, &signal), 0);
    cr_expect_eq(signal, SIGKILL);
    cr_expect_eq(prctl(PR_GET_DUMPABLE), 1);
}

Test(child, a_parent_that_is_gone)
{
    errno = 0;
    cr_expect_eq(child_tie(getpid()), -1);
    cr_expect_eq(errno, ESRCH, "%m");
}
