/*
 * nowait - writes to a descriptor that may be anything, a pipe that nobody reads among them, and
 * never waits.
 *
 * The descriptor may be shared with processes that expect it to wait, as stderr is, so O_NONBLOCK
 * is not set: a socket or a pipe is told with each message, or the pipe is opened a second time for
 * it, and a terminal is asked before. A regular file is written as it is.
 */
#ifndef DROVER_BASE_NOWAIT_H
#define DROVER_BASE_NOWAIT_H

#include <sys/types.h>
#include <sys/uio.h>

#define NOWAIT_PARTS_MAX 2

/*
 * As writev(2), of at most NOWAIT_PARTS_MAX parts: fewer bytes than there are may leave. -1 with
 * errno set: EAGAIN when none can now. Never raises SIGPIPE for a socket.
 *
 * A pipe that waits, of a kernel that cannot be told, and which this process may not open, is asked
 * and gets PIPE_BUF bytes at most: it waits only where another writer comes between the two.
 */
ssize_t nowait_writev(int fd, const struct iovec *parts, int count);

/* The pipe that the descriptor is of, to write to, and never waiting; close-on-exec. -1 with errno
 * set: it is no pipe, or this process may not open it. */
int nowait_open(int fd);

#endif
