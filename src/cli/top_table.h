/*
 * top_table - the workers of a server as rows of a table, with what each has done a second, and in
 * what order.
 *
 * What a second has is the difference between two snapshots. It belongs to a process: a row of the
 * board that a new process has begins anew, with values that are not known yet. No clock here:
 * snapshots have their times.
 */
#ifndef DROVER_CLI_TOP_TABLE_H
#define DROVER_CLI_TOP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/top_words.h"
#include "status/snapshot.h"

enum column {
    COLUMN_SLOT,
    COLUMN_PID,
    COLUMN_GENERATION,
    COLUMN_STATE,
    COLUMN_CONNECTIONS,
    COLUMN_REQUESTS,
    COLUMN_CPU,
    COLUMN_RSS,
    COLUMN_WAKEUPS,
    COLUMN_WASTED,
    COLUMN_SWITCHES,
    COLUMN_QUEUE,
    COLUMN_DROPS,
    COLUMN_AGE,
    COLUMNS,
};

/* A worker; or a slot that has none and is to have one. */
struct table_row {
    double key;             /* private: what it is sorted by */
    int place;              /* private: where it was among the others */
    double values[COLUMNS]; /* NAN: not known, or there is none */
    const char *state;      /* static */
    bool is_bad;            /* who looks should see it */
};

#define TABLE_ROWS (BOARD_ROWS + SLOTS_MAX)

/* What was counted at one look. */
struct table_sample {
    int64_t server; /* pid; 0: no look */
    int64_t age_ms; /* of the server */
    struct {
        int64_t pid; /* 0: nobody worked in the row */
        uint64_t requests, wakeups, wasted, switches, cpu_us;
    } of[BOARD_ROWS];
    uint64_t times[BOARD_BUCKETS]; /* of all requests, as in struct board_row */
};

/* More than a stack is for. A zeroed struct has no rows. */
struct table {
    int count;
    struct table_row rows[TABLE_ROWS];
    struct snapshot_latency latency; /* since the look before; NAN: no request was answered */
    struct table_sample last, base;  /* private */
};

/* Looks that follow closer than so many milliseconds tell nothing of a second: they are compared
 * with an earlier one. */
#define TABLE_BASE_MS 200

/* Makes the rows anew, in the server's order: by slot. */
void table_take(struct table *table, const struct snapshot *snapshot);

/* Sorts by a column: what people look for first is first, the largest or the worst, or the slot's
 * number; reversed, the last is. What is not known is behind all else. */
void table_sort(struct table *table, enum column by, bool is_reversed);

/* How a column is headed; how many characters it has; what it means, for people. */
const char *column_title(enum column column);
int column_width(enum column column);
const char *column_meaning(enum column column);

/* Is the largest first, unless the order is reversed? */
bool column_falls(enum column column);

/* The columns that have room in a line, each with a blank before it: the rest is less telling. */
void columns_fitting(int width, bool is_shown[COLUMNS]);

/* What stands in one column of a row. */
void table_cell(const struct table_row *row, enum column column, char text[WORDS_SIZE]);

#endif
