#include "master/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/admin.h"
#include "master/admin_doors.h"
#include "master/crew.h"
#include "master/lent.h"
#include "master/outcome.h"
#include "master/prepare.h"
#include "master/scale.h"
#include "master/slots.h"
#include "master/steering.h"
#include "master/upgrade.h"

/* ------------------------------------------------------------------------------- giving up */

/* It lives on until its last worker has been reaped. */
static void put_aside(struct master *m, struct generation *g)
{
    g->plan.is_stopping = true;
    g->next = m->leaving;
    m->leaving = g;
}

static void drop(struct master *m, struct generation *g)
{
    m->coming = NULL;
    put_aside(m, g);
    crew_dismiss_all(m, g, slots_lost(&g->doors, &m->present->doors));
    slots_close(&g->doors, g->settings->addresses, &m->present->doors);
    admin_doors_close(g, m->present);
    prepare_back(m);
}

void reload_give_up(struct master *m, const char *why)
{
    if (!m->coming)
        return;
    drop(m, m->coming);
    outcome_end(m, OUTCOME_RELOAD, EX_UNAVAILABLE, why);
}

bool reload_break_off(struct master *m, const char *why)
{
    if (!m->coming)
        return false;
    drop(m, m->coming);
    outcome_again(m, OUTCOME_RELOAD, why);
    return true;
}

void reload_sweep(struct master *m)
{
    struct generation **at = &m->leaving;
    while (*at) {
        struct generation *g = *at;
        if (g->children > 0) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        if (m->applied == g->configuration)
            m->applied = NULL;
        if (m->prepared == g->configuration)
            m->prepared = NULL;
        generation_free(g, m->source);
    }
}

/* --------------------------------------------------------------------------- the beginning */

static struct generation *read_anew(struct master *m)
{
    static char why[CONFIGURATION_WHY_SIZE];
    int status;
    struct configuration *configuration = m->source->read(m->source->context, &status, why,
                                                          sizeof why);
    if (!configuration) {
        outcome_end(m, OUTCOME_RELOAD, status, why);
        return NULL;
    }
    struct generation *g = generation_new(configuration);
    if (!g) {
        outcome_end(m, OUTCOME_RELOAD, EX_OSERR, strerror(errno));
        m->source->free(configuration);
    }
    return g;
}

/* What signals have made of the number of workers holds until the configuration has another one. */
static void keep_scale(const struct master *m, struct generation *g)
{
    if (g->settings->workers == m->present->configured)
        g->settings->workers = crew_size(m->present);
}

/* Slots are never fewer: what a retired one's sockets get must be served. Returns 0, or the status
 * of the failure. */
static int open_slots(struct master *m, struct generation *g, char *why, size_t size)
{
    struct settings *s = g->settings;
    struct generation *present = m->present;
    while (present->plan.slot_count < s->workers)
        if (scale_add_slot(m) < 0) {
            snprintf(why, size, "cannot add a slot to the %d there are: %s",
                     present->plan.slot_count, strerror(errno));
            return EX_OSERR;
        }
    int status = lent_resolve(s, &m->lent, why, size);
    if (status)
        return status;
    slots_carry(&g->doors, s->addresses, s->address_count, &present->doors,
                present->settings->addresses);
    slots_borrow(&g->doors, s->addresses, s->address_count, &m->lent.doors, m->lent.addresses);
    status = slots_open(&g->doors, s->addresses, s->address_count, present->plan.slot_count, why,
                        size);
    if (status)
        return status;
    for (int slot = 0; slot < present->plan.slot_count; slot++)
        plan_add_slot(&g->plan);
    return 0;
}

static void tell_fixed(const struct master *m, const struct generation *g)
{
    const char *keys[CONFIGURATION_FIXED_MAX];
    size_t count = configuration_fixed(m->present->configuration, g->configuration, keys);
    for (size_t i = 0; i < count; i++)
        log_warnx("reload: a new %s takes an upgrade (USR2) or a restart; it stays as it is",
                  keys[i]);
}

static void start(struct master *m, struct generation *g)
{
    m->coming = g;
    g->number = m->present->number + 1;
    g->plan.is_coming = true;
    for (int slot = 0; slot < g->settings->workers && m->coming == g; slot++)
        crew_step(m, g, PLAN_WANT, slot);
}

void reload_begin(struct master *m)
{
    char why[DROVER_WHY_SIZE] = "";
    if (upgrade_is_under_way(m)) { /* that has read it before it was changed, perhaps */
        upgrade_break_off(m, "it begins anew with the configuration as it is now");
        outcome_join(m);
        upgrade_begin(m);
        return;
    }
    outcome_begin(m, OUTCOME_RELOAD);
    int64_t begun = clock_ms();
    struct generation *g = read_anew(m);
    if (!g)
        return;
    g->begun = begun;
    reload_break_off(m, "it begins anew, since another was asked for");
    tell_fixed(m, g);
    keep_scale(m, g);
    prepare_descriptors(g->settings);
    int status = logs_open(m, g, why, sizeof why);
    bool is_open = status == 0 && (status = open_slots(m, g, why, sizeof why)) == 0;
    if (is_open)
        status = admin_doors_open(g, m->present, &m->lent, why, sizeof why);
    if (status == 0)
        status = prepare_app(m, g, why, sizeof why);
    if (status == 0) {
        start(m, g);
        return;
    }
    outcome_end(m, OUTCOME_RELOAD, status, why);
    if (is_open)
        slots_close(&g->doors, g->settings->addresses, &m->present->doors);
    admin_doors_close(g, m->present);
    prepare_back(m);
    put_aside(m, g);
}

/* ------------------------------------------------------------------------------ the change */

/* Of these addresses of it, a bit each. */
static void tell_addresses(const struct generation *g, uint32_t which, const char *what)
{
    char text[NET_TEXT_SIZE];
    for (int i = 0; i < g->settings->address_count; i++) {
        if (!(which >> i & 1))
            continue;
        net_text(&g->settings->addresses[i], text);
        log_info("reload: %s %s", what, text);
    }
}

/* Its workers are forked from this process, which has loaded a module once and for all. */
static void end(struct master *m, const struct generation *g)
{
    char words[512], stale[384] = "";
    const char *app = g->configuration->stale;
    if (app)
        snprintf(stale, sizeof stale,
                 "app = %.300s has changed on disk: an upgrade runs the new one", app);
    snprintf(words, sizeof words, "every worker is a fresh one: %d, after %lld ms%s%s",
             crew_size(g), (long long)(clock_ms() - g->begun), app ? "; " : "", stale);
    outcome_end(m, OUTCOME_RELOAD, 0, words);
    if (app)
        log_warnx("reload: %s", stale);
}

static void change(struct master *m, struct generation *g)
{
    struct generation *old = m->present;
    uint32_t closing = slots_lost(&old->doors, &g->doors);
    uint32_t opened = slots_lost(&g->doors, &old->doors);
    m->present = g;
    m->coming = NULL;
    put_aside(m, old);
    logs_use(g);
    lent_warn_unused(&m->lent, &g->doors, &g->admin);
    if (slots_renew(&g->doors, g->settings->addresses) < 0)
        log_warn("reload: cannot change a socket's backlog= or defer=");
    crew_take_over(m, g);
    steering_renew(m); /* addresses may have been added */
    crew_dismiss_all(m, old, closing);
    m->store.is_stale |= closing != 0;
    store_renew(&m->store, &g->doors);
    slots_close(&old->doors, old->settings->addresses, &g->doors);
    admin_renew(m, old);
    tell_addresses(g, opened, "now at");
    tell_addresses(old, closing, "no longer at");
    end(m, g);
}

void reload_go_on(struct master *m)
{
    if (m->coming && plan_is_whole(&m->coming->plan))
        change(m, m->coming);
}
