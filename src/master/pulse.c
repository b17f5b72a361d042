#include "master/pulse.h"

#include "base/clock.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/record.h"
#include "master/standbys.h"
#include "master/succession.h"
#include "os/net.h"
#include "os/runtime.h"

static uint64_t read_row(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------------------- the hangs */

/* How much of the time since then was the process's own doing; all, where the kernel does not tell.
 */
static int64_t own_ms(const struct child *child, const struct runtime *then, int64_t elapsed)
{
    struct runtime now;
    if (runtime_read(child->pid, &now) < 0)
        return elapsed;
    return runtime_own_ms(then, &now, elapsed);
}

static void note(const struct child *child, struct runtime *runtime)
{
    if (runtime_read(child->pid, runtime) < 0)
        *runtime = (struct runtime){0};
}

static uint64_t done_by(const struct board_row *row)
{
    return read_row(&row->accepted) + read_row(&row->requests);
}

/* In the turn that was seen, and nothing has come of it since: many costly answers are no hang. */
static bool is_where_it_was(const struct master *m, const struct child *child)
{
    const struct board_row *row = &m->board->rows[child->row];
    return read_row(&row->busy_since) == child->pulse.turn &&
           done_by(row) == child->pulse.turn_done;
}

/* Has it spent so much of its own time where it was seen before? That counts from the first sight
 * of a turn that is not short: under load a worker that spins is given no more of the CPUs than the
 * others. */
static bool hangs(struct master *m, struct child *child, bool is_late)
{
    struct pulse *pulse = &child->pulse;
    const struct board_row *row = &m->board->rows[child->row];
    uint64_t turn = read_row(&row->busy_since);
    int64_t lasts = m->now - (int64_t)turn;
    if (turn == 0 || lasts < HANG_SIGHT_MS)
        return false;
    if (!is_where_it_was(m, child) || is_late) {
        pulse->turn = turn;
        pulse->turn_done = done_by(row);
        pulse->turn_at = m->now;
        note(child, &pulse->turn_runtime);
        return false;
    }
    int64_t elapsed = m->now - pulse->turn_at;
    return lasts >= HANG_TURN_MS && elapsed >= HANG_OWN_MS &&
           own_ms(child, &pulse->turn_runtime, elapsed) >= HANG_OWN_MS;
}

static void look_for_hang(struct master *m, struct child *child, bool is_late)
{
    int64_t lasts = m->now - (int64_t)child->pulse.turn;
    bool was_hung = child->is_hung;
    if (was_hung)
        child->is_hung = is_where_it_was(m, child);
    else
        child->is_hung = hangs(m, child, is_late);
    if (child->is_hung == was_hung)
        return;
    if (child->is_hung)
        log_warnx("worker %d (pid %d) hangs since %lld ms; others accept for it", child->slot,
                  (int)child->pid, (long long)(m->now - (int64_t)child->pulse.turn));
    else
        log_warnx("worker %d (pid %d) goes on after %lld ms", child->slot, (int)child->pid,
                  (long long)lasts);
    crew_step(m, child->generation, child->is_hung ? PLAN_STALLED : PLAN_RECOVERED, child->slot);
}

/* Would a successor be of use to some client, and cost none? It goes on with what rests, and serves
 * a queue that no other does; but what lasts, a stream say, would be told to come to its end. */
static bool helps(const struct master *m, const struct child *child, uint64_t queued)
{
    const struct desk *desk = standbys_desk(m, child->row);
    const struct plan_slot *slot = &child->generation->plan.slots[child->slot];
    int resting = 0, lasting = 0;
    if (desk)
        desk_count(desk, &resting, &lasting);
    return lasting == 0 && (resting > 0 || (queued > 0 && slot->adopter < 0));
}

/* A successor is to be ready before the worker would be again: one that takes long to start is no
 * help against a turn that is a little too long. */
static void look_for_long_turn(struct master *m, const struct child *child, uint64_t queued)
{
    struct patience *patience = &m->succession.patience[child->slot];
    pid_t pid = child->pid;
    int64_t limit = m->present->plan.hang_timeout;
    int64_t most = limit ? limit / 2 : STANDBY_TURN_MAX_MS;
    int64_t elapsed = m->now - child->pulse.turn_at;
    int64_t own = own_ms(child, &child->pulse.turn_runtime, elapsed);
    int64_t enough = helps(m, child, queued) ? patience_ms(patience, m->now, most) : most;
    if (own >= STANDBY_TURN_MS)
        patience_note(patience, m->now);
    if (own < enough || elapsed < 2 * child->start_ms)
        return;
    succession_supersede(m, pid);
    child = children_by_pid(&m->children, pid);
    if (child && child->is_superseded)
        patience_double(patience, m->now);
}

/* ------------------------------------------------------------------------------ the queues */

static uint64_t queued_at(const struct generation *g, int slot, uint64_t *drops)
{
    const struct doors *doors = &g->doors;
    uint64_t queued = 0;
    for (int i = 0; i < doors->address_count; i++) {
        struct net_queue queue;
        if (doors->own[slot][i] < 0 || net_queue(doors->own[slot][i], &queue) < 0)
            continue;
        queued += queue.queued;
        if (!g->settings->addresses[i].defer)
            *drops += queue.drops;
    }
    return queued;
}

static uint64_t look_at_queue(struct master *m, int slot)
{
    uint64_t drops = 0;
    uint64_t queued = queued_at(m->present, slot, &drops);
    record_queue(m, slot, queued, drops);
    return queued;
}

/* Clients wait, and for long none of them was taken by a worker that had the CPU. */
static bool stands_still(struct master *m, struct child *child, uint64_t queued, bool is_late)
{
    struct pulse *pulse = &child->pulse;
    uint64_t accepted = read_row(&m->board->rows[child->row].accepted);
    if (queued == 0 || accepted != pulse->accepted || is_late) {
        pulse->accepted = accepted;
        pulse->still_since = CLOCK_NEVER;
        return false;
    }
    if (pulse->still_since == CLOCK_NEVER) {
        pulse->still_since = m->now;
        note(child, &pulse->still_runtime);
        return false;
    }
    int64_t elapsed = m->now - pulse->still_since;
    return elapsed >= QUEUE_STILL_MS &&
           own_ms(child, &pulse->still_runtime, elapsed) >= QUEUE_STILL_MS;
}

static void look_at_worker(struct master *m, struct child *child, uint64_t queued, bool is_late)
{
    struct generation *g = child->generation;
    bool is_away = g->plan.slots[child->slot].is_away;
    bool is_full = read_row(&m->board->rows[child->row].is_paused) != 0;
    bool is_still = queued > 0 && is_away && !is_full
                        ? read_row(&m->board->rows[child->row].accepted) == child->pulse.accepted
                        : stands_still(m, child, queued, is_late);
    if (is_away == (is_full || is_still))
        return;
    log_debug("worker %d (pid %d) %s", child->slot, (int)child->pid,
              is_full    ? "is full; others accept for it"
              : is_still ? "takes nothing from its queue; others accept for it"
                         : "accepts again");
    crew_step(m, g, is_away ? PLAN_BACK : PLAN_AWAY, child->slot);
}

/* -------------------------------------------------------------------------------- the look */

static bool is_looked_at(const struct master *m, const struct child *child)
{
    return child->is_ready && !child->is_leaving && !child->is_heir && !child->is_stopped &&
           child->generation == m->present;
}

/* A step may add children, and moves them then: they are looked up by their places. */
static void look(struct master *m, bool is_late)
{
    uint64_t queued[SLOTS_MAX];
    for (int slot = 0; slot < m->present->plan.slot_count; slot++)
        queued[slot] = look_at_queue(m, slot);
    for (size_t i = 0; i < m->children.count; i++)
        if (is_looked_at(m, &m->children.list[i]))
            look_for_hang(m, &m->children.list[i], is_late);
    for (size_t i = 0; i < m->children.count; i++)
        if (is_looked_at(m, &m->children.list[i]) && m->children.list[i].is_hung)
            look_for_long_turn(m, &m->children.list[i], queued[m->children.list[i].slot]);
    for (size_t i = 0; i < m->children.count; i++)
        if (is_looked_at(m, &m->children.list[i]) && !m->children.list[i].is_hung)
            look_at_worker(m, &m->children.list[i], queued[m->children.list[i].slot], is_late);
}

/* Does anything happen at all? */
static bool moves(struct master *m)
{
    uint64_t sum = 0;
    bool is_busy = false;
    for (size_t i = 0; i < m->children.count; i++) {
        const struct board_row *row = &m->board->rows[m->children.list[i].row];
        sum += read_row(&row->accepted) + read_row(&row->requests);
        is_busy |= read_row(&row->busy_since) != 0 || read_row(&row->is_paused) != 0;
    }
    bool has_moved = sum != m->pulse_sum;
    m->pulse_sum = sum;
    return has_moved || is_busy;
}

void pulse_tick(struct master *m)
{
    if (m->now < m->pulse_at || m->is_stopping || m->is_handed_over)
        return;
    bool is_late = m->now - m->pulse_at >= PULSE_MS;
    look(m, is_late && m->pulse_at > 0);
    bool is_quiet = !moves(m);
    board_set(&m->board->is_quiet, is_quiet);
    m->pulse_at = m->now + (is_quiet ? PULSE_IDLE_MS : PULSE_MS);
}

void pulse_wake(struct master *m)
{
    board_set(&m->board->is_quiet, 0);
    if (m->now + PULSE_MS < m->pulse_at)
        m->pulse_at = m->now + PULSE_MS;
}
