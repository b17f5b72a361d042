#include "master/stop.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/outcome.h"
#include "master/reload.h"
#include "master/takeover.h"
#include "master/upgrade.h"
#include "os/net.h"

/* Who comes now is refused once the sockets are closed, and not reset after it was let in. Where
 * the kernel does not permit it, a client that comes at the last moment is. */
static bool drop_new(const struct master *m)
{
    const struct doors *doors = &m->present->doors;
    int count = 0;
    if (store_holds(&m->store, doors))
        return false; /* they wait in the queues for the next start */
    for (int slot = 0; slot < doors->slot_count; slot++)
        for (int i = 0; i < doors->address_count; i++) {
            if (doors->own[slot][i] < 0 || doors->is_lent[i])
                continue;
            if (net_drop_new(doors->own[slot][i]) < 0)
                return false;
            count++;
        }
    return count > 0;
}

/* The next start has no use for the sockets of slots that have had no worker for long, and so no
 * clients; the last ones alone can go (see steer.h). */
static void forget_retired(struct master *m)
{
    const struct plan *plan = plan_of(m);
    int slot = plan->slot_count;
    while (slot > 1 && plan->slots[slot - 1].state == SLOT_EMPTY)
        slot--;
    store_forget(&m->store, slot);
}

static void begin(struct master *m)
{
    m->stop_at = CLOCK_NEVER;
    if (m->stop_begun == 0)
        m->stop_begun = clock_ms();
    reload_give_up(m, "the server stops");
    upgrade_give_up(m, "the server stops");
    outcome_begin(m, OUTCOME_STOP);
    m->is_filtered = drop_new(m);
    log_debug("new connections %s", m->is_filtered             ? "are dropped"
                                    : store_is_open(&m->store) ? "wait for the next start"
                                                               : "are refused");
    m->is_stopping = true;
    plan_of(m)->is_stopping = true;
    forget_retired(m);
    for (int slot = 0; slot < plan_of(m)->slot_count; slot++)
        crew_step(m, m->present, PLAN_UNWANT, slot);
    crew_hurry(m);
}

static void tell(const struct master *m, const char *cause)
{
    const struct settings *s = m->present->settings;
    struct board_row sum = board_sum(m->board);
    char limit[64] = "";
    if (s->drain_timeout)
        snprintf(limit, sizeof limit, " for %lld ms to end", (long long)s->drain_timeout);
    if (sum.connections > 0)
        log_info("stopping on %s: %llu connections are open, and have time%s; once more stops at "
                 "once",
                 cause, (unsigned long long)sum.connections, limit);
    else
        log_info("stopping on %s", cause);
}

void stop_now(struct master *m, const char *cause)
{
    struct board_row sum = board_sum(m->board);
    log_info("stopping at once on %s, with %llu connections open", cause,
             (unsigned long long)sum.connections);
    if (!m->is_stopping)
        begin(m);
    crew_kill(m);
}

/* The sockets are still the old server's, and so is who waits there: they are left as they are. */
static void leave_to_predecessor(struct master *m, const char *cause)
{
    log_info("%s: this server has not taken over yet, and ends", cause);
    m->is_stopping = true;
    plan_of(m)->is_stopping = true;
    crew_kill(m);
}

void stop_on(struct master *m, const char *cause)
{
    char again[64];
    if (m->is_handed_over) {
        log_info("%s: the new server is pid %d; this one leaves when its workers have", cause,
                 (int)m->upgrade.master.pid);
        return;
    }
    if (!takeover_is_done(m)) {
        leave_to_predecessor(m, cause);
        return;
    }
    int64_t lame_duck = m->present->settings->lame_duck;
    if (m->is_stopping || m->stop_at != CLOCK_NEVER) {
        snprintf(again, sizeof again, "a second %s", cause);
        stop_now(m, again);
        return;
    }
    if (lame_duck > 0) {
        log_info("stopping on %s in %lld ms; until then it goes on accepting", cause,
                 (long long)lame_duck);
        upgrade_give_up(m, "the server stops");
        m->stop_begun = clock_ms();
        m->stop_at = m->now + lame_duck;
        return;
    }
    tell(m, cause);
    begin(m);
}

void stop_tick(struct master *m)
{
    if (m->stop_at <= m->now)
        begin(m);
}
