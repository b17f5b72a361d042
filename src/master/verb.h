/*
 * verb - what may be asked for at the control socket: the same as by a signal, with an end that is
 * waited for; and the board, which is answered at once. One row a request.
 */
#ifndef DROVER_MASTER_VERB_H
#define DROVER_MASTER_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "master/state.h"

/* Bytes for why a request is refused, with the NUL. */
#define VERB_WHY_SIZE 128

struct verb {
    const char *words;      /* the request */
    enum outcome_kind kind; /* the end of which answers it */
    /* Begins it, unless it is under way. The end may come before this returns. NULL: the board is
     * wanted, which has no end to wait for and is given in every phase. */
    void (*begin)(struct master *m);
    /* What must stand behind the words and a blank, such as "N"; NULL: nothing. */
    const char *argument;
    /* Reads it, before begin() is called: n bytes. False: it cannot be, and `why` says what can. */
    bool (*read)(struct master *m, const char *argument, size_t n, char *why, size_t size);
};

/* The one of these n bytes, its argument among them; NULL: there is none, and which ones there are
 * is in `why`. */
const struct verb *verb_find(const char *words, size_t n, char why[VERB_WHY_SIZE]);

/* Reads the argument of the request, if there is one. False: `why` says what is allowed. */
bool verb_read(struct master *m, const struct verb *verb, const char *words, size_t n,
               char why[VERB_WHY_SIZE]);

/* May it begin now? Returns 0, or the status to exit with, EX_TEMPFAIL when another server is to be
 * asked; the reason is in `why`. NULL: any verb, of a master that ends. */
int verb_refuse(const struct master *m, const struct verb *verb, char why[VERB_WHY_SIZE]);

#endif
