/*
 * health - how many workers make progress, counted from the states of a plan, and whether they are
 * enough for the service manager to leave the server alone.
 *
 * Pure, as the plan is.
 */
#ifndef DROVER_MASTER_HEALTH_H
#define DROVER_MASTER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "master/plan.h"

struct health {
    int wanted;    /* workers */
    int accepting; /* of them: those that make progress. A slot that is steered around is no
                    * illness: its worker may be full */
    int stalled;   /* hang, or were stopped */
    int refused;   /* are not tried again */
    int waiting;   /* have ended, and are tried again */
    int next;      /* the first of these: its slot; -1 */
    int64_t delay; /* and the milliseconds that it waits, all in all */
};

void health_of(const struct plan *plan, struct health *health);

/* Do at least a quarter of the wanted workers, and at least one, make progress? Fewer do not serve
 * what all are meant for, and nothing that the master does by itself has helped. */
bool health_is_good(const struct health *health);

#endif
