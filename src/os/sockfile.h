/*
 * sockfile - the file of a unix socket (unix(7)): what bind(2) makes and close(2) leaves behind, so
 * that one whose server was killed is still there, and stale.
 */
#ifndef DROVER_OS_SOCKFILE_H
#define DROVER_OS_SOCKFILE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* Which file it is, whatever its path is now. A zeroed one is no file. */
struct sockfile {
    dev_t device;
    ino_t inode;
};

/*
 * bind(2). A file at which no server of the same type of socket listens any more is removed first;
 * what is no socket, or a link to one, never is. An abstract name has no file. Returns 0, or -1
 * with errno set: EADDRINUSE when a server listens there, or when it cannot be known.
 */
int sockfile_bind(int fd, const struct sockaddr_un *address, socklen_t length);

/* Which one is at this path? -1 with errno set, ENOTSOCK for another kind of file, and a zeroed
 * *file. */
int sockfile_at(const char *path, struct sockfile *file);

/* Is it still the one at this path? */
bool sockfile_is_at(const char *path, const struct sockfile *file);

/* Removes it, if it is still the one at this path. Keeps errno. */
void sockfile_remove(const char *path, const struct sockfile *file);

/*
 * rename(2) of a socket's file, which clients find at one of the two paths at any time: a stale one
 * at the new path is replaced, and nothing else. `type`: of the socket, SOCK_SEQPACKET. Returns 0,
 * or -1 with errno set, EADDRINUSE when there is something.
 */
int sockfile_move(const char *from, const char *to, int type);

#endif
