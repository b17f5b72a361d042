/*
 * nowait - writes to a descriptor that may be anything, a pipe that nobody reads among them, and
 * never waits.
 *
 * The descriptor may be shared with processes that expect it to wait, as stderr is, so O_NONBLOCK
 * is not set: a socket is told with each message, and a pipe or a terminal is asked before. A
 * regular file is written as it is.
 */
#ifndef DROVER_BASE_NOWAIT_H
#define DROVER_BASE_NOWAIT_H

#include <sys/types.h>
#include <sys/uio.h>

/*
 * As writev(2): fewer bytes than there are may leave. -1 with errno set: EAGAIN when none can now.
 * Never raises SIGPIPE for a socket. Of more than PIPE_BUF bytes to a pipe whose description does
 * wait, other writers beside this one may make it wait.
 */
ssize_t nowait_writev(int fd, const struct iovec *parts, int count);

#endif
