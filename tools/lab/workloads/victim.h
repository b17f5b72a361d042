/*
 * victim - the worker that something is done to: the one that is likely to be woken next.
 */
#ifndef DROVER_LAB_WORKLOADS_VICTIM_H
#define DROVER_LAB_WORKLOADS_VICTIM_H

#include <stdint.h>

#include "lab/trial/settings.h"

struct trial;

struct victim {
    uint64_t accepted[LAB_WORKERS_MAX]; /* private: as it was when it was looked at before */
    unsigned last, before_last;         /* private: who has taken connections */
};

void victim_init(struct victim *victim, const struct trial *trial);

/* Looks who has accepted since then. Returns how many connections that were. */
uint64_t victim_look(struct victim *victim, const struct trial *trial);

/* Whoever took the last connections takes the next one, too, or, if these were two, the one that
 * follows: strategies have favourites, or go by turns, and of what is drawn nobody can know. */
unsigned victim_next(const struct victim *victim, const struct trial *trial);

/* Has some single clients served first, to know. -1 with errno set and words in the trial. */
int victim_find(struct trial *trial, unsigned *slot);

#endif
