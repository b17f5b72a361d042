/*
 * look - finds a server, and maps its board, so that what it is and does can be seen
 * (status/snapshot.h).
 *
 * A server that does not answer, since its master is stopped or hangs, is looked at all the same:
 * through /proc, as far as the kernel permits it.
 */
#ifndef DROVER_CLI_LOOK_H
#define DROVER_CLI_LOOK_H

#include "cli/ask.h"
#include "worker/board.h"

/*
 * Of the request, its program and its control socket count. Returns 0, with a board in *board,
 * which the caller gives back by board_unmap(); or the status to exit with, and stderr has why.
 * The board stays what it was when the server ends: see snapshot->pid, and snapshot->phase.
 */
int look_open(const struct request *request, const struct board **board);

/* The same, with a descriptor to read the board by, which the caller closes: whether this version
 * can read it is for board_map() to say. */
int look_fd(const struct request *request, int *fd);

/* Maps it, and closes the descriptor. Returns as look_open() does. */
int look_map(const struct request *request, int fd, const struct board **board);

#endif
