/*
 * pass - one message over a SOCK_SEQPACKET socketpair, with descriptors if there are any
 * (SCM_RIGHTS, unix(7)).
 */
#ifndef DROVER_OS_PASS_H
#define DROVER_OS_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Descriptors of one message at most. */
#define PASS_FDS_MAX 32

/* Two ends, both non-blocking and close-on-exec, that hold some 500 messages at least: a worker may
 * be late with two of each of 255 siblings at a start. -1 with errno set on failure. */
int pass_pair(int ends[2]);

/*
 * Sends the message whole or not at all, and never raises SIGPIPE. The descriptors stay open here.
 * Returns 0, or -1 with errno set: EAGAIN when the other side does not read, EPIPE when it is gone.
 */
int pass_send(int end, const void *bytes, size_t length, const int *fds, size_t fd_count);

/*
 * Puts `count` descriptors, one at least, beside a message that is about to be sent. `control` has
 * CMSG_SPACE(sizeof(int) * count) bytes, aligned as a struct cmsghdr, and stays until it is sent.
 */
void pass_attach(struct msghdr *message, void *control, const int *fds, size_t count);

/*
 * Receives one message. *fd_count is how many `fds` has room for, and then how many came; they
 * belong to the caller and are close-on-exec. NULL when none are expected: any that come are
 * closed. Returns the message's length, 0 at the end of file, -1 with errno set, EMSGSIZE when the
 * message or its descriptors did not fit.
 */
ssize_t pass_receive(int end, void *bytes, size_t size, int *fds, size_t *fd_count);

/* Has this process a descriptor left for one that is received? Where it has none, the kernel drops
 * what comes. `end` is any open descriptor. */
bool pass_has_room(int end);

#endif
