/*
 * sigfd - signals as something to read (signalfd(2)).
 *
 * The signals that drover knows are blocked before anything else happens and only ever read. Fault
 * signals, SIGABRT and the job-control stop keep their ways.
 */
#ifndef DROVER_OS_SIGFD_H
#define DROVER_OS_SIGFD_H

#include <signal.h>

/*
 * Blocks, and no longer ignores, TERM QUIT INT HUP USR1 USR2 TTIN TTOU CHLD PIPE in this process.
 * The mask before it is kept in *before, unless that is NULL. -1 with errno set on failure.
 */
int sigfd_block(sigset_t *before);

/* A non-blocking, close-on-exec descriptor that is readable when one of these signals, a list
 * that ends with 0, is pending. -1 with errno set on failure. */
int sigfd_open(const int *signals);

/* Takes one pending signal. Returns its number, 0 when none is pending, -1 with errno set. */
int sigfd_read(int fd);

/* "SIGTERM"; "signal 42" for one without a name here. Valid until the next call. */
const char *sigfd_name(int signal);

#endif
