/*
 * child - a process that was forked: how it is tied to its parent, what it may still do, and how
 * its end reads in words.
 */
#ifndef DROVER_OS_CHILD_H
#define DROVER_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who a process becomes. */
struct child_identity {
    bool change;
    uid_t uid;
    gid_t gid;
    char name[64]; /* for initgroups(3) and messages; the number if it has none */
};

/* Gives up the present user for another, supplementary groups too, for good. -1 with errno set. */
int child_become(const struct child_identity *identity);

/*
 * Ties this process to its parent: SIGKILL when that ends (PR_SET_PDEATHSIG), which reaches a
 * process that spins or is stopped too. To be called after child_become(), since a change of uid
 * clears it. Makes core dumps possible again, which the same change forbids.
 * Returns -1 with errno set; ESRCH if the parent was gone already.
 */
int child_tie(pid_t parent);

/* What waitpid(2) says of a process, in words: "killed by SIGSEGV, core dumped", "stopped by
 * SIGSTOP", "exit status 77 (EX_NOPERM)". */
void child_describe(int status, char *text, size_t size);

#endif
