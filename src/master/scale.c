#include "master/scale.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/outcome.h"
#include "master/reload.h"
#include "master/slots.h"
#include "master/steering.h"
#include "master/upgrade.h"
#include "master/verb.h"

int scale_add_slot(struct master *m)
{
    struct generation *g = m->present;
    if (g->plan.slot_count == SLOTS_MAX) {
        errno = ENOSPC;
        return -1;
    }
    steering_pin(m);
    if (slots_add(&g->doors, g->settings->addresses) < 0)
        return -1;
    int slot = plan_add_slot(&g->plan);
    crew_tell_doors(m, slot);
    crew_take_over(m, g); /* somebody adopts it */
    store_renew(&m->store, &g->doors);
    return slot;
}

/* A reload, or an upgrade, begins anew with the other number. */
struct interrupted {
    bool is_reload, is_upgrade;
};

static struct interrupted interrupt(struct master *m)
{
    static const char why[] = "it begins anew with another number of workers";
    return (struct interrupted){.is_reload = reload_break_off(m, why),
                                .is_upgrade = upgrade_break_off(m, why)};
}

static void resume(struct master *m, struct interrupted it)
{
    if (it.is_reload)
        reload_begin(m);
    if (it.is_upgrade)
        upgrade_begin(m);
}

void scale_up(struct master *m)
{
    int slot = crew_size(m->present);
    struct interrupted it = interrupt(m);
    if (slot == m->present->plan.slot_count && (slot = scale_add_slot(m)) < 0) {
        log_warn("scale: cannot add a worker to the %d there are", m->present->plan.slot_count);
    } else {
        crew_step(m, m->present, PLAN_WANT, slot);
        log_info("scale: one worker more: %d", crew_size(m->present));
    }
    resume(m, it);
}

void scale_down(struct master *m)
{
    int slot = crew_size(m->present) - 1;
    if (slot <= 0) {
        log_warnx("scale: the last worker stays");
        return;
    }
    struct interrupted it = interrupt(m);
    crew_step(m, m->present, PLAN_UNWANT, slot);
    log_info("scale: one worker less: %d", crew_size(m->present));
    announce(m); /* it may have been the one that was waited for */
    resume(m, it);
}

/* --------------------------------------------------------------------------------- the verb */

bool scale_read(struct master *m, const char *argument, size_t n, char *why, size_t size)
{
    char text[8] = "", *last;
    memcpy(text, argument, n < sizeof text ? n : 0);
    long number = strtol(text, &last, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && last == text + n;
    m->scale.asked = is_number && number <= SLOTS_MAX ? (int)number : 0;
    if (m->scale.asked == 0)
        snprintf(why, size, "must be a number of workers, 1 to %d", SLOTS_MAX);
    return m->scale.asked > 0;
}

static void end(struct master *m, int status, const char *words)
{
    outcome_end(m, OUTCOME_SCALE, status, words);
}

/* Slots first, so that nothing has changed when one cannot be made. */
static int make_slots(struct master *m, int wanted)
{
    while (m->present->plan.slot_count < wanted)
        if (scale_add_slot(m) < 0)
            return -1;
    return 0;
}

/* The slots from `from` to, and without, `to`; from the highest down, so that the wanted ones are
 * always the first. */
static void want(struct master *m, int from, int to)
{
    for (int slot = from; slot < to; slot++)
        crew_step(m, m->present, PLAN_WANT, slot);
}

static void unwant(struct master *m, int from, int to)
{
    for (int slot = to - 1; slot >= from; slot--)
        crew_step(m, m->present, PLAN_UNWANT, slot);
}

static void change(struct master *m)
{
    const struct scale *scale = &m->scale;
    struct interrupted it = interrupt(m);
    log_info("scale: from %d to %d workers", scale->before, scale->wanted);
    if (make_slots(m, scale->wanted) < 0) {
        char why[128];
        snprintf(why, sizeof why, "cannot add a slot to the %d there are: %s",
                 m->present->plan.slot_count, strerror(errno));
        end(m, EX_OSERR, why);
    } else {
        want(m, scale->before, scale->wanted);
        unwant(m, scale->wanted, scale->before);
        announce(m); /* it may have been one of these that was waited for */
    }
    resume(m, it);
}

void scale_begin(struct master *m)
{
    char why[64];
    struct scale *scale = &m->scale;
    int before = crew_size(m->present);
    if (m->is_under_way[OUTCOME_SCALE] && scale->wanted != scale->asked) {
        snprintf(why, sizeof why, "another number was asked for meanwhile: %d", scale->asked);
        control_tell_others(m, OUTCOME_SCALE, EX_UNAVAILABLE, why);
    }
    if (!m->is_under_way[OUTCOME_SCALE] || scale->wanted != scale->asked)
        *scale = (struct scale){
            .asked = scale->asked, .wanted = scale->asked, .before = before, .begun = clock_ms()};
    outcome_begin(m, OUTCOME_SCALE);
    if (before != scale->wanted)
        change(m);
    scale_tick(m);
}

/* The first of the new slots whose worker does not start; -1. */
static int failing(const struct master *m)
{
    const struct plan *plan = &m->present->plan;
    for (int slot = m->scale.before; slot < m->scale.wanted && slot < plan->slot_count; slot++)
        if (plan->slots[slot].state == SLOT_REFUSED || plan->slots[slot].ends >= COMING_ENDS_MAX)
            return slot;
    return -1;
}

static bool is_done(const struct master *m)
{
    const struct plan *plan = &m->present->plan;
    for (int slot = 0; slot < m->scale.wanted && slot < plan->slot_count; slot++)
        if (plan->slots[slot].state != SLOT_LIVE && plan->slots[slot].state != SLOT_RELIEVED &&
            slot >= m->scale.before)
            return false;
    return true;
}

static void give_up(struct master *m, int slot)
{
    char why[64];
    struct interrupted it = interrupt(m);
    snprintf(why, sizeof why, "worker %d does not start", slot);
    unwant(m, m->scale.before, m->scale.wanted);
    end(m, EX_UNAVAILABLE, why);
    resume(m, it);
}

static void finish(struct master *m)
{
    char words[128];
    int size = crew_size(m->present);
    const struct scale *scale = &m->scale;
    if (size != scale->wanted) {
        snprintf(words, sizeof words, "the number was changed meanwhile, to %d", size);
        end(m, EX_UNAVAILABLE, words);
        return;
    }
    int n = snprintf(words, sizeof words, "%d worker%s", size, size == 1 ? "" : "s");
    if (size > scale->before)
        snprintf(words + n, sizeof words - (size_t)n, ", %d more, after %lld ms",
                 size - scale->before, (long long)(clock_ms() - scale->begun));
    else if (size < scale->before)
        snprintf(words + n, sizeof words - (size_t)n, "; %d finish what they have, and leave",
                 scale->before - size);
    else
        snprintf(words + n, sizeof words - (size_t)n, ", as there were");
    end(m, 0, words);
}

void scale_tick(struct master *m)
{
    char why[VERB_WHY_SIZE];
    if (!m->is_under_way[OUTCOME_SCALE])
        return;
    int status = verb_refuse(m, NULL, why);
    int slot = failing(m);
    if (m->is_stopping || m->is_handed_over)
        end(m, status, why);
    else if (crew_size(m->present) == m->scale.wanted && slot >= 0)
        give_up(m, slot);
    else if (is_done(m) || crew_size(m->present) != m->scale.wanted)
        finish(m);
}
