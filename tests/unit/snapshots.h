/*
 * snapshots - servers for the tests of what is shown of one: boards, and snapshots of them.
 */
#ifndef DROVER_TESTS_SNAPSHOTS_H
#define DROVER_TESTS_SNAPSHOTS_H

#include "status/snapshot.h"
#include "support.h"
#include "worker/slot_state.h"

/* Of these servers, as clock_ms(); and a date: 2026-01-31 12:00:00 UTC. */
#define NOW  100000
#define DATE INT64_C(1769860800000)

/* The one that was taken last: more than a stack is for. */
static struct snapshot snapshot;

/* A server that serves with this many workers, whose pids are above PID_MAX_LIMIT: of no process.
 */
static inline struct board *make_server(int workers)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    board->pid = 4999999;
    board->phase = BOARD_SERVING;
    board->generation = 1;
    board->begun_ms = NOW - 90000;
    board->looked_ms = NOW - 20;
    board->workers = board->slot_count = board->row_count = (uint64_t)workers;
    snprintf(board->version, sizeof board->version, "0.1.0");
    for (int i = 0; i < workers; i++) {
        board->slots[i].state = SLOT_LIVE;
        board->workers_of[i] = (struct board_worker){.pid = 5000000 + (uint64_t)i,
                                                     .slot = (uint64_t)i,
                                                     .is_ready = 1,
                                                     .generation = 1,
                                                     .begun_ms = NOW - 60000};
    }
    return board;
}

static inline void take(const struct board *board)
{
    snapshot_take_at(&snapshot, board, NOW, DATE);
}

/* Every byte that is read of one is of any value. */
static inline void make_hostile(struct board *board)
{
    memset((char *)board + 64, 0xff, sizeof *board - 64);
}

#endif
