/*
 * generation - the workers of one reading of the configuration: what they run with, where their
 * clients come in, and the plan by which they are supervised.
 *
 * There is a present one. A reload makes a coming one beside it, on the same slots: each has a
 * socket for every address that both have, and both share it. Once the coming one is ready it is
 * the present one, and the other lives on until its last worker has left.
 */
#ifndef DROVER_MASTER_GENERATION_H
#define DROVER_MASTER_GENERATION_H

#include <stddef.h>

#include "config/configuration.h"
#include "master/logs.h"
#include "master/plan.h"
#include "worker/doors.h"

struct generation {
    struct generation *next;             /* of those whose workers leave */
    struct configuration *configuration; /* owned, but the first one's by who started the server */
    struct settings *settings;           /* the configuration's */
    const struct drover_app *app;        /* the same */
    struct doors doors;                  /* sockets are owned by the master: see slots.h */
    struct doors admin;                  /* the admin process's, one slot; the same */
    struct plan plan;
    struct logs logs;   /* where it logs */
    uint64_t number;    /* the first is 1; one more than the one that it is to replace */
    int64_t configured; /* workers, before signals changed the number */
    int64_t begun;      /* when its reload was asked for, as clock_ms() */
    size_t children;    /* that were not reaped yet */
};

/* With no doors, and no slots in its plan. NULL with errno set. */
struct generation *generation_new(struct configuration *configuration);

/* Gives back its memory, not its doors. NULL is allowed. */
void generation_free(struct generation *generation, const struct configuration_source *source);

#endif
