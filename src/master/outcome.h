/*
 * outcome - the end of what was asked of the server, by a signal or by a verb: told once, in the
 * log and to everybody who waits for it.
 *
 * What is broken off to begin anew has not come to its end: who waits goes on waiting.
 */
#ifndef DROVER_MASTER_OUTCOME_H
#define DROVER_MASTER_OUTCOME_H

#include "master/state.h"

/* Bytes of the words of an outcome, with the NUL: all that is wrong with a configuration. */
#define OUTCOME_TEXT_SIZE CONFIGURATION_WHY_SIZE

/* It is under way. */
void outcome_begin(struct master *m, enum outcome_kind kind);

/* It is broken off, and begins anew: no failure. The words say that it does, and why. */
void outcome_again(struct master *m, enum outcome_kind kind, const char *why);

/* What an upgrade comes to is what the reload that was asked for meanwhile comes to, too. */
void outcome_join(struct master *m);

/*
 * It has come to its end. `status`: 0, or what a verb that has asked for it exits with; nothing is
 * changed then, and the words, one or more lines, say why. A reload that cannot begin while another
 * is under way is told to who has asked for it, and the other one's end is still to come.
 */
void outcome_end(struct master *m, enum outcome_kind kind, int status, const char *words);

#endif
