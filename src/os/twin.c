#include "os/twin.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t twin_fork(void)
{
    /* The call itself: libc's clone(3) wants a stack, and this one is copied with all else. */
    return (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_FILES | CLONE_PARENT | SIGCHLD), 0UL,
                          0UL, 0UL, 0UL);
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
