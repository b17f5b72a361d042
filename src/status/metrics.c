#include "status/metrics.h"

#include <inttypes.h>
#include <string.h>

/* Of the board's buckets of request times every second one is a bound: two an octave, from 32 us to
 * 33.6 s. */
#define BOUND_FIRST 16
#define BOUND_LAST  96
#define BOUND_STEP  2
_Static_assert(BOUND_LAST < BOARD_BUCKETS, "a bound is a bucket's begin");

/* By the name that Prometheus' libraries have for it, not by one of drover's. */
#define START_TIME "process_start_time_seconds"

/* ------------------------------------------------------------------------------ the format */

/* In a line of HELP a backslash and a newline are escaped; in a label's value a quote, too. */
static void put_escaped(struct buf *to, const char *text, bool is_label)
{
    for (; *text; text++) {
        if (*text == '\n') {
            buf_lit(to, "\\n");
            continue;
        }
        if (*text == '\\' || (is_label && *text == '"'))
            buf_lit(to, "\\");
        buf_add(to, text, 1);
    }
}

static void put_family(struct buf *to, const char *name, const char *type, const char *help)
{
    buf_printf(to, "# HELP %s ", name);
    put_escaped(to, help, false);
    buf_printf(to, "\n# TYPE %s %s\n", name, type);
}

/* Millionths in decimals, exactly, without zeros at the end. */
static void put_millionths(struct buf *to, uint64_t n)
{
    buf_printf(to, "%" PRIu64, n / 1000000);
    if (n % 1000000 == 0)
        return;
    buf_printf(to, ".%06" PRIu64, n % 1000000);
    while (!to->failed && to->p[to->len - 1] == '0')
        to->len--;
}

static void put_one(struct buf *to, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    put_family(to, name, type, help);
    buf_printf(to, "%s %" PRIu64 "\n", name, value);
}

static void put_labelled(struct buf *to, const char *name, const char *label, const char *value,
                         uint64_t n)
{
    buf_printf(to, "%s{%s=\"", name, label);
    put_escaped(to, value, true);
    buf_printf(to, "\"} %" PRIu64 "\n", n);
}

static void put_of_slot(struct buf *to, const char *name, int slot, uint64_t n)
{
    buf_printf(to, "%s{slot=\"%d\"} %" PRIu64 "\n", name, slot, n);
}

static void put_seconds(struct buf *to, const char *name, uint64_t us)
{
    buf_printf(to, "%s ", name);
    put_millionths(to, us);
    buf_lit(to, "\n");
}

/* ------------------------------------------------------------------------------ the server */

static void put_build(struct buf *to, const struct snapshot *s)
{
    put_family(to, "drover_build_info", "gauge", "1, with the server's version.");
    put_labelled(to, "drover_build_info", "version", s->version, 1);
    put_family(to, START_TIME, "gauge", "When the server's master began, since the Epoch.");
    put_seconds(to, START_TIME, (uint64_t)s->started * 1000);
    put_one(to, "drover_ready", "gauge",
            "1: new requests may be sent; 0: the server starts or stops, or a slot is not served.",
            snapshot_is_ready(s));
    put_family(
        to, "drover_look_age_seconds", "gauge",
        "Since the master has looked at its workers: from 3 on it hangs, or is stopped; above "
        "6 /healthz is 503.");
    put_seconds(to, "drover_look_age_seconds", (uint64_t)s->looked_ms_ago * 1000);
}

static void put_reloads(struct buf *to, const struct snapshot *s)
{
    const char *name = "drover_reloads_total";
    put_one(to, "drover_generation", "gauge", "Generation of workers: 1, and 1 more a reload.",
            s->generation);
    put_family(to, name, "counter", "Reloads that came to their end, by result: done, failed.");
    put_labelled(to, name, "result", "done", s->reloads);
    put_labelled(to, name, "result", "failed", s->reload_failures);
}

static void put_worker_states(struct buf *to, const struct snapshot *s)
{
    const char *name = "drover_workers";
    uint64_t leaving = 0, stalled = 0;
    for (int i = 0; i < s->worker_count; i++) {
        leaving += s->workers[i].is_leaving;
        stalled += s->workers[i].is_stalled && !s->workers[i].is_leaving;
    }
    uint64_t ready = 0;
    for (int i = 0; i < s->worker_count; i++)
        ready += s->workers[i].is_ready && !s->workers[i].is_leaving && !s->workers[i].is_stalled;
    put_one(to, "drover_wanted_workers", "gauge", "Workers that there are to be.",
            s->workers_wanted);
    put_family(to, name, "gauge",
               "Worker processes, by state: accepting, starting, stalled, leaving.");
    put_labelled(to, name, "state", "accepting", ready);
    put_labelled(to, name, "state", "starting",
                 (uint64_t)s->worker_count - ready - stalled - leaving);
    put_labelled(to, name, "state", "stalled", stalled);
    put_labelled(to, name, "state", "leaving", leaving);
}

static void put_ends(struct buf *to, const struct snapshot *s)
{
    const char *name = "drover_worker_ends_total";
    put_family(to, name, "counter",
               "Workers that have ended, by cause: exited, crashed, hung, failed, recycled, asked, "
               "replaced, surplus, late, stopped.");
    for (int end = 0; end < BOARD_ENDS; end++)
        put_labelled(to, name, "cause", snapshot_end((enum board_end)end), s->ended[end]);
}

static void put_standbys(struct buf *to, const struct snapshot *s)
{
    const char *name = "drover_successions_total";
    put_one(to, "drover_standbys", "gauge", "Standbys that sleep beside a worker.",
            (uint64_t)s->standby_count);
    put_family(to, name, "counter",
               "Workers that a standby has made a successor of, by cause: end, hang.");
    for (int how = 0; how < BOARD_SUCCESSIONS; how++)
        put_labelled(to, name, "cause", snapshot_succession((enum board_succession)how),
                     s->successions[how]);
    put_one(to, "drover_connections_kept_total", "counter",
            "Connections that such successors went on with.", s->kept_connections);
}

/* ----------------------------------------------------------------------------- the clients */

static void put_requests(struct buf *to, const struct board_row *sum)
{
    static const char *const codes[BOARD_CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
    const char *name = "drover_requests_total";
    put_family(to, name, "counter",
               "Requests answered, refused ones too, by code: 1xx, 2xx, 3xx, 4xx, 5xx.");
    for (int i = 0; i < BOARD_CLASSES; i++)
        put_labelled(to, name, "code", codes[i], sum->answers[i]);
}

/* Count and sum are of the same snapshot, and the count is that of its buckets. */
static void put_durations(struct buf *to, const struct board_row *sum)
{
    const char *name = "drover_request_duration_seconds";
    uint64_t below = 0;
    unsigned next = 0;
    put_family(to, name, "histogram",
               "From a request's first byte to the sending of its whole answer.");
    for (unsigned bound = BOUND_FIRST; bound <= BOUND_LAST; bound += BOUND_STEP) {
        for (; next < bound; next++)
            below += sum->times[next];
        buf_printf(to, "%s_bucket{le=\"", name);
        put_millionths(to, board_bucket_us(bound));
        buf_printf(to, "\"} %" PRIu64 "\n", below);
    }
    for (; next < BOARD_BUCKETS; next++)
        below += sum->times[next];
    buf_printf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, below, name);
    put_millionths(to, sum->time_us);
    buf_printf(to, "\n%s_count %" PRIu64 "\n", name, below);
}

static void put_connections(struct buf *to, const struct board_row *sum)
{
    put_one(to, "drover_connections", "gauge", "Connections that are open.", sum->connections);
    put_one(to, "drover_connections_accepted_total", "counter", "Connections accepted.",
            sum->accepted);
    put_one(to, "drover_connections_moved_total", "counter",
            "Connections that one worker has taken over from another.", sum->taken);
    put_one(to, "drover_sent_bytes_total", "counter", "Bytes sent to clients, heads included.",
            sum->bytes);
    put_one(to, "drover_access_log_lost_lines_total", "counter",
            "Lines of the access log that could not be written.", sum->log_lost);
}

/* -------------------------------------------------------------------------------- the cost */

static uint64_t hold(uint64_t *floor, uint64_t value)
{
    if (value > *floor)
        *floor = value;
    return *floor;
}

static void put_cost(struct buf *to, const struct snapshot *s, struct metrics_floor *floor)
{
    const char *switches = "drover_context_switches_total";
    put_one(to, "drover_wakeups_total", "counter", "Turns of the workers' loops.",
            s->sum.row.wakeups);
    put_one(to, "drover_wasted_wakeups_total", "counter", "Those of them with nothing to do.",
            s->sum.row.wasted);
    put_family(to, "drover_cpu_seconds_total", "counter", "Processor time of all workers.");
    put_seconds(to, "drover_cpu_seconds_total", hold(&floor->cpu_us, s->sum.cpu_us));
    put_family(to, switches, "counter",
               "Context switches of all workers, by kind: voluntary, involuntary.");
    put_labelled(to, switches, "kind", "voluntary", hold(&floor->voluntary, s->sum.voluntary));
    put_labelled(to, switches, "kind", "involuntary",
                 hold(&floor->involuntary, s->sum.involuntary));
    put_one(to, "drover_resident_memory_bytes", "gauge",
            "Resident memory of all workers, shared pages counted with each.", s->sum.rss);
}

/* ------------------------------------------------------------------------------- the slots */

static uint64_t queued_of(const struct snapshot *s, int slot)
{
    return s->slots[slot].board.queued;
}

static uint64_t drops_of(const struct snapshot *s, int slot)
{
    return s->slots[slot].board.drops;
}

static uint64_t ends_of(const struct snapshot *s, int slot)
{
    return s->slots[slot].board.ends;
}

static uint64_t is_served(const struct snapshot *s, int slot)
{
    return snapshot_is_served(&s->slots[slot]);
}

static uint64_t is_away(const struct snapshot *s, int slot)
{
    return s->slots[slot].board.is_away != 0;
}

/* Of the slot's workers, those that leave among them. */
static uint64_t connections_of(const struct snapshot *s, int slot)
{
    uint64_t n = 0;
    for (int i = 0; i < s->worker_count; i++)
        n += s->workers[i].slot == slot ? s->workers[i].counts.row.connections : 0;
    return n;
}

static uint64_t rss_of(const struct snapshot *s, int slot)
{
    int worker = s->slots[slot].worker;
    return worker < 0 ? 0 : s->workers[worker].counts.rss;
}

static const struct {
    const char *name, *type, *help;
    uint64_t (*value)(const struct snapshot *s, int slot);
} of_slots[] = {
    {"drover_slot_served", "gauge", "1: a worker accepts for the slot, its own or another.",
     is_served},
    {"drover_slot_steered_around", "gauge", "1: new connections are steered around the slot.",
     is_away},
    {"drover_slot_worker_ends_total", "counter", "Ends of its workers that nobody had asked for.",
     ends_of},
    {"drover_slot_connections", "gauge", "Connections that its workers have open.", connections_of},
    {"drover_slot_resident_memory_bytes", "gauge", "Resident memory of its worker.", rss_of},
    {"drover_slot_queued_connections", "gauge", "Connections that wait to be accepted.", queued_of},
    {"drover_slot_queue_drops_total", "counter",
     "Connections that found no room in the queue, at addresses with defer=no.", drops_of},
};

static void put_slots(struct buf *to, const struct snapshot *s)
{
    put_one(to, "drover_slots", "gauge", "Slots, each with a queue of its own.",
            (uint64_t)s->slot_count);
    for (size_t i = 0; i < sizeof of_slots / sizeof *of_slots; i++) {
        put_family(to, of_slots[i].name, of_slots[i].type, of_slots[i].help);
        for (int slot = 0; slot < s->slot_count; slot++)
            put_of_slot(to, of_slots[i].name, slot, of_slots[i].value(s, slot));
    }
}

/* Depths are whole: up to 0, 1, 3, 7 and so on. */
static void put_depths(struct buf *to, const struct snapshot *s)
{
    const char *name = "drover_queue_depth";
    uint64_t below = 0;
    put_family(to, name, "histogram",
               "Connections that waited in a slot's queue, at each look at it.");
    for (int i = 0; i + 1 < BOARD_DEPTHS; i++) {
        below += s->depths[i];
        buf_printf(to, "%s_bucket{le=\"%" PRIu64 "\"} %" PRIu64 "\n", name, (UINT64_C(1) << i) - 1,
                   below);
    }
    below += s->depths[BOARD_DEPTHS - 1];
    buf_printf(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, below);
    buf_printf(to, "%s_sum %" PRIu64 "\n%s_count %" PRIu64 "\n", name, s->depth_sum, name, below);
}

/* ------------------------------------------------------------------------- the application's */

/* Two families of one name would make the whole text invalid. That no application has a name that
 * starts with drover_, and no two have the same, was seen to when they were loaded. */
static bool is_ours(const char *name)
{
    return strcmp(name, START_TIME) == 0;
}

static void put_of_app(struct buf *to, const struct snapshot *s)
{
    for (int i = 0; i < s->metric_count; i++) {
        const char *name = s->metric_names[i];
        if (is_ours(name))
            continue;
        put_family(to, name, s->metric_is_gauge[i] ? "gauge" : "counter", s->metric_helps[i]);
        buf_printf(to, "%s %" PRId64 "\n", name, (int64_t)s->sum.row.of_app[i]);
    }
}

void metrics_write(struct buf *to, const struct snapshot *s, struct metrics_floor *floor)
{
    put_build(to, s);
    put_reloads(to, s);
    put_worker_states(to, s);
    put_ends(to, s);
    put_standbys(to, s);
    put_requests(to, &s->sum.row);
    put_durations(to, &s->sum.row);
    put_connections(to, &s->sum.row);
    put_cost(to, s, floor);
    put_slots(to, s);
    put_depths(to, s);
    put_of_app(to, s);
}
