#include "cli/top_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "status/trouble.h"
#include "status/units.h"

/* Columns between two things of the head, and the width of a time with a blank before it. */
#define GAP        2
#define TIME_WIDTH 9

/* ------------------------------------------------------------------------------------- head */

/* One thing behind the other, as long as there are lines. */
struct flow {
    struct screen *screen;
    int row, column;
    int rows;        /* that it may have */
    int first_width; /* of the first one */
};

/* `width`: at least so many characters are kept for it, so that what follows stays in its place. */
static void flow_put(struct flow *flow, enum look look, int width, const char *text)
{
    int length = (int)strlen(text), need = length > width ? length : width;
    int room = flow->row == 0 ? flow->first_width : flow->screen->columns;
    if (flow->column > 0 && flow->column + length > room) {
        flow->row++;
        flow->column = 0;
    }
    if (flow->row >= flow->rows)
        return;
    screen_put(flow->screen, flow->row, flow->column, look, text);
    flow->column += need + GAP;
}

__attribute__((format(printf, 4, 5))) static void flow_printf(struct flow *flow, enum look look,
                                                              int width, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flow_put(flow, look, width, text);
}

static enum look look_if(bool is_bad)
{
    return is_bad ? LOOK_BOLD : LOOK_PLAIN;
}

static void put_server(struct flow *flow, const struct snapshot *s)
{
    char age[WORDS_SIZE];
    words_age((double)s->age_ms, age);
    flow_printf(flow, LOOK_BOLD, 0, "drover %s", s->version);
    flow_printf(flow, LOOK_PLAIN, 0, "pid %lld", (long long)s->pid);
    flow_printf(flow, look_if(s->phase != BOARD_SERVING), 0, "%s%s%s", snapshot_phase(s),
                s->is_reloading ? ", reloads" : "", s->is_upgrading ? ", upgrades" : "");
    flow_printf(flow, LOOK_PLAIN, 9, "up %s", age);
}

static double rate_of(const struct snapshot *s, int span)
{
    return s->rates[span].is_known ? s->rates[span].requests : NAN;
}

static void put_rates(struct flow *flow, const struct snapshot *s)
{
    char one[WORDS_SIZE], ten[WORDS_SIZE], sixty[WORDS_SIZE];
    words_rate(rate_of(s, SNAPSHOT_1S), one);
    words_rate(rate_of(s, SNAPSHOT_10S), ten);
    words_rate(rate_of(s, SNAPSHOT_60S), sixty);
    flow_printf(flow, LOOK_PLAIN, 0, "requests/s %-5s 10s %-5s 60s %-5s", one, ten, sixty);
}

static void put_latency(struct flow *flow, const struct snapshot_latency *latency)
{
    char texts[4][WORDS_SIZE];
    words_latency(latency->p50, texts[0]);
    words_latency(latency->p90, texts[1]);
    words_latency(latency->p99, texts[2]);
    words_latency(latency->p999, texts[3]);
    flow_printf(flow, LOOK_PLAIN, 0, "latency ms p50 %-5s p90 %-5s p99 %-5s p99.9 %-5s", texts[0],
                texts[1], texts[2], texts[3]);
}

static void put_count(struct flow *flow, const char *name, uint64_t value, bool is_bad)
{
    char text[WORDS_SIZE];
    words_count((double)value, text);
    flow_printf(flow, look_if(is_bad), (int)strlen(name) + 1 + 5, "%s %s", name, text);
}

static void put_workers(struct flow *flow, const struct snapshot *s)
{
    bool is_bad = (uint64_t)s->ready_count < s->workers_wanted;
    flow_printf(flow, look_if(is_bad), 15, "workers %d of %llu", s->ready_count,
                (unsigned long long)s->workers_wanted);
    if (s->stalled_count > 0)
        put_count(flow, "stalled", (uint64_t)s->stalled_count, true);
    put_count(flow, "connections", s->sum.row.connections, false);
}

/* Of workers that nobody had asked to leave. */
static uint64_t crashes_of(const struct snapshot *s)
{
    return s->ended[BOARD_END_EXIT] + s->ended[BOARD_END_SIGNAL] + s->ended[BOARD_END_HUNG] +
           s->ended[BOARD_END_START];
}

static void put_flows(struct flow *flow, const struct snapshot *s)
{
    const struct snapshot_rate *rate = &s->rates[SNAPSHOT_1S];
    char accepted[WORDS_SIZE], bytes[WORDS_SIZE];
    words_rate(rate->is_known ? rate->accepted : NAN, accepted);
    words_bytes(rate->is_known ? rate->bytes : NAN, bytes);
    flow_printf(flow, LOOK_PLAIN, 15, "accepts/s %s", accepted);
    flow_printf(flow, LOOK_PLAIN, 11, "sent/s %s", bytes);
    flow_printf(flow, LOOK_PLAIN, 0, "wake-ups/connection %.2f", s->wakeups_per_connection);
    flow_printf(flow, LOOK_PLAIN, 0, s->jain > 0 ? "Jain %.3f" : "Jain -", s->jain);
}

/* From the most to the least telling, since what has no room is left out. Returns the rows that it
 * has taken. */
static int draw_head(const struct snapshot *s, const struct table *table, struct screen *screen,
                     int rows)
{
    bool has_time = screen->columns >= 60;
    char time[UNITS_SIZE];
    struct flow flow = {.screen = screen,
                        .rows = rows,
                        .first_width = screen->columns - (has_time ? TIME_WIDTH : 0)};
    put_server(&flow, s);
    put_rates(&flow, s);
    put_workers(&flow, s);
    put_latency(&flow, &table->latency);
    put_count(&flow, "queue", s->queued, false);
    put_count(&flow, "drops", s->drops, s->drops > 0);
    put_flows(&flow, s);
    put_count(&flow, "generation", s->generation, false);
    put_count(&flow, "crashes", crashes_of(s), crashes_of(s) > 0);
    if (snapshot_successions(s) > 0) {
        put_count(&flow, "successions", snapshot_successions(s), false);
        put_count(&flow, "kept", s->kept_connections, false);
    }
    put_count(&flow, "reloads", s->reloads, false);
    if (s->reload_failures > 0)
        put_count(&flow, "failed", s->reload_failures, true);
    flow_put(&flow, LOOK_PLAIN, 0, s->addresses);
    if (*s->admin)
        flow_printf(&flow, LOOK_PLAIN, 0, "admin %s", s->admin);
    flow_put(&flow, LOOK_PLAIN, 0, s->serves);
    units_date(time, s->date, s->date);
    if (has_time && s->date)
        screen_put(screen, 0, screen->columns - TIME_WIDTH + 1, LOOK_PLAIN, time);
    return flow.row < rows ? flow.row + 1 : rows;
}

/* At the end of the line, over what is too long. */
static void put_more(struct screen *screen, int row, int column, int count)
{
    char more[32];
    int at = screen->columns - snprintf(more, sizeof more, " (and %d more)", count);
    screen_put(screen, row, at < column ? at : column, LOOK_BOLD, more);
}

/* What is wrong with the server, a line each. Returns how many, of `rows` at most. */
static int draw_troubles(const struct snapshot *s, struct screen *screen, int row, int rows)
{
    struct buf lines = {0};
    int count = trouble_tell(&lines, s), n = 0;
    buf_add(&lines, "", 1);
    for (char *at = lines.failed ? NULL : lines.p; at && n < rows && n < count; n++) {
        char *end = at + strcspn(at, "\n");
        *end = '\0';
        int column = screen_put(screen, row + n, 0, LOOK_BOLD, at);
        if (n == rows - 1 && count > rows)
            put_more(screen, row + n, column, count - rows);
        at = end + 1;
    }
    buf_free(&lines);
    return n;
}

/* Returns the rows that it has taken: one, or one for each trouble, of a row in eight at most. */
static int draw_message(const struct view *view, const struct snapshot *s, struct screen *screen,
                        int row)
{
    int rows = screen->rows >= 16 ? screen->rows / 8 : 1, troubles = 0;
    if (view->absence)
        screen_put(screen, row, 0, LOOK_BOLD, view->absence);
    else if (*view->message)
        screen_put(screen, row, 0, LOOK_BOLD, view->message);
    else if (view->is_paused)
        screen_put(screen, row, 0, LOOK_BOLD, "paused: p goes on, space looks once");
    else if ((troubles = draw_troubles(s, screen, row, rows)) == 0)
        screen_put(screen, row, 0, LOOK_PLAIN, view->hint);
    return troubles > 0 ? troubles : 1;
}

/* ------------------------------------------------------------------------------------ table */

static void put_cell(struct screen *screen, int row, int column, enum look look, int width,
                     bool is_left, const char *text)
{
    screen_printf(screen, row, column, look, is_left ? "%-*s" : "%*s", width, text);
}

/* The column by which it is sorted has v or ^ before its title, as it falls or rises. */
static void draw_titles(const struct view *view, const bool is_shown[COLUMNS],
                        struct screen *screen, int row)
{
    int at = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if (!is_shown[i])
            continue;
        bool is_chosen = view->sort == (enum column)i;
        const char *title = column_title((enum column)i);
        int width = column_width((enum column)i);
        put_cell(screen, row, at + 1, LOOK_PLAIN, width, i == COLUMN_STATE, title);
        if (is_chosen) {
            int before = i == COLUMN_STATE ? 0 : width - (int)strlen(title);
            bool falls = column_falls(view->sort) != view->is_reversed;
            screen_put(screen, row, at + before, LOOK_PLAIN, falls ? "v" : "^");
        }
        at += 1 + width;
    }
    screen_look(screen, row, LOOK_REVERSE);
}

static void draw_row(const struct table_row *from, const bool is_shown[COLUMNS],
                     struct screen *screen, int row)
{
    int at = 0;
    for (int i = 0; i < COLUMNS; i++) {
        char text[WORDS_SIZE];
        if (!is_shown[i])
            continue;
        table_cell(from, (enum column)i, text);
        put_cell(screen, row, at + 1, look_if(from->is_bad && i == COLUMN_STATE),
                 column_width((enum column)i), i == COLUMN_STATE, text);
        at += 1 + column_width((enum column)i);
    }
}

static void draw_table(struct view *view, const struct table *table, struct screen *screen, int top,
                       int rows)
{
    bool is_shown[COLUMNS];
    columns_fitting(screen->columns, is_shown);
    int most = table->count > rows ? table->count - rows : 0;
    view->scroll = view->scroll > most ? most : view->scroll < 0 ? 0 : view->scroll;
    draw_titles(view, is_shown, screen, top);
    for (int i = 0; i < rows && view->scroll + i < table->count; i++)
        draw_row(&table->rows[view->scroll + i], is_shown, screen, top + 1 + i);
}

/* ----------------------------------------------------------------------------------- events */

static void draw_events(const struct snapshot *s, struct screen *screen, int top, int rows)
{
    int count = s->event_count < rows ? s->event_count : rows;
    for (int i = 0; i < count; i++) {
        const struct board_event *event = &s->events[s->event_count - count + i];
        char date[UNITS_SIZE];
        units_date(date, event->date, s->date);
        screen_printf(screen, top + i, 0, look_if(event->level <= LOG_WARN), " %s %s", date,
                      event->text);
    }
}

/* ------------------------------------------------------------------------------------- help */

static void draw_help(struct screen *screen)
{
    static const char *const keys[] = {
        "q, Ctrl-C      leave",
        "left, right    sort by another column",
        "R, -           sort the other way",
        "up, down       scroll; pages and ends, too",
        "r              reload the server",
        "space          look now",
        "p              pause, and go on",
        "Ctrl-L         draw all anew",
        "?, h           this; any key goes back",
    };
    struct flow flow = {.screen = screen, .rows = screen->rows, .first_width = screen->columns};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        flow_put(&flow, LOOK_PLAIN, 44, keys[i]);
    flow.row += 2;
    flow.column = 0;
    for (int i = 0; i < COLUMNS; i++)
        flow_printf(&flow, LOOK_PLAIN, 44, "%-14s %s", column_title((enum column)i),
                    column_meaning((enum column)i));
}

/* -------------------------------------------------------------------------------------- all */

/* A quarter is for the head, and a fifth is kept for events where there are enough lines. */
static int head_rows(int rows)
{
    return rows < 8 ? 1 : rows / 4 > 6 ? 6 : rows / 4;
}

static int event_rows(const struct snapshot *s, const struct table *table, int rows, int left)
{
    int unused = left - table->count, kept = rows >= 16 ? rows / 5 : 0;
    int most = unused > kept ? unused : kept;
    return s->event_count < most - 1 ? s->event_count : most - 1; /* one is for the title */
}

int view_draw(struct view *view, const struct snapshot *s, const struct table *table,
              struct screen *screen)
{
    screen_clear(screen);
    if (view->is_help) {
        draw_help(screen);
        return 0;
    }
    int top = draw_head(s, table, screen, head_rows(screen->rows));
    top += draw_message(view, s, screen, top);
    int left = screen->rows - top - 1;
    int events = event_rows(s, table, screen->rows, left);
    int rows = left - (events > 0 ? events + 1 : 0);
    draw_table(view, table, screen, top, rows > 0 ? rows : 0);
    if (events > 0) {
        int title = screen->rows - events - 1;
        screen_put(screen, title, 0, LOOK_PLAIN, " LAST EVENTS");
        screen_look(screen, title, LOOK_REVERSE);
        draw_events(s, screen, title + 1, events);
    }
    return rows > 0 ? rows : 0;
}

void view_choose(struct view *view, int direction, int width)
{
    bool is_shown[COLUMNS];
    columns_fitting(width, is_shown);
    for (int i = (int)view->sort + direction; i >= 0 && i < COLUMNS; i += direction)
        if (is_shown[i]) {
            view->sort = (enum column)i;
            return;
        }
}
