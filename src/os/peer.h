/*
 * peer - the two ends of a control socket: SOCK_SEQPACKET at a path in the file system, whose file
 * its owner alone may connect to (unix(7)). Messages go by pass.h.
 */
#ifndef DROVER_OS_PEER_H
#define DROVER_OS_PEER_H

#include <sys/types.h>

#include "os/sockfile.h"

/* Bytes of a path, with its NUL: sun_path of unix(7). */
#define PEER_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

/* Who is at the other end: when it connected, or, of a server, when it last called listen(2). */
struct peer {
    pid_t pid;
    uid_t uid;
};

/*
 * Makes the file, mode 0600 from its first moment on, and listens: `backlog` may wait. A stale file
 * is replaced; *file is which one it is. Returns a non-blocking, close-on-exec descriptor, or -1
 * with errno set: EADDRINUSE when a server listens there, ENAMETOOLONG.
 */
int peer_listen(const char *path, int backlog, struct sockfile *file);

/* Takes the next one that has connected, as accept4(2) does: non-blocking, close-on-exec. */
int peer_accept(int listener);

/*
 * Connects, and waits `timeout_ms` for a server that has as many as it can take. Returns a
 * blocking, close-on-exec descriptor, or -1 with errno set: ECONNREFUSED when the file is stale,
 * EAGAIN when the time was up, ENAMETOOLONG, and as connect(2) does.
 */
int peer_connect(const char *path, int timeout_ms);

/* SO_PEERCRED of socket(7). 0, or -1 with errno set. */
int peer_get(int fd, struct peer *peer);

#endif
