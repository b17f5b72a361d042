/*
 * pristine - the descriptors that were open when a worker's standby was made (standby.h): all that
 * a successor knows from before its first moment.
 *
 * To its memory a number among them is what it was then: a door, a log, an application's file. The
 * worker may have closed one meanwhile, which closes it for the standby, too, and the next client
 * that is accepted would get its number: what a successor writes to its log, that client would
 * read. So no connection keeps such a number, and whatever has lost its descriptor stands for
 * nothing from then on: each use is EBADF.
 */
#ifndef DROVER_WORKER_PRISTINE_H
#define DROVER_WORKER_PRISTINE_H

#include <stdbool.h>
#include <sys/types.h>

#include "os/fds.h"

/* Zeroed: none. */
struct pristine {
    struct fds open;

    /* private */
    ino_t *sockets; /* owned; by number, 0: no socket */
    int room;       /* of these */
};

/* Notes what is open now. -1 with errno set. */
int pristine_note(struct pristine *pristine);
void pristine_free(struct pristine *pristine);

/* A copy of a descriptor that has a number which was none then; -1 with errno set. */
int pristine_copy(const struct pristine *pristine, int fd);

/* Is what has this number what was there, as far as it matters: open, and no connection but the
 * same one? A file may be another, as a log that was opened anew. */
bool pristine_is_intact(const struct pristine *pristine, int fd);

/* Closes it, and puts a descriptor there that is good for nothing, so that no other gets the
 * number; where none can be opened, it is closed alone. */
void pristine_block(int fd);

/* For a new connection, nowhere watched yet, that has one of the numbers: gives it another one,
 * which is returned, and blocks that one; -1 with errno set, and it is closed. */
int pristine_evade(const struct pristine *pristine, int fd);

#endif
