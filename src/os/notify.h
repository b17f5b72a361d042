/*
 * notify - the service manager's datagram socket, as sd_notify(3) speaks to it.
 *
 * A message is lines of NAME=VALUE, without a newline at the end. The manager believes each line it
 * gets, so words that come from elsewhere (a file's name, a reason) go through notify_status().
 *
 * Nothing here waits. sd_notify(3) does while the manager's queue is full (net.unix.max_dgram_qlen,
 * 512 under systemd: a manager that reloads itself under many chatty services), and a master that
 * waits for PID 1 supervises nobody. So a message that finds no room is not sent, which is EAGAIN,
 * and belongs to the caller still: what must arrive (READY=1, STOPPING=1, FDSTORE=1, MAINPID=) is
 * sent again at its next tick, what is renewed anyway (STATUS=, WATCHDOG=1) may be dropped.
 * Messages of one process arrive in the order in which they were sent.
 *
 * Without a manager all of it succeeds and does nothing.
 */
#ifndef DROVER_OS_NOTIFY_H
#define DROVER_OS_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Bytes of a message at most: the manager reads this much (PIPE_BUF) and drops a longer one. */
#define NOTIFY_TEXT_MAX 4096

/* Descriptors of a message at most: the kernel's SCM_MAX_FD (unix(7)). */
#define NOTIFY_FDS_MAX 253

struct notify {
    int fd; /* -1: no service manager */
    struct sockaddr_un to;
    socklen_t length;
};

/*
 * Finds the manager: NOTIFY_SOCKET is a path, or @NAME in the abstract namespace. One that is not
 * there, or empty, is no manager, and that is a success. The variable stays, since the next master,
 * which is exec'ed, needs it; nobody is asked yet, so a wrong path is seen by the first message.
 * The socket is close-on-exec. Returns 0, or -1 with errno set and no manager: EAFNOSUPPORT for
 * another kind of address (vsock:), ENAMETOOLONG, and those of socket(2).
 */
int notify_open(struct notify *n);

/* Then there is no manager. */
void notify_close(struct notify *n);

/*
 * Sends one message whole, or nothing of it; never waits, and never raises SIGPIPE. Returns 0, or
 * -1 with errno set: EAGAIN when the manager's queue is full, to be tried again later; EMSGSIZE
 * above NOTIFY_TEXT_MAX; ENOENT or ECONNREFUSED when nobody listens there, which lasts for as long
 * as the manager is away; EACCES, EPERM.
 */
int notify_send(const struct notify *n, const char *text);

/*
 * The same with descriptors (SCM_RIGHTS), which stay open here. EINVAL above NOTIFY_FDS_MAX, EBADF
 * when one is not open, ETOOMANYREFS when too many that were sent have not been received.
 */
int notify_send_fds(const struct notify *n, const char *text, const int *fds, size_t count);

/*
 * Asks to be told when the manager has handled all that was sent before (BARRIER=1): it closes the
 * write end of a pipe. Returns the read end, close-on-exec and non-blocking, the caller's to close:
 * end of file, EPOLLHUP, once that is so, and nothing is ever to be read before it. Without a
 * manager that is at once. The manager may die first, which is the end of file, too; or never come
 * to it, so a deadline belongs to it. -1 with errno set: as notify_send_fds(), EMFILE, ENFILE.
 */
int notify_barrier(const struct notify *n);

/*
 * Milliseconds within which the manager wants WATCHDOG=1 again and again, or it ends the service:
 * WATCHDOG_USEC, 1 at least, if WATCHDOG_PID is this process or not there (sd_watchdog_enabled(3)).
 * 0: it wants none, or what it says is no such number.
 */
int64_t notify_watchdog(void);

/*
 * Is there a descriptor store (FDSTORE=1), as far as can be known? No without a manager and with
 * FDSTORE=0 in the environment, yes otherwise. *room: how many descriptors it takes, FDSTORE's
 * number, which systemd sets since 254; 0 without it: what is sent to be stored may be closed
 * there.
 */
bool notify_keeps_descriptors(const struct notify *n, uint64_t *room);

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID and FDSTORE out of the environment, for a
 * process that is to tell nothing, nor what it runs: a worker. What is open stays so. */
void notify_forget(void);

/*
 * Writes "STATUS=words" to `out`, terminated by NUL and without a newline, so that it can stand in
 * a message and forge nothing: what would end a line, and each other control below U+0020, becomes
 * a space; DEL, the controls above it and bytes that are no UTF-8, for which the manager would drop
 * the whole status, become '?'. What does not fit is cut, before a character and not in it. `size`
 * is at least sizeof "STATUS=". Returns the length.
 */
size_t notify_status(char *out, size_t size, const char *words);

#endif
