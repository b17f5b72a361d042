#include "master/leavers.h"

#include "base/clock.h"
#include "master/standbys.h"
#include "master/succession.h"
#include "os/runtime.h"

void leavers_begin(struct master *m, struct child *child)
{
    if (child->heritage.from >= 0)
        return; /* what it is to go on with is not here yet */
    if (!succession_is_possible(child)) {
        standbys_dismiss(m, child);
        return;
    }
    child->look_at = child->is_stopped ? m->now : m->now + PULSE_MS;
}

void leavers_given(struct master *m, struct child *child)
{
    if (!child->is_leaving || child->is_awaited || child->is_superseded)
        return;
    child->is_hung = false;
    child->look_at = CLOCK_NEVER;
    standbys_dismiss(m, child);
}

/* A turn is counted from when it is first seen: what was seen of it before stands in the pulse. */
static void note_turn(const struct master *m, struct child *child, uint64_t turn)
{
    child->pulse.turn = turn;
    child->pulse.turn_at = m->now;
    if (runtime_read(child->pid, &child->pulse.turn_runtime) < 0)
        child->pulse.turn_runtime = (struct runtime){0};
}

/* Has it spent so much of its own time in one turn that it is not waited for, as pulse.c has it for
 * those that stay? */
static bool hangs(const struct master *m, struct child *child)
{
    struct runtime now;
    uint64_t turn = board_get(&m->board->rows[child->row].busy_since);
    int64_t limit = child->generation->plan.hang_timeout;
    int64_t enough = limit && limit / 2 < STANDBY_TURN_MS ? limit / 2 : STANDBY_TURN_MS;
    if (turn != child->pulse.turn)
        note_turn(m, child, turn);
    int64_t elapsed = m->now - child->pulse.turn_at;
    if (turn == 0 || elapsed < enough || elapsed < 2 * child->start_ms)
        return false;
    return runtime_read(child->pid, &now) < 0 ||
           runtime_own_ms(&child->pulse.turn_runtime, &now, elapsed) >= enough;
}

static void look_at(struct master *m, struct child *child)
{
    child->look_at = succession_is_possible(child) ? m->now + PULSE_MS : CLOCK_NEVER;
    if (child->is_stopped || hangs(m, child))
        succession_supersede(m, child->pid);
}

/* A step may add children, and moves them then: they are looked up by their places. */
void leavers_tick(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++)
        if (m->children.list[i].look_at <= m->now)
            look_at(m, &m->children.list[i]);
}

int64_t leavers_next(const struct master *m)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < m->children.count; i++)
        next = clock_sooner(next, m->children.list[i].look_at);
    return next;
}
