#include "master/reload.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "master/crew.h"

static void renew_next(struct master *m)
{
    while (m->renewing < m->plan.slot_count && m->plan.slots[m->renewing].state == SLOT_EMPTY)
        m->renewing++;
    if (m->renewing < m->plan.slot_count) {
        crew_step(m, PLAN_RENEW, m->renewing);
        return;
    }
    log_info("reload: every worker is a fresh one");
    m->renewing = -1;
}

/* No worker is given up for one that has nothing to serve. */
static bool can_begin(const struct master *m)
{
    if (!m->settings->root)
        return true;
    int fd = open(m->settings->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        log_warn("reload: nothing is changed: --root %s", m->settings->root);
        return false;
    }
    close(fd);
    return true;
}

void reload_begin(struct master *m)
{
    if (m->plan.is_stopping || !can_begin(m))
        return;
    m->renewing = 0;
    renew_next(m);
}

void reload_go_on(struct master *m, int slot)
{
    if (m->renewing != slot)
        return;
    m->renewing++;
    renew_next(m);
}

void reload_give_up(struct master *m, int slot)
{
    if (m->renewing != slot)
        return;
    m->renewing = -1;
    log_warnx(
        "reload: given up, since worker %d does not start; those that were not replaced go on",
        slot);
}
