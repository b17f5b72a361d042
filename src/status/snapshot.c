#include "status/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "os/proc.h"
#include "worker/slot_state.h"

/* How often all is read again when a worker ends meanwhile: what it had used would else be counted
 * twice, or not at all. */
#define TRIES 3

/* -------------------------------------------------------------------------------- the words */

static const char *const phases[] = {
    [BOARD_STARTING] = "starting", [BOARD_SERVING] = "serving", [BOARD_LAME] = "lame-duck",
    [BOARD_STOPPING] = "stopping", [BOARD_LEFT] = "left",
};
_Static_assert(sizeof phases / sizeof *phases == BOARD_LEFT + 1, "a word a phase");

static const char *const ends[] = {
    [BOARD_END_EXIT] = "exited",     [BOARD_END_SIGNAL] = "crashed", [BOARD_END_HUNG] = "hung",
    [BOARD_END_START] = "failed",    [BOARD_END_SPENT] = "recycled", [BOARD_END_ASKED] = "asked",
    [BOARD_END_RELOAD] = "replaced", [BOARD_END_SCALE] = "surplus",  [BOARD_END_LATE] = "late",
    [BOARD_END_STOP] = "stopped",
};
_Static_assert(sizeof ends / sizeof *ends == BOARD_ENDS, "a word a cause");

static const char *const states[] = {
    [SLOT_EMPTY] = "empty",       [SLOT_STARTING] = "starting", [SLOT_LIVE] = "live",
    [SLOT_RELIEVED] = "relieved", [SLOT_STALLED] = "stalled",   [SLOT_ABORTED] = "aborted",
    [SLOT_WAITING] = "waiting",   [SLOT_REFUSED] = "refused",
};
_Static_assert(sizeof states / sizeof *states == SLOT_STATES, "a word a state");

static const char *const successions[] = {
    [BOARD_SUCCESSION_END] = "end",
    [BOARD_SUCCESSION_HANG] = "hang",
};
_Static_assert(sizeof successions / sizeof *successions == BOARD_SUCCESSIONS, "a word a cause");

static const char *word(const char *const words[], size_t count, uint64_t i)
{
    return i < count ? words[i] : "unknown";
}

uint64_t snapshot_successions(const struct snapshot *snapshot)
{
    uint64_t sum = 0;
    for (int i = 0; i < BOARD_SUCCESSIONS; i++)
        sum += snapshot->successions[i];
    return sum;
}

const char *snapshot_phase(const struct snapshot *snapshot)
{
    return word(phases, BOARD_LEFT + 1, snapshot->phase);
}

const char *snapshot_end(enum board_end end)
{
    return word(ends, BOARD_ENDS, end);
}

const char *snapshot_succession(enum board_succession how)
{
    return word(successions, BOARD_SUCCESSIONS, how);
}

const char *snapshot_state(const struct snapshot_slot *slot)
{
    return word(states, SLOT_STATES, slot->board.state);
}

/* ------------------------------------------------------------------- what is read of the board */

static uint64_t at_most(uint64_t n, uint64_t most)
{
    return n < most ? n : most;
}

static int64_t since(int64_t now, int64_t then)
{
    return now > then ? now - then : 0;
}

static void read_numbers(void *to, const void *from, size_t size)
{
    uint64_t *into = to;
    const uint64_t *of = from;
    for (size_t i = 0; i < size / sizeof *into; i++)
        into[i] = board_get(&of[i]);
}

static void read_text(char *to, const char *from, size_t size)
{
    memcpy(to, from, size);
    to[size - 1] = '\0';
}

static void read_server(struct snapshot *s, const struct board *b, int64_t now)
{
    s->started = b->date;
    s->age_ms = since(now, b->begun_ms);
    s->looked_ms_ago = since(now, __atomic_load_n(&b->looked_ms, __ATOMIC_RELAXED));
    s->pid = (int64_t)board_get(&b->pid);
    s->phase = (enum board_phase)board_get(&b->phase);
    s->is_reloading = board_get(&b->is_reloading) != 0;
    s->is_upgrading = board_get(&b->is_upgrading) != 0;
    s->generation = board_get(&b->generation);
    s->reloads = board_get(&b->reloads);
    s->reload_failures = board_get(&b->reload_failures);
    s->workers_wanted = board_get(&b->workers);
    s->slot_count = (int)at_most(board_get(&b->slot_count), SLOTS_MAX);
    read_text(s->version, b->version, sizeof s->version);
    read_text(s->app, b->app, sizeof s->app);
    read_text(s->addresses, b->addresses, sizeof s->addresses);
    read_text(s->admin, b->admin, sizeof s->admin);
    read_text(s->root, b->root, sizeof s->root);
    read_text(s->serves, b->serves, sizeof s->serves);
}

static void read_standbys(struct snapshot *s, const struct board *b)
{
    s->has_standbys = board_get(&b->has_standbys) != 0;
    s->kept_connections = board_get(&b->kept_connections);
    read_numbers(s->successions, b->successions, sizeof s->successions);
}

static void ask_proc_of_master(struct snapshot *s)
{
    struct proc proc;
    s->is_stopped = proc_read((pid_t)s->pid, &proc) == 0 && proc.is_stopped;
}

static void read_metrics(struct snapshot *s, const struct board *b)
{
    for (int i = 0; i < DROVER_METRICS_MAX && b->metric_names[i][0]; i++) {
        read_text(s->metric_names[i], b->metric_names[i], sizeof s->metric_names[i]);
        read_text(s->metric_helps[i], b->metric_helps[i], sizeof s->metric_helps[i]);
        s->metric_is_gauge[i] = board_get(&b->metric_is_gauge[i]) != 0;
        s->metric_count = i + 1;
    }
}

static void read_events(struct snapshot *s, const struct board *b)
{
    uint64_t last = __atomic_load_n(&b->event_count, __ATOMIC_ACQUIRE);
    uint64_t count = at_most(last, BOARD_EVENTS);
    for (uint64_t i = 1; i <= count; i++)
        s->event_count += board_event(b, last - count + i, &s->events[s->event_count]);
}

/* -------------------------------------------------------------------------------- the workers */

/* A pid that is no child of the server is somebody else's by now, or of another namespace. */
static void ask_proc(struct snapshot_worker *worker, int64_t server)
{
    struct proc proc;
    struct snapshot_counts *counts = &worker->counts;
    if (proc_read((pid_t)worker->pid, &proc) < 0 || proc.parent != server)
        return;
    worker->is_stopped = proc.is_stopped;
    counts->cpu_us = proc.cpu_us;
    counts->voluntary = proc.voluntary;
    counts->involuntary = proc.involuntary;
    counts->rss = proc.rss;
}

/* The row was read already. */
static void read_worker(struct snapshot_worker *to, const struct board_worker *from, int64_t now)
{
    const struct board_row *row = &to->counts.row;
    to->pid = (int64_t)board_get(&from->pid);
    to->standby = (int64_t)board_get(&from->standby);
    to->slot = (int)at_most(board_get(&from->slot), SLOTS_MAX - 1);
    to->generation = board_get(&from->generation);
    to->is_ready = board_get(&from->is_ready) != 0;
    to->is_leaving = board_get(&from->is_leaving) != 0;
    to->is_stalled = board_get(&from->is_stalled) != 0;
    to->age_ms = since(now, (int64_t)board_get(&from->begun_ms));
    to->busy_ms = row->busy_since ? since(now, (int64_t)row->busy_since) : 0;
}

static void count_worker(struct snapshot *s, const struct snapshot_worker *worker)
{
    bool is_stalled = worker->is_stalled || worker->is_stopped;
    s->worker_count++;
    s->ready_count += worker->is_ready && !worker->is_leaving && !is_stalled;
    s->stalled_count += is_stalled;
    s->standby_count += worker->standby != 0 && !worker->is_leaving;
    s->sum.cpu_us += worker->counts.cpu_us;
    s->sum.voluntary += worker->counts.voluntary;
    s->sum.involuntary += worker->counts.involuntary;
    s->sum.rss += worker->counts.rss;
}

static void add_row(struct board_row *sum, const struct board_row *row)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)row;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

/* No row lies on the stack: sanitizers keep it no place of its alignment there. */
static void read_rows(struct snapshot *s, const struct board *b, int64_t now)
{
    uint64_t count = at_most(board_get(&b->row_count), BOARD_ROWS);
    s->worker_count = s->ready_count = s->stalled_count = s->standby_count = 0;
    memset(&s->sum, 0, sizeof s->sum);
    for (uint64_t i = 0; i < count; i++) {
        struct snapshot_worker *to = &s->workers[s->worker_count];
        memset(to, 0, sizeof *to);
        to->row = (int)i;
        read_numbers(&to->counts.row, &b->rows[i], sizeof to->counts.row);
        add_row(&s->sum.row, &to->counts.row);
        read_worker(to, &b->workers_of[i], now);
        if (to->pid == 0)
            continue;
        ask_proc(to, s->pid);
        count_worker(s, to);
    }
}

/* Those who have ended, and what they had used. */
struct ended {
    uint64_t cpu_us, voluntary, involuntary;
};

static struct ended read_ended(struct snapshot *s, const struct board *b)
{
    read_numbers(s->ended, b->ended, sizeof s->ended);
    return (struct ended){.cpu_us = board_get(&b->ended_cpu_us),
                          .voluntary = board_get(&b->ended_voluntary),
                          .involuntary = board_get(&b->ended_involuntary)};
}

static void read_workers(struct snapshot *s, const struct board *b, int64_t now)
{
    struct ended before, ended = read_ended(s, b);
    int tries = 0;
    do {
        before = ended;
        read_rows(s, b, now);
        ended = read_ended(s, b);
    } while (memcmp(&before, &ended, sizeof ended) != 0 && ++tries < TRIES);
    s->sum.cpu_us += ended.cpu_us;
    s->sum.voluntary += ended.voluntary;
    s->sum.involuntary += ended.involuntary;
}

static int compare(const void *a, const void *b)
{
    const struct snapshot_worker *one = a, *other = b;
    if (one->is_leaving != other->is_leaving)
        return one->is_leaving ? 1 : -1;
    if (one->slot != other->slot)
        return one->slot - other->slot;
    if (one->age_ms != other->age_ms)
        return one->age_ms < other->age_ms ? 1 : -1; /* its successor behind it */
    return one->row - other->row;
}

/* -------------------------------------------------------------------------------- the slots */

#define SLOT_NUMBERS offsetof(struct board_slot, crashed_request)
_Static_assert(SLOT_NUMBERS % sizeof(uint64_t) == 0, "numbers before the text");

/* The text as the master has written it is printable; what is read of one that may be another's, or
 * is being written, need not be. */
static void read_slot(struct snapshot_slot *slot, const struct board_slot *from, int64_t now)
{
    char *text = slot->board.crashed_request;
    read_numbers(&slot->board, from, SLOT_NUMBERS);
    read_text(text, from->crashed_request, sizeof slot->board.crashed_request);
    for (; *text; text++)
        *text = *text >= ' ' && *text <= '~' ? *text : '?';
    slot->crashed_ms_ago = since(now, slot->board.crashed_ms);
    slot->worker = -1;
}

uint64_t snapshot_crashes(const struct snapshot_slot *slot)
{
    uint64_t count = slot->board.crashes;
    return count >= CRASH_ROW_LEAST && slot->crashed_ms_ago <= CRASH_ROW_MS ? count : 0;
}

static void read_slots(struct snapshot *s, const struct board *b, int64_t now)
{
    for (int i = 0; i < s->slot_count; i++) {
        struct snapshot_slot *slot = &s->slots[i];
        read_slot(slot, &b->slots[i], now);
        s->queued += slot->board.queued;
        s->drops += slot->board.drops;
        s->depth_sum += slot->board.depth_sum;
        for (int depth = 0; depth < BOARD_DEPTHS; depth++)
            s->depths[depth] += slot->board.depths[depth];
    }
}

static void give_slots_workers(struct snapshot *s)
{
    for (int i = s->worker_count - 1; i >= 0; i--)
        if (!s->workers[i].is_leaving && s->workers[i].slot < s->slot_count)
            s->slots[s->workers[i].slot].worker = i;
}

bool snapshot_is_served(const struct snapshot_slot *slot)
{
    return slot->board.state == SLOT_LIVE || slot->board.state == SLOT_RELIEVED ||
           slot->board.adopter > 0;
}

bool snapshot_is_ready(const struct snapshot *s)
{
    for (int i = 0; i < s->slot_count; i++)
        if (!snapshot_is_served(&s->slots[i]))
            return false;
    return s->phase == BOARD_SERVING && s->slot_count > 0;
}

/* ------------------------------------------------------------------------------- the figures */

/* Seconds that a rate is of; its sample may be so much younger, or older. */
static const struct {
    int64_t wanted, least, most; /* milliseconds */
} spans[] = {
    [SNAPSHOT_1S] = {1000, 400, 2500},
    [SNAPSHOT_10S] = {10000, 7500, 15000},
    [SNAPSHOT_60S] = {60000, 45000, 90000},
};
_Static_assert(sizeof spans / sizeof *spans == SNAPSHOT_RATES, "a span a rate");

static double rate_of(uint64_t now, uint64_t then, int64_t elapsed)
{
    return now > then ? (double)(now - then) * 1000 / (double)elapsed : 0;
}

/* Of those of a fitting age the nearest. Not the oldest of all: it may be the one that is written
 * now. */
static struct board_sample sample_of(const struct board *b, int64_t now, int span)
{
    struct board_sample best = {0};
    uint64_t count = __atomic_load_n(&b->sample_count, __ATOMIC_ACQUIRE);
    for (uint64_t i = 1; i <= at_most(count, BOARD_SAMPLES - 1); i++) {
        struct board_sample one;
        read_numbers(&one, &b->samples[(count - i) % BOARD_SAMPLES], sizeof one);
        int64_t age = now - one.at_ms, wanted = spans[span].wanted;
        if (one.at_ms == 0 || age < spans[span].least || age > spans[span].most)
            continue;
        if (best.at_ms == 0 || llabs(age - wanted) < llabs(now - best.at_ms - wanted))
            best = one;
    }
    return best;
}

static void work_out_rates(struct snapshot *s, const struct board *b, int64_t now)
{
    for (int i = 0; i < SNAPSHOT_RATES; i++) {
        struct snapshot_rate *rate = &s->rates[i];
        struct board_sample then = sample_of(b, now, i);
        int64_t elapsed = now - then.at_ms;
        *rate = (struct snapshot_rate){.is_known = then.at_ms != 0};
        if (!rate->is_known)
            continue;
        rate->requests = rate_of(s->sum.row.requests, then.requests, elapsed);
        rate->accepted = rate_of(s->sum.row.accepted, then.accepted, elapsed);
        rate->wakeups = rate_of(s->sum.row.wakeups, then.wakeups, elapsed);
        rate->bytes = rate_of(s->sum.row.bytes, then.bytes, elapsed);
    }
}

/* By interpolation in the bucket that the share falls into. The last one has no end: its begin. */
static double percentile(const uint64_t times[BOARD_BUCKETS], double share)
{
    uint64_t total = 0;
    for (int i = 0; i < BOARD_BUCKETS; i++)
        total += times[i];
    double wanted = share * (double)total, below = 0;
    for (unsigned i = 0; i < BOARD_BUCKETS && total > 0; i++) {
        double from = (double)board_bucket_us(i), in = (double)times[i];
        if (times[i] == 0 || below + in < wanted) {
            below += in;
            continue;
        }
        if (i == BOARD_BUCKETS - 1)
            return from;
        return from + (wanted - below) / in * ((double)board_bucket_us(i + 1) - from);
    }
    return 0;
}

struct snapshot_latency snapshot_latency(const uint64_t times[BOARD_BUCKETS])
{
    return (struct snapshot_latency){
        .p50 = percentile(times, .5),
        .p90 = percentile(times, .9),
        .p99 = percentile(times, .99),
        .p999 = percentile(times, .999),
    };
}

/* (sum x)^2 / (n * sum x^2) */
static double jain_of(const struct snapshot *s)
{
    double sum = 0, squares = 0;
    int count = 0;
    for (int i = 0; i < s->worker_count; i++) {
        double x = (double)s->workers[i].counts.row.requests;
        if (s->workers[i].is_leaving)
            continue;
        count++;
        sum += x;
        squares += x * x;
    }
    return squares > 0 ? sum * sum / (count * squares) : 0;
}

static void work_out(struct snapshot *s)
{
    const struct board_row *sum = &s->sum.row;
    s->wakeups_per_connection = sum->accepted ? (double)sum->wakeups / (double)sum->accepted : 0;
    s->jain = jain_of(s);
    s->latency = snapshot_latency(s->sum.row.times);
}

void snapshot_take_at(struct snapshot *s, const struct board *b, int64_t now, int64_t date)
{
    memset(s, 0, sizeof *s);
    s->date = date;
    read_server(s, b, now);
    read_standbys(s, b);
    ask_proc_of_master(s);
    read_metrics(s, b);
    read_events(s, b);
    read_slots(s, b, now);
    read_workers(s, b, now);
    qsort(s->workers, (size_t)s->worker_count, sizeof *s->workers, compare);
    give_slots_workers(s);
    work_out_rates(s, b, now);
    work_out(s);
}

void snapshot_take(struct snapshot *snapshot, const struct board *board)
{
    snapshot_take_at(snapshot, board, clock_ms(), clock_date_ms());
}
