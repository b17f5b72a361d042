#include "cli/top_table.h"

#include <math.h>

#include "top_rig.h"

/* Each test has a process of its own. */
static struct snapshot snapshot;
static struct table table;

static void expect_cell(int row, enum column column, const char *wanted)
{
    char text[WORDS_SIZE];
    table_cell(&table.rows[row], column, text);
    cr_expect_str_eq(text, wanted, "row %d, %s: %s and not %s", row, column_title(column), text,
                     wanted);
}

/* So many milliseconds later; every worker has answered so many more requests. */
static void go_on(int milliseconds, uint64_t requests)
{
    snapshot.age_ms += milliseconds;
    for (int i = 0; i < snapshot.worker_count; i++) {
        snapshot.workers[i].counts.row.requests += requests;
        snapshot.workers[i].counts.cpu_us += 250 * (uint64_t)milliseconds;
    }
    table_take(&table, &snapshot);
}

Test(top_table, what_a_second_has_is_known_from_the_second_look_on)
{
    top_rig_fill(&snapshot, 2);
    table_take(&table, &snapshot);
    cr_assert_eq(table.count, 2);
    expect_cell(1, COLUMN_SLOT, "1");
    expect_cell(1, COLUMN_PID, "1001");
    expect_cell(1, COLUMN_STATE, "accepts");
    expect_cell(1, COLUMN_RSS, "2.0M");
    expect_cell(1, COLUMN_QUEUE, "1");
    expect_cell(1, COLUMN_AGE, "2s");
    expect_cell(1, COLUMN_REQUESTS, "-");
    expect_cell(1, COLUMN_CPU, "-");
    go_on(500, 50);
    expect_cell(0, COLUMN_REQUESTS, "100");
    expect_cell(0, COLUMN_CPU, "25");
    expect_cell(0, COLUMN_WAKEUPS, "0");
    go_on(2000, 1);
    expect_cell(0, COLUMN_REQUESTS, "0.5");
}

Test(top_table, a_row_with_another_process_begins_anew)
{
    top_rig_fill(&snapshot, 2);
    table_take(&table, &snapshot);
    snapshot.workers[1].pid = 2000;
    go_on(1000, 100);
    expect_cell(0, COLUMN_REQUESTS, "100");
    expect_cell(1, COLUMN_REQUESTS, "-");
    go_on(1000, 100);
    expect_cell(1, COLUMN_REQUESTS, "100");
}

Test(top_table, another_server_begins_anew)
{
    top_rig_fill(&snapshot, 1);
    table_take(&table, &snapshot);
    snapshot.pid = 998; /* with the same worker's pid, even */
    go_on(1000, 100);
    expect_cell(0, COLUMN_REQUESTS, "-");
}

Test(top_table, a_look_that_follows_closely_is_compared_with_an_earlier_one)
{
    top_rig_fill(&snapshot, 1);
    table_take(&table, &snapshot);
    go_on(1000, 100);
    go_on(10, 10); /* 1000 a second, by itself */
    expect_cell(0, COLUMN_REQUESTS, "109");
    go_on(990, 90);
    expect_cell(0, COLUMN_REQUESTS, "100");
    go_on(0, 0);
    expect_cell(0, COLUMN_REQUESTS, "100");
}

Test(top_table, states)
{
    top_rig_fill(&snapshot, 6);
    snapshot.workers[0].is_stalled = true;
    snapshot.workers[1].is_ready = false;
    snapshot.workers[2].counts.row.is_paused = 1;
    snapshot.workers[3].busy_ms = 100;
    snapshot.workers[4].is_leaving = true;
    snapshot.slots[4].worker = -1;
    snapshot.slots[5].worker = -1;
    snapshot.worker_count = 5;
    table_take(&table, &snapshot);
    static const char *const states[] = {"hangs", "starts", "full", "busy", "leaves"};
    cr_assert_eq(table.count, 7, "the slots 4 and 5 have no worker");
    for (int i = 0; i < (int)LENGTH(states); i++)
        expect_cell(i, COLUMN_STATE, states[i]);
    expect_cell(4, COLUMN_QUEUE, "-");
    expect_cell(5, COLUMN_SLOT, "4");
    expect_cell(5, COLUMN_PID, "-");
    expect_cell(6, COLUMN_SLOT, "5");
    expect_cell(6, COLUMN_QUEUE, "5");
    snapshot.workers[0].is_stopped = true;
    table_take(&table, &snapshot);
    expect_cell(0, COLUMN_STATE, "stopped");
    table_sort(&table, COLUMN_STATE, false);
    expect_cell(0, COLUMN_STATE, "stopped");
    expect_cell(1, COLUMN_SLOT, "4");
}

Test(top_table, the_order)
{
    top_rig_fill(&snapshot, 3);
    snapshot.workers[1].counts.row.connections = 9;
    table_take(&table, &snapshot);
    table_sort(&table, COLUMN_CONNECTIONS, false);
    expect_cell(0, COLUMN_SLOT, "1");
    expect_cell(1, COLUMN_SLOT, "0");
    expect_cell(2, COLUMN_SLOT, "2");
    table_sort(&table, COLUMN_CONNECTIONS, true);
    expect_cell(0, COLUMN_SLOT, "0");
    expect_cell(2, COLUMN_SLOT, "1");
    table_sort(&table, COLUMN_SLOT, true);
    expect_cell(0, COLUMN_SLOT, "2");
    table_sort(&table, COLUMN_SLOT, false);
    expect_cell(0, COLUMN_SLOT, "0");
}

Test(top_table, what_is_not_known_is_last_in_both_orders)
{
    top_rig_fill(&snapshot, 3);
    table_take(&table, &snapshot);
    snapshot.workers[0].pid = 2000;
    for (int i = 0; i < 2; i++) {
        go_on(1000, 1);
        snapshot.workers[0].pid++;
        table_sort(&table, COLUMN_REQUESTS, i == 1);
        expect_cell(2, COLUMN_PID, i == 0 ? "2000" : "2001");
    }
}

Test(top_table, latencies_are_of_the_time_between)
{
    top_rig_fill(&snapshot, 1);
    snapshot.sum.row.times[board_bucket(1000000)] = 1000;
    table_take(&table, &snapshot);
    cr_expect(isnan(table.latency.p50));
    snapshot.sum.row.times[board_bucket(100)] = 10;
    go_on(1000, 10);
    cr_expect(table.latency.p99 >= 96 && table.latency.p99 <= 112, "%f", table.latency.p99);
    go_on(1000, 0);
    cr_expect(isnan(table.latency.p50), "nobody has asked");
}

Test(top_table, columns_give_way)
{
    bool is_shown[COLUMNS];
    for (int width = 0; width < 200; width++) {
        int need = 0;
        columns_fitting(width, is_shown);
        for (int i = 0; i < COLUMNS; i++)
            need += is_shown[i] ? 1 + column_width((enum column)i) : 0;
        cr_expect_leq(need, width);
        cr_expect(width < 5 || is_shown[COLUMN_SLOT]);
        cr_expect(width < 100 || is_shown[COLUMN_WASTED]);
    }
}

/* As many workers as there can be, and a slot each beside them. */
Test(top_table, there_is_room_for_all)
{
    top_rig_fill(&snapshot, SLOTS_MAX);
    for (int i = 0; i < BOARD_ROWS; i++) {
        snapshot.workers[i] = top_rig_worker(i);
        snapshot.workers[i].slot = i % SLOTS_MAX;
        snapshot.workers[i].is_leaving = true;
    }
    for (int i = 0; i < SLOTS_MAX; i++)
        snapshot.slots[i].worker = -1;
    snapshot.worker_count = BOARD_ROWS;
    table_take(&table, &snapshot);
    cr_expect_eq(table.count, TABLE_ROWS);
    table_sort(&table, COLUMN_REQUESTS, false);
}
