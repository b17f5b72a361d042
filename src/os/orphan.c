#include "os/orphan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/child.h"

/* Whoever waits for the end of file at one of these must not wait for this process. */
static void close_all(void)
{
    if (syscall(SYS_close_range, 0U, UINT_MAX, 0U) == 0)
        return;
    struct rlimit limit;
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int)limit.rlim_cur : 1024;
    for (int fd = 0; fd < end; fd++)
        close(fd);
}

/* Ends as the other did; its core, if it left one, is enough. */
static _Noreturn void end_like(int status)
{
    const struct rlimit none = {0, 0};
    sigset_t all;
    if (WIFEXITED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status)); /* which is blocked */
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    _exit(128 + WTERMSIG(status));
}

static _Noreturn void stand_for(pid_t pid, pid_t maker)
{
    int status;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL); /* of what a whole group is sent it has its own */
    prctl(PR_SET_NAME, "drover: upgrade");
    close_all();
    if (child_tie(maker) < 0)
        _exit(0);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            _exit(0);
    end_like(status);
}

/* In the process between. Returns in the new one alone. */
static void fork_again(int report, pid_t maker)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(report);
        return;
    }
    int cause = pid < 0 ? errno : 0;
    pid_t answer = pid < 0 ? -cause : pid;
    if (write(report, &answer, sizeof answer) != (ssize_t)sizeof answer || pid < 0)
        _exit(0);
    stand_for(pid, maker);
}

static int give_up(struct orphan *orphan, int cause)
{
    while (waitpid(orphan->between, NULL, 0) < 0 && errno == EINTR) {
    }
    *orphan = (struct orphan){0};
    errno = cause;
    return -1;
}

int orphan_fork(struct orphan *orphan)
{
    int ends[2];
    pid_t maker = getpid(), answer = 0;
    *orphan = (struct orphan){0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    orphan->between = fork();
    if (orphan->between == 0) {
        close(ends[0]);
        fork_again(ends[1], maker);
        return 0;
    }
    int cause = errno;
    close(ends[1]);
    if (orphan->between < 0) {
        close(ends[0]);
        errno = cause;
        return -1;
    }
    ssize_t n;
    while ((n = read(ends[0], &answer, sizeof answer)) < 0 && errno == EINTR) {
    }
    close(ends[0]);
    if (n != (ssize_t)sizeof answer || answer <= 0)
        return give_up(orphan, n == (ssize_t)sizeof answer ? -answer : ECHILD);
    orphan->pid = answer;
    return 1;
}

int orphan_let_go(struct orphan *orphan)
{
    pid_t between = orphan->between;
    int status;
    orphan->between = 0;
    errno = ECHILD;
    /* One that has ended may have done so by SIGKILL, too. */
    if (between <= 0 || waitpid(between, NULL, WNOHANG) != 0 || kill(between, SIGKILL) < 0)
        return -1;
    /* Its children have their new parent before it can be reaped. */
    while (waitpid(between, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    errno = ECHILD;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -1;
}
