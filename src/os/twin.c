#include "os/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where libc has noted this thread's number, which it also has the kernel clear at the thread's
 * end; NULL: it is elsewhere (musl), or the kernel does not say. */
static int *noted_tid(void)
{
    int *noted = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &noted) < 0 || !noted)
        return NULL;
    return *noted == (int)syscall(SYS_gettid) ? noted : NULL;
}

/* Where the kernel looks for the robust mutexes of a thread that has ended: not noted of a new one,
 * and libc does that in its own fork(2) alone. NULL: libc has noted none yet (musl). */
struct robust {
    void *list;
    size_t size;
};

static struct robust noted_robust(void)
{
    struct robust noted = {0};
    if (syscall(SYS_get_robust_list, 0, &noted.list, &noted.size) < 0)
        return (struct robust){0};
    return noted;
}

pid_t twin_fork(void)
{
    int *noted = noted_tid();
    struct robust robust = noted_robust();
    /* The call itself: libc's clone(3) wants a stack, and this one is copied with all else. */
    pid_t pid = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_FILES | CLONE_PARENT | SIGCHLD),
                               0UL, 0UL, 0UL, 0UL);
    if (pid == 0 && noted) /* else what is done to pthread_self(3) is done to the other */
        *noted = (int)syscall(SYS_set_tid_address, noted);
    if (pid == 0 && robust.list)
        syscall(SYS_set_robust_list, robust.list, robust.size);
    return pid;
}

int twin_reserve(int fd, int count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    if (limit.rlim_cur < (rlim_t)count)
        count = (int)limit.rlim_cur;
    int last = fcntl(fd, F_DUPFD_CLOEXEC, count - 1);
    if (last < 0)
        return -1;
    close(last);
    return 0;
}

bool twin_is_itself(void)
{
    return noted_tid() != NULL;
}

/* Docker's filter of system calls refuses unshare(2), whatever it is asked for, but not this, which
 * closes nothing there is (Linux 5.9). */
static int part_by_close(void)
{
    return (int)syscall(SYS_close_range, ~0U, ~0U, CLOSE_RANGE_UNSHARE);
}

int twin_part(void)
{
    if (unshare(CLONE_FILES) == 0)
        return 0;
    int cause = errno;
    if (part_by_close() == 0)
        return 0;
    errno = cause;
    return -1;
}
