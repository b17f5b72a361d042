#include "status/json.h"

#include <stdio.h>
#include <time.h>

#include "base/json.h"
#include "status/trouble.h"

static const char *const levels[] = {"error", "warn", "info", "debug"};

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static void put_or_null(struct buf *to, const char *name, double value, bool is_known)
{
    if (is_known)
        json_put_number(to, name, value);
    else
        json_put_null(to, name);
}

/* "2026-01-31T12:00:00.000Z", RFC 3339. */
static void put_date(struct buf *to, int64_t ms)
{
    char text[64];
    time_t date = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&date, &tm)) {
        json_put_null(to, "date");
        return;
    }
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int)(ms % 1000));
    json_put_text(to, "date", text);
}

/* ------------------------------------------------------------------------------- the server */

static void put_words(struct buf *to, const char *name, const char *words)
{
    char one[sizeof((struct snapshot *)0)->addresses];
    json_put_open(to, name, '[');
    while (*words) {
        int n = (int)strcspn(words, " ");
        snprintf(one, sizeof one, "%.*s", n, words);
        if (n > 0)
            json_put_text(to, NULL, one);
        words += n + (words[n] == ' ');
    }
    json_put_close(to, '[');
}

static void put_trouble(void *context, const char *words)
{
    json_put_text(context, NULL, words);
}

static void put_server(struct buf *to, const struct snapshot *s)
{
    put_date(to, s->date);
    json_put_number(to, "uptime_seconds", seconds(s->age_ms));
    json_put_text(to, "version", s->version);
    json_put_int(to, "pid", s->pid);
    json_put_text(to, "phase", snapshot_phase(s));
    json_put_bool(to, "is_ready", snapshot_is_ready(s));
    json_put_bool(to, "is_stopped", s->is_stopped);
    json_put_bool(to, "is_reloading", s->is_reloading);
    json_put_bool(to, "is_upgrading", s->is_upgrading);
    json_put_count(to, "generation", s->generation);
    json_put_count(to, "reloads", s->reloads);
    json_put_count(to, "reload_failures", s->reload_failures);
    json_put_number(to, "looked_seconds_ago", seconds(s->looked_ms_ago));
    json_put_text(to, "app", s->app);
    json_put_text(to, "root", s->root);
    json_put_text(to, "serves", s->serves);
    put_words(to, "addresses", s->addresses);
    json_put_text(to, "admin", s->admin);
    json_put_open(to, "troubles", '[');
    trouble_each(s, put_trouble, to);
    json_put_close(to, '[');
    json_put_count(to, "workers_wanted", s->workers_wanted);
    json_put_int(to, "workers_ready", s->ready_count);
    json_put_int(to, "workers_stalled", s->stalled_count);
    json_put_int(to, "slot_count", s->slot_count);
}

/* ------------------------------------------------------------------------------- the figures */

static void put_answers(struct buf *to, const uint64_t answers[BOARD_CLASSES])
{
    char name[] = "1xx";
    json_put_open(to, "answers", '{');
    for (int i = 0; i < BOARD_CLASSES; i++) {
        name[0] = (char)('1' + i);
        json_put_count(to, name, answers[i]);
    }
    json_put_close(to, '{');
}

static void put_counts(struct buf *to, const struct snapshot_counts *counts)
{
    const struct board_row *row = &counts->row;
    json_put_count(to, "connections_open", row->connections);
    json_put_count(to, "connections_accepted", row->accepted);
    json_put_count(to, "requests", row->requests);
    json_put_count(to, "wakeups", row->wakeups);
    json_put_count(to, "wasted_wakeups", row->wasted);
    json_put_count(to, "bytes_sent", row->bytes);
    json_put_count(to, "connections_taken", row->taken);
    json_put_count(to, "log_lines_lost", row->log_lost);
    put_answers(to, row->answers);
    json_put_count(to, "request_time_us", row->time_us);
    json_put_count(to, "cpu_us", counts->cpu_us);
    json_put_count(to, "context_switches_voluntary", counts->voluntary);
    json_put_count(to, "context_switches_involuntary", counts->involuntary);
    json_put_count(to, "rss_bytes", counts->rss);
}

static void put_rates(struct buf *to, const struct snapshot_rate rates[SNAPSHOT_RATES])
{
    static const char *const names[] = {
        [SNAPSHOT_1S] = "1s", [SNAPSHOT_10S] = "10s", [SNAPSHOT_60S] = "60s"};
    json_put_open(to, "rates", '{');
    for (int i = 0; i < SNAPSHOT_RATES; i++) {
        if (!rates[i].is_known) {
            json_put_null(to, names[i]);
            continue;
        }
        json_put_open(to, names[i], '{');
        json_put_number(to, "requests", rates[i].requests);
        json_put_number(to, "connections", rates[i].accepted);
        json_put_number(to, "wakeups", rates[i].wakeups);
        json_put_number(to, "bytes", rates[i].bytes);
        json_put_close(to, '{');
    }
    json_put_close(to, '{');
}

static void put_latency(struct buf *to, const struct snapshot *s)
{
    bool is_known = s->sum.row.requests > 0;
    json_put_open(to, "latency_us", '{');
    put_or_null(to, "p50", s->latency.p50, is_known);
    put_or_null(to, "p90", s->latency.p90, is_known);
    put_or_null(to, "p99", s->latency.p99, is_known);
    put_or_null(to, "p999", s->latency.p999, is_known);
    json_put_close(to, '{');
}

/* The buckets that are not empty; the last of all has no end. */
static void put_times(struct buf *to, const uint64_t times[BOARD_BUCKETS])
{
    json_put_open(to, "request_times_us", '[');
    for (unsigned i = 0; i < BOARD_BUCKETS; i++) {
        if (times[i] == 0)
            continue;
        json_put_open(to, NULL, '[');
        json_put_count(to, NULL, board_bucket_us(i));
        if (i + 1 < BOARD_BUCKETS)
            json_put_count(to, NULL, board_bucket_us(i + 1));
        else
            json_put_null(to, NULL);
        json_put_count(to, NULL, times[i]);
        json_put_close(to, '[');
    }
    json_put_close(to, '[');
}

static void put_queue(struct buf *to, const struct snapshot *s)
{
    json_put_open(to, "queue", '{');
    json_put_count(to, "length", s->queued);
    json_put_count(to, "drops", s->drops);
    json_put_open(to, "depths", '[');
    for (int i = 0; i < BOARD_DEPTHS; i++) {
        json_put_open(to, NULL, '{');
        json_put_int(to, "at_least", i == 0 ? 0 : INT64_C(1) << (i - 1));
        json_put_count(to, "seen", s->depths[i]);
        json_put_close(to, '{');
    }
    json_put_close(to, '[');
    json_put_close(to, '{');
}

static void put_standbys(struct buf *to, const struct snapshot *s)
{
    json_put_open(to, "standbys", '{');
    json_put_bool(to, "is_on", s->has_standbys);
    json_put_int(to, "asleep", s->standby_count);
    json_put_open(to, "successions", '{');
    for (unsigned i = 0; i < BOARD_SUCCESSIONS; i++)
        json_put_count(to, snapshot_succession((enum board_succession)i), s->successions[i]);
    json_put_close(to, '{');
    json_put_count(to, "connections_kept", s->kept_connections);
    json_put_close(to, '{');
}

static void put_figures(struct buf *to, const struct snapshot *s)
{
    json_put_open(to, "totals", '{');
    put_counts(to, &s->sum);
    json_put_close(to, '{');
    put_or_null(to, "wakeups_per_connection", s->wakeups_per_connection, s->sum.row.accepted > 0);
    put_or_null(to, "jain_index", s->jain, s->jain > 0);
    put_rates(to, s->rates);
    put_latency(to, s);
    put_times(to, s->sum.row.times);
    json_put_open(to, "ended", '{');
    for (unsigned i = 0; i < BOARD_ENDS; i++)
        json_put_count(to, snapshot_end((enum board_end)i), s->ended[i]);
    json_put_close(to, '{');
    put_standbys(to, s);
    put_queue(to, s);
}

/* --------------------------------------------------------------------------------- the lists */

static void put_worker(struct buf *to, const struct snapshot_worker *worker)
{
    json_put_open(to, NULL, '{');
    json_put_int(to, "slot", worker->slot);
    json_put_int(to, "pid", worker->pid);
    if (worker->standby)
        json_put_int(to, "standby", worker->standby);
    else
        json_put_null(to, "standby");
    json_put_count(to, "generation", worker->generation);
    json_put_bool(to, "is_ready", worker->is_ready);
    json_put_bool(to, "is_leaving", worker->is_leaving);
    json_put_bool(to, "is_stalled", worker->is_stalled);
    json_put_bool(to, "is_stopped", worker->is_stopped);
    json_put_bool(to, "is_paused", worker->counts.row.is_paused != 0);
    json_put_number(to, "age_seconds", seconds(worker->age_ms));
    json_put_int(to, "busy_ms", worker->busy_ms);
    put_counts(to, &worker->counts);
    json_put_close(to, '{');
}

static void put_slot(struct buf *to, const struct snapshot *s, int number)
{
    const struct snapshot_slot *slot = &s->slots[number];
    json_put_open(to, NULL, '{');
    json_put_int(to, "slot", number);
    json_put_text(to, "state", snapshot_state(slot));
    json_put_bool(to, "is_served", snapshot_is_served(slot));
    if (slot->board.adopter > 0)
        json_put_count(to, "adopter", slot->board.adopter - 1);
    else
        json_put_null(to, "adopter");
    json_put_bool(to, "is_steered_around", slot->board.is_away != 0);
    if (slot->worker >= 0)
        json_put_int(to, "worker", s->workers[slot->worker].pid);
    else
        json_put_null(to, "worker");
    json_put_count(to, "queued", slot->board.queued);
    json_put_count(to, "drops", slot->board.drops);
    json_put_count(to, "ends", slot->board.ends);
    json_put_count(to, "crashes_in_a_row", snapshot_crashes(slot));
    if (snapshot_crashes(slot) > 0)
        json_put_text(to, "crashed_request", slot->board.crashed_request);
    else
        json_put_null(to, "crashed_request");
    json_put_close(to, '{');
}

static void put_event(struct buf *to, const struct board_event *event)
{
    json_put_open(to, NULL, '{');
    json_put_count(to, "number", event->number);
    put_date(to, event->date);
    json_put_text(to, "level",
                  event->level < sizeof levels / sizeof *levels ? levels[event->level] : "unknown");
    json_put_text(to, "text", event->text);
    json_put_close(to, '{');
}

static void put_lists(struct buf *to, const struct snapshot *s)
{
    json_put_open(to, "workers", '[');
    for (int i = 0; i < s->worker_count; i++)
        put_worker(to, &s->workers[i]);
    json_put_close(to, '[');
    json_put_open(to, "slots", '[');
    for (int i = 0; i < s->slot_count; i++)
        put_slot(to, s, i);
    json_put_close(to, '[');
    json_put_open(to, "metrics", '{');
    for (int i = 0; i < s->metric_count; i++)
        json_put_int(to, s->metric_names[i], (int64_t)s->sum.row.of_app[i]);
    json_put_close(to, '{');
    json_put_open(to, "events", '[');
    for (int i = 0; i < s->event_count; i++)
        put_event(to, &s->events[i]);
    json_put_close(to, '[');
}

void status_json(struct buf *to, const struct snapshot *s)
{
    json_put_open(to, NULL, '{');
    put_server(to, s);
    put_figures(to, s);
    put_lists(to, s);
    json_put_close(to, '{');
}
