#include "status/snapshot.h"

#include <math.h>

#include "snapshots.h"

static void sample(struct board *board, int64_t ago_ms, uint64_t requests)
{
    board->samples[board->sample_count % BOARD_SAMPLES] = (struct board_sample){
        .at_ms = NOW - ago_ms, .requests = requests, .accepted = requests / 2};
    board->sample_count++;
}

static bool is_near(double seen, double wanted)
{
    return fabs(seen - wanted) < 1e-6;
}

/* --------------------------------------------------------------------------------- the sums */

Test(snapshot, of_an_empty_board_is_all_nothing)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    board->row_count = 0;
    take(board);
    cr_expect_eq(snapshot.worker_count + snapshot.slot_count + snapshot.event_count, 0);
    cr_expect_eq(snapshot.jain + snapshot.wakeups_per_connection + snapshot.latency.p999, 0);
    cr_expect_not(snapshot_is_ready(&snapshot));
    cr_expect_not(snapshot.rates[SNAPSHOT_1S].is_known);
    board_close(board);
}

Test(snapshot, adds_up_all_rows_and_has_the_workers_of_now)
{
    struct board *board = make_server(3);
    board->row_count = 4; /* the last one's has left */
    for (int i = 0; i < 4; i++) {
        board->rows[i].requests = 10;
        board->rows[i].times[8] = 10;
        board->rows[i].wakeups = 6;
        board->rows[i].accepted = 4;
        board->rows[i].of_app[0] = 1;
    }
    board->ended_cpu_us = 7;
    board->ended_voluntary = 8;
    board->ended_involuntary = 9;
    board->ended[BOARD_END_SIGNAL] = 1;
    take(board);
    cr_expect_eq(snapshot.worker_count, 3);
    cr_expect_eq(snapshot.ready_count, 3);
    cr_expect_eq(snapshot.sum.row.requests, 40);
    cr_expect_eq(snapshot.sum.row.times[8], 40);
    cr_expect_eq(snapshot.sum.row.of_app[0], 4);
    cr_expect_eq(snapshot.sum.cpu_us, 7);
    cr_expect_eq(snapshot.sum.voluntary, 8);
    cr_expect_eq(snapshot.sum.involuntary, 9);
    cr_expect_eq(snapshot.ended[BOARD_END_SIGNAL], 1);
    cr_expect(is_near(snapshot.wakeups_per_connection, 1.5));
    cr_expect_eq(snapshot.age_ms, 90000);
    cr_expect_eq(snapshot.looked_ms_ago, 20);
    board_close(board);
}

Test(snapshot, asks_proc_of_the_servers_own_children_alone)
{
    struct board *board = make_server(1);
    board->workers_of[0].pid = (uint64_t)getpid();
    board->pid = (uint64_t)getppid();
    board->ended_voluntary = 1000000;
    take(board);
    cr_expect_gt(snapshot.workers[0].counts.rss, 0);
    cr_expect_gt(snapshot.workers[0].counts.cpu_us, 0);
    cr_expect_eq(snapshot.sum.rss, snapshot.workers[0].counts.rss);
    cr_expect_eq(snapshot.sum.voluntary, 1000000 + snapshot.workers[0].counts.voluntary);
    board->pid = (uint64_t)getpid();
    take(board);
    cr_expect_eq(snapshot.workers[0].counts.rss + snapshot.workers[0].counts.cpu_us, 0);
    board_close(board);
}

/* ------------------------------------------------------------------------------ the workers */

Test(snapshot, workers_come_by_slot_and_those_that_leave_last)
{
    struct board *board = make_server(4);
    static const struct {
        uint64_t slot, is_leaving, begun_ms;
    } rows[] = {{1, 1, NOW - 50}, {1, 0, NOW - 5}, {0, 0, NOW - 30}, {1, 0, NOW - 10}};
    board->slot_count = 2;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        board->workers_of[i].slot = rows[i].slot;
        board->workers_of[i].is_leaving = rows[i].is_leaving;
        board->workers_of[i].begun_ms = rows[i].begun_ms;
    }
    take(board);
    static const int wanted[] = {2, 3, 1, 0};
    for (size_t i = 0; i < LENGTH(wanted); i++)
        cr_expect_eq(snapshot.workers[i].row, wanted[i], "%zu: %d", i, snapshot.workers[i].row);
    cr_expect_eq(snapshot.slots[0].worker, 0);
    cr_expect_eq(snapshot.slots[1].worker, 1, "not its successor's");
    cr_expect_eq(snapshot.ready_count, 3);
    board->workers_of[2].is_leaving = 1;
    take(board);
    cr_expect_eq(snapshot.slots[0].worker, -1, "who leaves is not the slot's");
    board_close(board);
}

Test(snapshot, workers_as_old_as_each_other_come_by_row)
{
    struct board *board = make_server(5);
    for (int i = 0; i < 5; i++)
        board->workers_of[i].slot = 1;
    take(board);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(snapshot.workers[i].row, i, "%d: %d", i, snapshot.workers[i].row);
    board_close(board);
}

Test(snapshot, says_how_long_a_turn_lasts)
{
    struct board *board = make_server(2);
    board->rows[1].busy_since = NOW - 1500;
    board->rows[0].busy_since = NOW + 3; /* since the clock was read */
    take(board);
    cr_expect_eq(snapshot.workers[0].busy_ms, 0);
    cr_expect_eq(snapshot.workers[1].busy_ms, 1500);
    board_close(board);
}

Test(snapshot, is_safe_with_what_makes_no_sense)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    make_hostile(board);
    take(board);
    cr_expect_eq(snapshot.worker_count, BOARD_ROWS);
    cr_expect_eq(snapshot.slot_count, SLOTS_MAX);
    cr_expect_eq(snapshot.metric_count, DROVER_METRICS_MAX);
    cr_expect_leq(snapshot.event_count, 1, "that one has its number");
    cr_expect_eq(strlen(snapshot.root), sizeof snapshot.root - 1);
    cr_expect_str_eq(snapshot_phase(&snapshot), "unknown");
    cr_expect_str_eq(snapshot_state(&snapshot.slots[0]), "unknown");
    board_close(board);
}

/* ------------------------------------------------------------------------------- being ready */

Test(snapshot, is_ready_while_every_slot_is_served)
{
    static const struct {
        const char *name;
        enum board_phase phase;
        enum slot_state state;
        uint64_t adopter;
        bool is_ready;
    } rows[] = {
        {"live", BOARD_SERVING, SLOT_LIVE, 0, true},
        {"its successor starts", BOARD_SERVING, SLOT_RELIEVED, 0, true},
        {"stalled", BOARD_SERVING, SLOT_STALLED, 0, false},
        {"stalled, adopted", BOARD_SERVING, SLOT_STALLED, 1, true},
        {"empty, adopted", BOARD_SERVING, SLOT_EMPTY, 2, true},
        {"waiting", BOARD_SERVING, SLOT_WAITING, 0, false},
        {"starting", BOARD_STARTING, SLOT_LIVE, 0, false},
        {"lame duck", BOARD_LAME, SLOT_LIVE, 0, false},
        {"stopping", BOARD_STOPPING, SLOT_LIVE, 0, false},
        {"left", BOARD_LEFT, SLOT_LIVE, 0, false},
    };
    struct board *board = make_server(2);
    for (size_t i = 0; i < LENGTH(rows); i++) {
        board->phase = rows[i].phase;
        board->slots[1].state = rows[i].state;
        board->slots[1].adopter = rows[i].adopter;
        take(board);
        cr_expect_eq(snapshot_is_ready(&snapshot), rows[i].is_ready, "%s", rows[i].name);
    }
    board_close(board);
}

/* --------------------------------------------------------------------------------- the rates */

Test(snapshot, rates_are_against_the_nearest_sample)
{
    struct board *board = make_server(1);
    board->rows[0].requests = 10000;
    board->rows[0].accepted = 5000;
    for (int64_t s = 63; s >= 0; s--)
        sample(board, s * 1000 + 100, 10000 - (uint64_t)s * 100);
    take(board);
    for (int i = 0; i < SNAPSHOT_RATES; i++)
        cr_expect(snapshot.rates[i].is_known);
    cr_expect(is_near(snapshot.rates[SNAPSHOT_1S].requests, 100 / 1.1));
    cr_expect(is_near(snapshot.rates[SNAPSHOT_10S].requests, 1000 / 10.1));
    cr_expect(is_near(snapshot.rates[SNAPSHOT_60S].requests, 6000 / 60.1));
    cr_expect(is_near(snapshot.rates[SNAPSHOT_60S].accepted, 3000 / 60.1));
    board_close(board);
}

Test(snapshot, a_sample_that_is_being_written_is_left_alone)
{
    struct board *board = make_server(1);
    board->rows[0].requests = 10000;
    for (int64_t s = 70; s >= 0; s--)
        sample(board, s * 1000 + 100, 10000 - (uint64_t)s * 100);
    board->samples[board->sample_count % BOARD_SAMPLES] = (struct board_sample){
        .at_ms = NOW - 60000, .requests = 3};
    take(board);
    cr_expect(is_near(snapshot.rates[SNAPSHOT_60S].requests, 6000 / 60.1));
    board_close(board);
}

Test(snapshot, a_rate_is_not_known_before_the_server_is_that_old)
{
    static const struct {
        const char *name;
        int64_t oldest_ms, newest_ms;
        bool is_known[SNAPSHOT_RATES];
    } rows[] = {
        {"just begun", 200, 200, {false, false, false}},
        {"a second", 1000, 0, {true, false, false}},
        {"nine seconds", 9000, 0, {true, true, false}},
        {"a minute", 60000, 0, {true, true, true}},
        {"a master that has not looked for 30 s", 63000, 30000, {false, false, true}},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct board *board = make_server(1);
        for (int64_t ago = rows[i].oldest_ms; ago >= rows[i].newest_ms; ago -= 1000)
            sample(board, ago, 0);
        take(board);
        for (int j = 0; j < SNAPSHOT_RATES; j++)
            cr_expect_eq(snapshot.rates[j].is_known, rows[i].is_known[j], "%s: %d", rows[i].name,
                         j);
        board_close(board);
    }
}

Test(snapshot, a_count_that_a_sample_is_ahead_of_is_no_rate)
{
    struct board *board = make_server(1);
    board->rows[0].requests = 5;
    sample(board, 1000, 7);
    take(board);
    cr_expect(snapshot.rates[SNAPSHOT_1S].is_known);
    cr_expect_eq(snapshot.rates[SNAPSHOT_1S].requests, 0);
    board_close(board);
}

/* ----------------------------------------------------------------------------- the latencies */

Test(snapshot, percentiles_lie_in_their_bucket)
{
    struct board *board = make_server(2);
    struct board_row *row = &board->rows[0];
    row->times[board_bucket(100)] = 90;           /* 96 to 111 */
    board->rows[1].times[board_bucket(1000)] = 9; /* 896 to 1023 */
    row->times[BOARD_BUCKETS - 1] = 1;            /* 117 s and more */
    take(board);
    cr_expect(is_near(snapshot.latency.p50, 96 + 16. * 50 / 90), "%f", snapshot.latency.p50);
    cr_expect(is_near(snapshot.latency.p90, 112), "%f", snapshot.latency.p90);
    cr_expect(is_near(snapshot.latency.p99, 1024), "%f", snapshot.latency.p99);
    cr_expect(is_near(snapshot.latency.p999, (double)board_bucket_us(BOARD_BUCKETS - 1)), "%f",
              snapshot.latency.p999);
    board_close(board);
}

Test(snapshot, jain_is_1_for_even_and_1_by_n_for_one_alone)
{
    struct board *board = make_server(4);
    for (int i = 0; i < 4; i++)
        board->rows[i].requests = 25;
    take(board);
    cr_expect(is_near(snapshot.jain, 1));
    for (int i = 1; i < 4; i++)
        board->rows[i].requests = 0;
    take(board);
    cr_expect(is_near(snapshot.jain, .25));
    board->workers_of[1].is_leaving = board->workers_of[2].is_leaving = 1;
    take(board);
    cr_expect(is_near(snapshot.jain, .5), "those that leave do not count");
    board_close(board);
}

/* -------------------------------------------------------------------------------- the events */

Test(snapshot, events_are_the_last_ones_the_oldest_first)
{
    char text[32];
    struct board *board = make_server(1);
    for (int i = 1; i <= BOARD_EVENTS + 5; i++) {
        snprintf(text, sizeof text, "event %d", i);
        board_tell(board, i, 2, text);
    }
    take(board);
    cr_assert_eq(snapshot.event_count, BOARD_EVENTS);
    cr_expect_str_eq(snapshot.events[0].text, "event 6");
    cr_expect_eq(snapshot.events[BOARD_EVENTS - 1].number, BOARD_EVENTS + 5);
    board->events[10].number = 0; /* is being written */
    take(board);
    cr_expect_eq(snapshot.event_count, BOARD_EVENTS - 1);
    board_close(board);
}
