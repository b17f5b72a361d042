/*
 * pidfile - the master's pid in a file, locked for as long as the master lives.
 */
#ifndef DROVER_OS_PIDFILE_H
#define DROVER_OS_PIDFILE_H

#include <sys/types.h>

/*
 * Creates or takes over the file, locks it (fcntl(2), which a fork does not inherit), and writes
 * this process's pid. Returns a descriptor that holds the lock while it is open, or -1 with errno
 * set; EWOULDBLOCK when another process holds it, its pid in *holder.
 */
int pidfile_open(const char *path, pid_t *holder);

/* Removes the file, then gives the lock back. */
void pidfile_close(int fd, const char *path);

#endif
