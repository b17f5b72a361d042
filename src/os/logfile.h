/*
 * logfile - opens what log lines are written to.
 */
#ifndef DROVER_OS_LOGFILE_H
#define DROVER_OS_LOGFILE_H

#include <sys/un.h>

/*
 * A file to append to, made with mode 0640 when it is not there; a device; or a FIFO, which then
 * always has a reader: lines wait in it for one that comes, and what finds no room is refused.
 * Never waits, and no write to it does. The descriptor is close-on-exec. -1 with errno set.
 */
int logfile_open(const char *path);

/*
 * A socket for datagrams to the one at this path, which somebody must read now; it may be another
 * one's later. Close-on-exec and non-blocking. -1 with errno set.
 */
int logfile_socket(const char *path, struct sockaddr_un *address);

#endif
