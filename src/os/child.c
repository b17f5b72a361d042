#include "os/child.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "os/sigfd.h"

int child_become(const struct child_identity *identity)
{
    if (!identity->change)
        return 0;
    /* Groups first: afterwards there is no right to. */
    if (geteuid() == 0 && initgroups(identity->name, identity->gid) < 0)
        return -1;
    if (setresgid(identity->gid, identity->gid, identity->gid) < 0)
        return -1;
    return setresuid(identity->uid, identity->uid, identity->uid);
}

int child_tie(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
        return -1;
    if (getppid() != parent) { /* it ended before the tie was made */
        errno = ESRCH;
        return -1;
    }
    return 0;
}

static const char *exit_name(int status)
{
    switch (status) {
    case EX_USAGE: return " (EX_USAGE)";
    case EX_NOINPUT: return " (EX_NOINPUT)";
    case EX_UNAVAILABLE: return " (EX_UNAVAILABLE)";
    case EX_SOFTWARE: return " (EX_SOFTWARE)";
    case EX_OSERR: return " (EX_OSERR)";
    case EX_NOPERM: return " (EX_NOPERM)";
    case EX_CONFIG: return " (EX_CONFIG)";
    default: return "";
    }
}

void child_describe(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "killed by %s%s", sigfd_name(WTERMSIG(status)),
                 WCOREDUMP(status) ? ", core dumped" : "");
    else if (WIFSTOPPED(status))
        snprintf(text, size, "stopped by %s", sigfd_name(WSTOPSIG(status)));
    else if (WIFCONTINUED(status))
        snprintf(text, size, "continued");
    else
        snprintf(text, size, "exit status %d%s", WEXITSTATUS(status),
                 exit_name(WEXITSTATUS(status)));
}
