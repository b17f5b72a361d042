#include "master/scale.h"

#include <errno.h>

#include "base/log.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/reload.h"
#include "master/slots.h"
#include "master/steering.h"

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
    return slot;
}

/* A reload begins anew with the other number. */
static bool interrupt_reload(struct master *m)
{
    bool is_coming = m->coming;
    reload_give_up(m, "it begins anew with another number of workers");
    return is_coming;
}

void scale_up(struct master *m)
{
    int slot = crew_size(m->present);
    bool is_coming = interrupt_reload(m);
    if (slot == m->present->plan.slot_count && (slot = scale_add_slot(m)) < 0) {
        log_warn("cannot add a worker to the %d there are", m->present->plan.slot_count);
    } else {
        crew_step(m, m->present, PLAN_WANT, slot);
        log_info("one worker more: %d", crew_size(m->present));
    }
    if (is_coming)
        reload_begin(m);
}

void scale_down(struct master *m)
{
    int slot = crew_size(m->present) - 1;
    if (slot <= 0) {
        log_warnx("the last worker stays");
        return;
    }
    bool is_coming = interrupt_reload(m);
    crew_step(m, m->present, PLAN_UNWANT, slot);
    log_info("one worker less: %d", crew_size(m->present));
    announce(m); /* it may have been the one that was waited for */
    if (is_coming)
        reload_begin(m);
}
