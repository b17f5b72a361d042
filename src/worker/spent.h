/*
 * spent - whether a worker has served long enough to be replaced: so many requests answered, or so
 * much memory resident.
 */
#ifndef DROVER_WORKER_SPENT_H
#define DROVER_WORKER_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spent {
    uint64_t max_requests; /* 0: any; with the jitter */
    uint64_t max_rss;      /* bytes; 0: any */
    int statm;             /* proc_pid_statm(5) of its own; owned; -1: not needed, or not there */
    int64_t look_at;       /* the next look at it, not before */
    bool is_stirred;       /* something was done since the last one */
};

/*
 * `max_requests` is moved by up to a tenth, as `random` has it: workers that started together are
 * not to end together.
 */
void spent_open(struct spent *spent, uint64_t max_requests, uint64_t max_rss, uint64_t random);
void spent_close(struct spent *spent);

/* Is there anything that it could be spent by? */
static inline bool spent_can_be(const struct spent *spent)
{
    return spent->max_requests > 0 || spent->statm >= 0;
}

/* To be called after a turn that did something. Is it spent, having answered so many requests? In
 * words then, which have "it" before them. */
bool spent_look(struct spent *spent, uint64_t requests, int64_t now, char *why, size_t size);

/* When spent_look() is due although nothing is done; CLOCK_NEVER. */
int64_t spent_next(const struct spent *spent);

#endif
