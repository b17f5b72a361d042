/*
 * orphan - a process that becomes an orphan when its maker says so: the child of init, or of the
 * nearest subreaper (PR_SET_CHILD_SUBREAPER), while its maker lives on.
 *
 * It is forked twice. The process between the two stands for it as long as it is to be the maker's:
 * it ends as the orphan ends, with the same exit status or by the same signal, and its end is what
 * the maker reaps. It ends with its maker, too. A service manager takes a main process that is not
 * its own child for one that it cannot wait for.
 */
#ifndef DROVER_OS_ORPHAN_H
#define DROVER_OS_ORPHAN_H

#include <sys/types.h>

struct orphan {
    pid_t pid;     /* 0: there is none */
    pid_t between; /* the caller's child; 0: there is none any more */
};

/*
 * As fork(2): returns 0 in the new process, 1 in the caller, with both numbers in *orphan, and -1
 * with errno set when there is no new process. Waits until it is forked.
 */
int orphan_fork(struct orphan *orphan);

/* From here on it is an orphan, and its end is not the caller's to see. Returns 0, or -1 with errno
 * set when it had been one, or had ended, before. */
int orphan_let_go(struct orphan *orphan);

#endif
