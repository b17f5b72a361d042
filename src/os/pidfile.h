/*
 * pidfile - the master's pid in a file, locked for as long as the master lives.
 *
 * The lock is one of the open file (F_OFD_SETLK, fcntl(2)): it lasts until the last copy of the
 * descriptor is closed, so a child that is not the next master closes its copy first of all, and
 * the next master, to which it is handed, has the lock without a moment between.
 */
#ifndef DROVER_OS_PIDFILE_H
#define DROVER_OS_PIDFILE_H

#include <sys/types.h>

/*
 * Creates or takes over the file, locks it, and writes this process's pid. Returns a descriptor,
 * close-on-exec, that holds the lock while it is open, or -1 with errno set; EWOULDBLOCK when
 * another process holds it: its pid as the file has it in *holder, 0 if it has none.
 */
int pidfile_open(const char *path, pid_t *holder);

/*
 * Makes an inherited descriptor this process's own: writes its pid into the file. Whoever handed it
 * over closes its copy; if it is to stay after all, it adopts the file back. Returns 0, or -1 with
 * errno set, the file as it was: EWOULDBLOCK when another holds the lock, ESTALE when this is not,
 * or no longer, the file at `path`.
 */
int pidfile_adopt(int fd, const char *path);

/* Removes the file if it is still this one and names this process, then gives the lock back. */
void pidfile_close(int fd, const char *path);

#endif
