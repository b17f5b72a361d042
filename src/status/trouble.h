/*
 * trouble - what is wrong with a server, by its snapshot, in words: what a person is to see first,
 * and a machine is to raise an alarm about.
 */
#ifndef DROVER_STATUS_TROUBLE_H
#define DROVER_STATUS_TROUBLE_H

#include "base/buf.h"
#include "status/snapshot.h"

/* Kinds of trouble, one line each at most. */
#define TROUBLES_MAX 12

/* Appends a line for each, ended by '\n', as in "worker 1 (pid 4711) hangs since 3.2 s". Nothing
 * for a server that is well. Returns how many lines. */
int trouble_tell(struct buf *to, const struct snapshot *snapshot);

/* The same for whoever wants one at a time: calls `each` with the words of each line. */
void trouble_each(const struct snapshot *snapshot, void (*each)(void *context, const char *words),
                  void *context);

/* Does it hang, or is it stopped, as far as can be seen: the master has said so, or its turn has
 * lasted for so long that no healthy one does? */
bool trouble_hangs(const struct snapshot_worker *worker);

#endif
