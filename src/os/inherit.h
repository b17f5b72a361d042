/*
 * inherit - descriptors that a process is started with: from 3 on, as many as LISTEN_FDS says,
 * named in LISTEN_FDNAMES, for the process of LISTEN_PID (sd_listen_fds(3)). One path for socket
 * activation, the descriptor store and the change of the binary, to both sides of which this is.
 *
 * Go by name, never by order. A name may have no colon and no control character; systemd takes at
 * most 255 bytes.
 */
#ifndef DROVER_OS_INHERIT_H
#define DROVER_OS_INHERIT_H

#include <stddef.h>

#include "base/limits.h"

/* Every slot's listeners, its own and lent ones, both ends of its inbox, and some that belong to
 * the master. */
#define INHERIT_MAX (2 * ADDRESSES_MAX * SLOTS_MAX + 2 * SLOTS_MAX + 16)

struct inherit_entry {
    int fd;
    const char *name;
};

/* What this process was given. The memory is the noun's own, the descriptors the caller's. */
struct inherit {
    struct inherit_entry *entries;
    size_t count;
    char *names;
};

/*
 * Takes what this process was given: nothing, and that is a success, when the variables are not
 * there or meant for another process. The descriptors become close-on-exec, and the variables
 * leave the environment in any case, so that no child believes in them. One without a name is
 * "unknown".
 * Returns 0, or -1 with errno set and, in `why`, what is wrong: then nothing is in *inherit, and
 * the descriptors are as they were, or close-on-exec.
 */
int inherit_take(struct inherit *inherit, char *why, size_t size);

/* Frees the memory, names included; closes nothing. */
void inherit_free(struct inherit *inherit);

/*
 * For a child that was forked to run another binary: puts the entries' descriptors at 3, 4, .. in
 * this order, open across execve(2), and changes the entries to say so. Whatever was there before
 * is closed, but for the entries themselves and for *report, the descriptor that the caller tells
 * a failure through: it is moved out of the way, close-on-exec. One descriptor may be in several
 * entries. Needs up to twice as many descriptors as there are entries for a moment.
 * Returns 0, or -1 with errno set: EINVAL for more than INHERIT_MAX, EMFILE, EBADF.
 */
int inherit_place(struct inherit_entry *entries, size_t count, int *report);

/*
 * inherit_place(), then the three variables, then `extra` ("NAME=VALUE", NULL at the end; NULL for
 * none), then execve(2) with the environment as it is then. `path` is a path: nothing is searched.
 * Returns only on failure: -1 with errno set, and *report is where to say so.
 */
int inherit_exec(const char *path, char *const argv[], struct inherit_entry *entries, size_t count,
                 char *const extra[], int *report);

#endif
