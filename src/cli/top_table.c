#include "cli/top_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status/trouble.h"

/* Milliseconds of one turn from which on a worker is shown as busy: others take a few. */
#define BUSY_MS 100

/* ---------------------------------------------------------------------------------- columns */

static const struct {
    const char *title;
    int width;
    int weight; /* those with the least give way first */
    bool falls;
    void (*print)(double value, char text[WORDS_SIZE]); /* NULL: the state's word */
    const char *meaning;
} columns[] = {
    [COLUMN_SLOT] = {"SLOT", 4, 100, false, words_count, "where it works"},
    [COLUMN_PID] = {"PID", 7, 90, false, words_count, "its process"},
    [COLUMN_GENERATION] = {"GEN", 3, 40, false, words_count, "generation; one more a reload"},
    [COLUMN_STATE] = {"STATE", 8, 80, false, NULL, "what it does"},
    [COLUMN_CONNECTIONS] = {"CONNS", 5, 75, true, words_count, "connections that are open"},
    [COLUMN_REQUESTS] = {"REQ/S", 5, 95, true, words_rate, "requests answered a second"},
    [COLUMN_CPU] = {"CPU%", 5, 85, true, words_rate, "of one processor"},
    [COLUMN_RSS] = {"RSS", 5, 70, true, words_bytes, "resident memory"},
    [COLUMN_WAKEUPS] = {"WAKE/S", 6, 50, true, words_rate, "wake-ups a second"},
    [COLUMN_WASTED] = {"WASTE/S", 7, 20, true, words_rate, "wake-ups with nothing to do"},
    [COLUMN_SWITCHES] = {"CSW/S", 5, 30, true, words_rate, "context switches a second"},
    [COLUMN_QUEUE] = {"QUEUE", 5, 65, true, words_count, "connections not yet accepted"},
    [COLUMN_DROPS] = {"DROPS", 5, 60, true, words_count, "that found the queue full"},
    [COLUMN_AGE] = {"AGE", 6, 55, true, words_age, "since it began"},
};
_Static_assert(sizeof columns / sizeof *columns == COLUMNS, "a column without its words");

const char *column_title(enum column column)
{
    return columns[column].title;
}

int column_width(enum column column)
{
    return columns[column].width;
}

const char *column_meaning(enum column column)
{
    return columns[column].meaning;
}

bool column_falls(enum column column)
{
    return columns[column].falls;
}

/* Of those that are shown. */
static int least_of(const bool is_shown[COLUMNS])
{
    int least = -1;
    for (int i = 0; i < COLUMNS; i++)
        if (is_shown[i] && (least < 0 || columns[i].weight < columns[least].weight))
            least = i;
    return least;
}

void columns_fitting(int width, bool is_shown[COLUMNS])
{
    int need = 0;
    for (int i = 0; i < COLUMNS; i++) {
        is_shown[i] = true;
        need += 1 + columns[i].width;
    }
    for (int least; need > width && (least = least_of(is_shown)) >= 0;) {
        is_shown[least] = false;
        need -= 1 + columns[least].width;
    }
}

void table_cell(const struct table_row *row, enum column column, char text[WORDS_SIZE])
{
    if (!columns[column].print)
        snprintf(text, WORDS_SIZE, "%s", row->state);
    else if (isnan(row->values[column]))
        snprintf(text, WORDS_SIZE, "-");
    else
        columns[column].print(row->values[column], text);
}

/* ---------------------------------------------------------------------------------- samples */

static void sample_take(struct table_sample *sample, const struct snapshot *snapshot)
{
    memset(sample, 0, sizeof *sample);
    sample->server = snapshot->pid;
    sample->age_ms = snapshot->age_ms;
    memcpy(sample->times, snapshot->sum.row.times, sizeof sample->times);
    for (int i = 0; i < snapshot->worker_count; i++) {
        const struct snapshot_worker *worker = &snapshot->workers[i];
        const struct snapshot_counts *counts = &worker->counts;
        sample->of[worker->row].pid = worker->pid;
        sample->of[worker->row].requests = counts->row.requests;
        sample->of[worker->row].wakeups = counts->row.wakeups;
        sample->of[worker->row].wasted = counts->row.wasted;
        sample->of[worker->row].switches = counts->voluntary + counts->involuntary;
        sample->of[worker->row].cpu_us = counts->cpu_us;
    }
}

/* Milliseconds from this look on; negative: it was another server's, or there was none. */
static int64_t elapsed_since(const struct table_sample *sample, const struct snapshot *snapshot)
{
    return sample->server == snapshot->pid ? snapshot->age_ms - sample->age_ms : -1;
}

static double rate(uint64_t now, uint64_t then, double seconds)
{
    return now >= then ? (double)(now - then) / seconds : NAN;
}

static void put_rates(struct table_row *row, const struct snapshot_worker *worker,
                      const struct table_sample *base, double seconds)
{
    static const enum column of_two[] = {COLUMN_REQUESTS, COLUMN_WAKEUPS, COLUMN_WASTED,
                                         COLUMN_SWITCHES, COLUMN_CPU};
    const struct snapshot_counts *now = &worker->counts;
    if (seconds <= 0 || base->of[worker->row].pid != worker->pid) {
        for (size_t i = 0; i < sizeof of_two / sizeof *of_two; i++)
            row->values[of_two[i]] = NAN;
        return;
    }
    row->values[COLUMN_REQUESTS] = rate(now->row.requests, base->of[worker->row].requests, seconds);
    row->values[COLUMN_WAKEUPS] = rate(now->row.wakeups, base->of[worker->row].wakeups, seconds);
    row->values[COLUMN_WASTED] = rate(now->row.wasted, base->of[worker->row].wasted, seconds);
    row->values[COLUMN_SWITCHES] = rate(now->voluntary + now->involuntary,
                                        base->of[worker->row].switches, seconds);
    row->values[COLUMN_CPU] = rate(now->cpu_us, base->of[worker->row].cpu_us, seconds) / 1e6 * 100;
}

/* ------------------------------------------------------------------------------------- rows */

/* The worst has the least rank, and so is first. */
static void put_state(struct table_row *row, const char *state, double rank, bool is_bad)
{
    row->state = state;
    row->values[COLUMN_STATE] = rank;
    row->is_bad = is_bad;
}

/* In the words of drover status. */
static void put_worker_state(struct table_row *row, const struct snapshot_worker *worker)
{
    if (trouble_hangs(worker))
        put_state(row, worker->is_stopped ? "stopped" : "hangs", 0, true);
    else if (worker->is_leaving)
        put_state(row, "leaves", 5, false);
    else if (!worker->is_ready)
        put_state(row, "starts", 2, false);
    else if (worker->counts.row.is_paused)
        put_state(row, "full", 3, true);
    else if (worker->busy_ms >= BUSY_MS)
        put_state(row, "busy", 4, true);
    else
        put_state(row, "accepts", 6, false);
}

static struct table_row *add_row(struct table *table)
{
    struct table_row *row = &table->rows[table->count];
    *row = (struct table_row){.place = table->count++};
    for (int i = 0; i < COLUMNS; i++)
        row->values[i] = NAN;
    return row;
}

static void put_queue(struct table_row *row, const struct snapshot_slot *slot)
{
    row->values[COLUMN_QUEUE] = (double)slot->board.queued;
    row->values[COLUMN_DROPS] = (double)slot->board.drops;
}

static void add_worker(struct table *table, const struct snapshot *snapshot, int i, double seconds)
{
    const struct snapshot_worker *worker = &snapshot->workers[i];
    struct table_row *row = add_row(table);
    row->values[COLUMN_SLOT] = worker->slot;
    row->values[COLUMN_PID] = (double)worker->pid;
    row->values[COLUMN_GENERATION] = (double)worker->generation;
    row->values[COLUMN_CONNECTIONS] = (double)worker->counts.row.connections;
    row->values[COLUMN_RSS] = (double)worker->counts.rss;
    row->values[COLUMN_AGE] = (double)worker->age_ms;
    put_worker_state(row, worker);
    put_rates(row, worker, &table->base, seconds);
    if (worker->slot < snapshot->slot_count && snapshot->slots[worker->slot].worker == i)
        put_queue(row, &snapshot->slots[worker->slot]);
}

/* It is to have a worker, and has none. */
static void add_slot(struct table *table, const struct snapshot *snapshot, int slot)
{
    struct table_row *row = add_row(table);
    row->values[COLUMN_SLOT] = slot;
    put_state(row, snapshot_state(&snapshot->slots[slot]), 1, true);
    put_queue(row, &snapshot->slots[slot]);
}

static void take_latency(struct table *table, const struct snapshot *snapshot, double seconds)
{
    uint64_t times[BOARD_BUCKETS], count = 0;
    for (int i = 0; i < BOARD_BUCKETS; i++) {
        times[i] = snapshot->sum.row.times[i] - table->base.times[i];
        count += times[i];
    }
    table->latency = (struct snapshot_latency){NAN, NAN, NAN, NAN};
    if (seconds > 0 && count > 0)
        table->latency = snapshot_latency(times);
}

void table_take(struct table *table, const struct snapshot *snapshot)
{
    int64_t elapsed = elapsed_since(&table->last, snapshot);
    if (elapsed < 0 || elapsed >= TABLE_BASE_MS) {
        table->base = table->last;
        sample_take(&table->last, snapshot);
    }
    double seconds = (double)elapsed_since(&table->base, snapshot) / 1000;
    table->count = 0;
    for (int i = 0; i < snapshot->worker_count; i++)
        add_worker(table, snapshot, i, seconds);
    for (int i = 0; i < snapshot->slot_count && (uint64_t)i < snapshot->workers_wanted; i++)
        if (snapshot->slots[i].worker < 0)
            add_slot(table, snapshot, i);
    take_latency(table, snapshot, seconds);
    table_sort(table, COLUMN_SLOT, false);
}

/* ------------------------------------------------------------------------------------ order */

static int compare(const void *one, const void *other)
{
    const struct table_row *a = one, *b = other;
    if (a->key < b->key || a->key > b->key)
        return a->key < b->key ? -1 : 1;
    return a->place - b->place;
}

void table_sort(struct table *table, enum column by, bool is_reversed)
{
    bool is_falling = columns[by].falls != is_reversed;
    for (int i = 0; i < table->count; i++) {
        double value = table->rows[i].values[by];
        table->rows[i].key = isnan(value) ? INFINITY : is_falling ? -value : value;
    }
    qsort(table->rows, (size_t)table->count, sizeof *table->rows, compare);
}
