#include "master/scale.h"

#include <errno.h>

#include "base/log.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/reload.h"
#include "master/slots.h"
#include "master/steering.h"
#include "master/upgrade.h"

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
