/*
 * finder - finds the server that a verb is for, and says what is the matter when it is not one.
 */
#ifndef DROVER_CLI_FINDER_H
#define DROVER_CLI_FINDER_H

#include "base/buf.h"

/*
 * Connects to the control socket at this path; NULL: where $RUNTIME_DIRECTORY says, if it does, as
 * in a command of a service; else to the only one that answers at the places where servers put
 * theirs (os/control_path.h). Returns 0, with the descriptor in *fd, which belongs to the caller;
 * or the status to exit with, and appends why, in lines, ended by a NUL: EX_UNAVAILABLE for none,
 * EX_USAGE for several, each of which has a line then that begins with a blank, EX_NOPERM for
 * another user's.
 */
int finder_connect(const char *path, int *fd, struct buf *why);

#endif
