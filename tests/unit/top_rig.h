/*
 * top_rig - a snapshot for the tests of `drover top`: a server of some workers, two seconds old.
 */
#ifndef DROVER_TESTS_TOP_RIG_H
#define DROVER_TESTS_TOP_RIG_H

#include "status/snapshot.h"
#include "support.h"
#include "worker/slot_state.h"

/* Worker i: slot and row i, pid 1000 + i; 10 * (i + 1) requests and as many wake-ups, i wasted. */
static inline struct snapshot_worker top_rig_worker(int i)
{
    uint64_t n = (uint64_t)i;
    return (struct snapshot_worker){
        .pid = 1000 + i,
        .slot = i,
        .row = i,
        .generation = 1,
        .is_ready = true,
        .age_ms = 2000,
        .counts = {.row = {.requests = 10 * (n + 1), .wakeups = 10 * (n + 1), .wasted = n},
                   .cpu_us = 1000 * n,
                   .voluntary = n,
                   .rss = (n + 1) << 20}};
}

/* Zeroed before. */
static inline void top_rig_fill(struct snapshot *s, int workers)
{
    s->date = 1000LL * 60 * 60 * 12; /* noon */
    s->age_ms = 2000;
    s->pid = 999;
    s->phase = BOARD_SERVING;
    s->generation = 1;
    s->workers_wanted = (uint64_t)workers;
    s->worker_count = s->ready_count = s->slot_count = workers;
    snprintf(s->version, sizeof s->version, "1.2.3");
    snprintf(s->app, sizeof s->app, "static");
    snprintf(s->addresses, sizeof s->addresses, "http://127.0.0.1:8080/");
    for (int i = 0; i < workers; i++) {
        s->workers[i] = top_rig_worker(i);
        s->slots[i].worker = i;
        s->slots[i].board.state = SLOT_LIVE;
        s->slots[i].board.queued = s->slots[i].board.drops = (uint64_t)i;
    }
}

static inline void top_rig_tell(struct snapshot *s, unsigned level, const char *text)
{
    struct board_event *event = &s->events[s->event_count++];
    event->number = (uint64_t)s->event_count;
    event->date = s->date + 1000 * s->event_count;
    event->level = level;
    snprintf(event->text, sizeof event->text, "%s", text);
}

#endif
