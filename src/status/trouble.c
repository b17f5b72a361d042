#include "status/trouble.h"

#include <stdio.h>

#include "base/limits.h"
#include "worker/slot_state.h"

/* Milliseconds that a turn takes at most, unless it hangs, however busy the machine is: the master,
 * which knows more, sees most of them sooner. */
#define TURN_MAX_MS 1000

/* Milliseconds between two looks of a master that runs: PULSE_IDLE_MS, and what a busy machine
 * adds. */
#define LOOK_MAX_MS 3000

/* Ends that nobody asked for, after which a slot whose worker is young is in a loop. */
#define LOOP_ENDS 3

/* Milliseconds after which a worker that has no standby is not about to get one. */
#define STANDBY_LATE_MS 5000

/* A set of slots as words: "slots 0-3, 7". */
struct slots {
    int count;
    bool has[SLOTS_MAX];
};

typedef bool slot_fn(const struct snapshot *s, int slot);

static int find_slots(const struct snapshot *s, slot_fn *is_one, struct slots *found)
{
    *found = (struct slots){.count = 0};
    for (int i = 0; i < s->slot_count; i++) {
        found->has[i] = is_one(s, i);
        found->count += found->has[i];
    }
    return found->count;
}

static void put_range(struct buf *to, int first, int last, const char *before)
{
    buf_printf(to, first == last ? "%s%d" : "%s%d-%d", before, first, last);
}

/* "slot 3", "slots 0-3, 7". */
static void put_slots(struct buf *to, const struct slots *slots)
{
    const char *before = slots->count == 1 ? "slot " : "slots ";
    for (int i = 0, end; i < SLOTS_MAX; i = end + 1) {
        end = i;
        if (!slots->has[i])
            continue;
        while (end + 1 < SLOTS_MAX && slots->has[end + 1])
            end++;
        put_range(to, i, end, before);
        before = ", ";
    }
}

static void put_time(struct buf *to, int64_t ms)
{
    if (ms < 60000)
        buf_printf(to, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    else
        buf_printf(to, "%lld min", (long long)(ms / 60000));
}

static const struct snapshot_worker *worker_of(const struct snapshot *s, int slot)
{
    int i = s->slots[slot].worker;
    return i < 0 ? NULL : &s->workers[i];
}

/* ------------------------------------------------------------------------------- the master */

static void tell_silence(struct buf *to, const struct snapshot *s)
{
    if (s->is_stopped) {
        buf_printf(to, "the master (pid %lld) is stopped by a signal: kill -CONT goes on with it\n",
                   (long long)s->pid);
        return;
    }
    if (s->looked_ms_ago < LOOK_MAX_MS || s->phase == BOARD_LEFT)
        return;
    buf_printf(to, "the master (pid %lld) has not looked for ", (long long)s->pid);
    put_time(to, s->looked_ms_ago);
    buf_lit(to, ": it hangs, or has ended\n");
}

static void tell_phase(struct buf *to, const struct snapshot *s)
{
    if (s->phase == BOARD_LEFT)
        buf_lit(to, "a new master serves; this one waits for its workers to leave\n");
    else if (s->phase == BOARD_STARTING)
        buf_printf(to, "the server starts: %d of %llu workers accept\n", s->ready_count,
                   (unsigned long long)s->workers_wanted);
    else if (s->phase == BOARD_LAME)
        buf_lit(to, "the server is to stop: clients still come in\n");
    else if (s->phase == BOARD_STOPPING)
        buf_printf(to, "the server stops: %d workers finish what they have\n", s->worker_count);
}

/* -------------------------------------------------------------------------------- the workers */

bool trouble_hangs(const struct snapshot_worker *worker)
{
    return worker->is_stalled || worker->is_stopped || worker->busy_ms >= TURN_MAX_MS;
}

typedef bool worker_fn(const struct snapshot_worker *worker);

static bool is_stopped(const struct snapshot_worker *worker)
{
    return worker->is_stopped;
}

static bool hangs(const struct snapshot_worker *worker)
{
    return trouble_hangs(worker) && !worker->is_stopped;
}

/* Of all workers, those that leave among them. Returns how many; *longest has the longest turn. */
static int find_workers(const struct snapshot *s, worker_fn *is_one, struct slots *slots,
                        const struct snapshot_worker **longest)
{
    int count = 0;
    *slots = (struct slots){.count = 0};
    *longest = NULL;
    for (int i = 0; i < s->worker_count; i++) {
        const struct snapshot_worker *one = &s->workers[i];
        if (!is_one(one))
            continue;
        count++;
        slots->count += !slots->has[one->slot];
        slots->has[one->slot] = true;
        if (!*longest || one->busy_ms > (*longest)->busy_ms)
            *longest = one;
    }
    return count;
}

/* "worker 3 (pid 4711) hangs", "3 of 4 workers hang: slots 0-2"; and since when. */
static void tell_workers(struct buf *to, const struct snapshot *s, worker_fn *is_one,
                         const char *one, const char *several)
{
    struct slots slots;
    const struct snapshot_worker *longest;
    int count = find_workers(s, is_one, &slots, &longest);
    if (count == 0)
        return;
    if (count == 1) {
        buf_printf(to, "worker %d (pid %lld) %s", longest->slot, (long long)longest->pid, one);
    } else {
        buf_printf(to, "%d of %d workers %s: ", count, s->worker_count, several);
        put_slots(to, &slots);
    }
    if (longest->busy_ms > 0) {
        buf_str(to, count == 1 ? ": its turn lasts for " : "; the longest turn lasts for ");
        put_time(to, longest->busy_ms);
    }
    buf_lit(to, "\n");
}

static bool is_full(const struct snapshot *s, int slot)
{
    const struct snapshot_worker *worker = worker_of(s, slot);
    return worker && worker->counts.row.is_paused;
}

static bool is_refused(const struct snapshot *s, int slot)
{
    return s->slots[slot].board.state == SLOT_REFUSED;
}

/* Its worker has ended often, and there is none, or a young one. */
static bool loops(const struct snapshot *s, int slot)
{
    const struct snapshot_worker *worker = worker_of(s, slot);
    return s->slots[slot].board.ends >= LOOP_ENDS && !is_refused(s, slot) &&
           s->slots[slot].board.state != SLOT_EMPTY && snapshot_crashes(&s->slots[slot]) == 0 &&
           (!worker || worker->age_ms < RESPAWN_HEALTHY_MS);
}

/* While it starts nobody serves, and that is told otherwise. */
static bool is_left_alone(const struct snapshot *s, int slot)
{
    return !snapshot_is_served(&s->slots[slot]) && s->phase == BOARD_SERVING;
}

/* Its clients do not notice, until it ends. */
static bool has_no_standby(const struct snapshot *s, int slot)
{
    const struct snapshot_worker *worker = worker_of(s, slot);
    return s->has_standbys && s->phase == BOARD_SERVING && worker && worker->is_ready &&
           worker->standby == 0 && worker->age_ms >= STANDBY_LATE_MS;
}

static bool crashes(const struct snapshot *s, int slot)
{
    return snapshot_crashes(&s->slots[slot]) > 0;
}

/* "slot 3: 5 workers in a row were ended by signals, the last at "GET /crash HTTP/1.1"" */
static void tell_crashes(struct buf *to, const struct snapshot *s)
{
    struct slots found;
    const struct snapshot_slot *last = NULL;
    uint64_t count = 0;
    if (find_slots(s, crashes, &found) == 0)
        return;
    for (int i = 0; i < s->slot_count; i++) {
        const struct snapshot_slot *one = &s->slots[i];
        if (!found.has[i])
            continue;
        count += snapshot_crashes(one);
        if (!last || one->crashed_ms_ago < last->crashed_ms_ago)
            last = one;
    }
    put_slots(to, &found);
    buf_printf(to, ": %llu workers in a row were ended by signals", (unsigned long long)count);
    if (last && last->board.crashed_request[0])
        buf_printf(to, ", the last at \"%s\"", last->board.crashed_request);
    buf_lit(to, "\n");
}

/* ------------------------------------------------------------------------------- the whole */

static const struct {
    slot_fn *is_one;
    const char *one, *several; /* behind the slots */
} troubles[] = {
    {is_left_alone, "is served by nobody: clients wait there",
     "are served by nobody: clients wait there"},
    {is_refused, "has no worker: none can run with this configuration",
     "have no workers: none can run with this configuration"},
    {loops, "has a worker that ends again and again", "have workers that end again and again"},
    {is_full, "has a worker that accepts nothing: it is full, or lacks descriptors",
     "have workers that accept nothing: they are full, or lack descriptors"},
    {has_no_standby, "has a worker without a standby: its connections end with it",
     "have workers without a standby: their connections end with them"},
};

static void tell_slots(struct buf *to, const struct snapshot *s)
{
    struct slots found;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        if (find_slots(s, troubles[i].is_one, &found) == 0)
            continue;
        put_slots(to, &found);
        buf_printf(to, " %s\n", found.count == 1 ? troubles[i].one : troubles[i].several);
    }
}

int trouble_tell(struct buf *to, const struct snapshot *s)
{
    int count = 0;
    size_t from = to->len;
    tell_silence(to, s);
    tell_phase(to, s);
    tell_workers(to, s, hangs, "hangs", "hang");
    tell_workers(to, s, is_stopped, "is stopped by a signal", "are stopped by a signal");
    tell_crashes(to, s);
    tell_slots(to, s);
    if (s->sum.row.log_lost > 0)
        buf_printf(to, "%llu lines of the access log could not be written\n",
                   (unsigned long long)s->sum.row.log_lost);
    for (size_t i = from; i < to->len; i++)
        count += to->p[i] == '\n';
    return count;
}

void trouble_each(const struct snapshot *s, void (*each)(void *context, const char *words),
                  void *context)
{
    struct buf lines = {0};
    trouble_tell(&lines, s);
    for (char *at = lines.p, *end = at + lines.len; at && at < end;) {
        char *line = at;
        at = memchr(line, '\n', (size_t)(end - line));
        *at++ = '\0';
        each(context, line);
    }
    buf_free(&lines);
}
