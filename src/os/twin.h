/*
 * twin - a process beside this one with the same descriptor table (clone(2), CLONE_FILES): what
 * either opens or closes, both have or have not. Sockets outlive the process that has used them, as
 * long as its twin lives.
 *
 * The price is that the kernel takes a reference of the file for every system call on one: it may
 * skip that only where a table has one user.
 */
#ifndef DROVER_OS_TWIN_H
#define DROVER_OS_TWIN_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Forks a twin. It has this process's parent (CLONE_PARENT), who reaps it and gets its SIGCHLD, and
 * a copy of its memory. Returns its pid here, 0 in the twin, -1 with errno set.
 *
 * libc does not know of it: what pthread_atfork(3) has set up does not run, so this process must
 * have one thread, which has no robust mutex locked. The twin's thread gets its own number where
 * libc has noted this one's, if that can be found.
 */
pid_t twin_fork(void);

/*
 * Has this process's table take the numbers below `count`, as far as its limit goes
 * (RLIMIT_NOFILE), without growing again. `fd`: any that is open. Costs 8 bytes a number. -1 with
 * errno set: it will grow when it must.
 *
 * To be called before a twin is made: where a table has two users the kernel waits, each time it
 * doubles, until no CPU looks at the old one any more (expand_fdtable(), synchronize_rcu()), and
 * whoever opens a descriptor stands still meanwhile: 9 to 130 ms on a busy machine.
 */
int twin_reserve(int fd, int count);

/* Can it? Else, as with musl, or a kernel without CONFIG_CHECKPOINT_RESTORE, what libc does to the
 * twin's thread it does to this one's: abort(3) and raise(3) there signal the wrong thread, or
 * none, and who has locked a mutex is not known. */
bool twin_is_itself(void);

/* From here on this process has a table of its own, a copy (unshare(2), or close_range(2)). -1 with
 * errno set. */
int twin_part(void);

#endif
