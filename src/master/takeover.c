#include "master/takeover.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/admin.h"
#include "master/admin_doors.h"
#include "master/crew.h"
#include "master/estate.h"
#include "master/lent.h"
#include "master/service.h"
#include "master/slots.h"
#include "master/steering.h"
#include "master/upgrade.h"
#include "os/inherit.h"
#include "os/pass.h"
#include "os/pidfile.h"
#include "os/steer.h"

/* ------------------------------------------------------------------------------- the talking */

static void say(const struct master *m, struct upgrade_word *word)
{
    word->version = UPGRADE_VERSION;
    if (m->predecessor >= 0 && pass_send(m->predecessor, word, sizeof *word, NULL, 0) < 0 &&
        errno != EPIPE)
        log_warn("cannot reach the old server");
}

static void tell_closing(const struct master *m, const struct holding *h)
{
    uint32_t lost = slots_lost(&h->doors, &m->present->doors) &
                    slots_lost(&h->doors, &m->present->admin);
    for (int i = 0; i < h->doors.address_count; i++) {
        struct upgrade_word word = {.kind = UPGRADE_CLOSING, .length = h->addresses[i].length};
        memcpy(&word.address, &h->addresses[i].storage, sizeof word.address);
        if (lost >> i & 1)
            say(m, &word);
    }
}

/* What no address wants. The old master's workers serve what is queued there, and it removes the
 * files once this server has taken over; of a server that is gone nobody does. */
static void give_back(struct master *m, struct holding *own, struct holding *admin)
{
    const struct doors *doors = &m->present->doors;
    m->store.is_stale |= slots_lost(&own->doors, doors) != 0;
    tell_closing(m, own);
    tell_closing(m, &m->lent);
    tell_closing(m, admin);
    slots_drop(&admin->doors, &m->present->admin);
    if (m->predecessor >= 0)
        slots_drop(&own->doors, doors);
    else
        slots_close(&own->doors, own->addresses, doors);
}

static void take_scale(struct master *m)
{
    struct settings *s = m->present->settings;
    const char *words = getenv(UPGRADE_VARIABLE);
    long long configured;
    int present;
    if (!words)
        return;
    s->ready_fd = -1; /* it was the old one's */
    if (sscanf(words, "%lld:%d", &configured, &present) == 2 && configured == s->workers &&
        present >= 1 && present <= SLOTS_MAX)
        s->workers = present;
    unsetenv(UPGRADE_VARIABLE);
}

/* A server that is gone may have steered past sockets that are served again. */
static void wake_sockets(const struct doors *doors, const struct net_address *addresses)
{
    for (int i = 0; i < doors->address_count; i++)
        for (int slot = 0; slot < doors->slot_count; slot++)
            if (doors->own[slot][i] >= 0 && steer_detach(doors->own[slot][i]) < 0)
                log_warn("cannot end what new connections were steered by");
    if (slots_renew(doors, addresses) < 0)
        log_warn("cannot change a socket's backlog= or defer=");
}

/* A unix socket whose file was removed meanwhile, as with the service's runtime directory, is of no
 * use: its address is bound anew. */
static void leave_unreachable(struct master *m, struct holding *own)
{
    for (int i = 0; i < own->doors.address_count; i++) {
        if (own->doors.shared[i] < 0 || net_is_reachable(&own->addresses[i]))
            continue;
        close(own->doors.shared[i]);
        own->doors.shared[i] = -1;
        m->store.is_stale = true;
    }
}

/* Into the doors of the present generation, which are counted when they are opened. */
static int settle(struct master *m, struct holding *own, struct holding *admin)
{
    char why[DROVER_WHY_SIZE];
    struct settings *s = m->present->settings;
    struct doors *doors = &m->present->doors;
    int status = lent_resolve(s, &m->lent, why, sizeof why);
    if (status)
        return service_failx(m, status, "%s", why);
    if (m->predecessor < 0)
        leave_unreachable(m, own);
    slots_carry(doors, s->addresses, s->address_count, &own->doors, own->addresses);
    slots_borrow(doors, s->addresses, s->address_count, &m->lent.doors, m->lent.addresses);
    doors->address_count = s->address_count;
    doors->slot_count = m->inherited_slots;
    if (m->predecessor < 0)
        wake_sockets(doors, s->addresses);
    admin_doors_take(m->present, admin, &m->lent);
    lent_warn_unused(&m->lent, doors, &m->present->admin);
    give_back(m, own, admin);
    return 0;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Somebody's socket may have its name, in a start that is no upgrade. */
static int channel_of(const struct estate *estate)
{
    if (estate->channel < 0 || getenv(UPGRADE_VARIABLE))
        return estate->channel;
    log_warnx("descriptor %d (" ESTATE_UPGRADE ") was inherited, and is not used: the name is for "
              "upgrades",
              estate->channel);
    close(estate->channel);
    return -1;
}

int takeover_begin(struct master *m)
{
    char why[256];
    struct inherit inherit;
    if (inherit_take(&inherit, why, sizeof why) < 0)
        return service_failx(m, EX_OSERR, "what was inherited cannot be used: %s", why);
    struct estate *estate = malloc(sizeof *estate);
    if (!estate) {
        inherit_free(&inherit);
        return service_failx(m, EX_OSERR, "what was inherited cannot be used: %s",
                             strerror(ENOMEM));
    }
    estate_take(estate, &inherit);
    inherit_free(&inherit);
    m->predecessor = channel_of(estate);
    m->pidfile = estate->pidfile;
    if (estate->control >= 0 && !control_inherit(m, estate->control))
        close(estate->control);
    m->lent = estate->lent;
    m->inherited_slots = larger(estate->own.doors.slot_count, estate->lent.doors.slot_count);
    m->store.slots = m->inherited_slots;
    m->store.is_held = m->predecessor >= 0;
    if (m->predecessor >= 0)
        log_set_name("new master");
    take_scale(m);
    int status = settle(m, &estate->own, &estate->admin);
    free(estate);
    return status;
}

int takeover_slots(const struct master *m)
{
    return larger((int)m->present->settings->workers, m->inherited_slots);
}

/* One that was sent to all processes is here already: a stop is not to be its second. */
static void heed_passed_on(const struct master *m, int signal)
{
    if (!m->is_stopping && m->stop_at == CLOCK_NEVER && raise(signal) != 0)
        log_warnx("signal %d cannot be heeded", signal);
}

/* It answers once it steers no more, or is gone. */
static void on_predecessor(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    struct upgrade_word word;
    (void)events;
    ssize_t n = pass_receive(fd, &word, sizeof word, NULL, NULL);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n == (ssize_t)sizeof word && word.kind == UPGRADE_SIGNAL) {
        heed_passed_on(m, word.cause);
        return;
    }
    loop_delete(loop, fd);
    close(fd);
    m->predecessor = -1;
    m->store.is_held = m->is_handed_over;
    store_renew(&m->store, &m->present->doors);
    steering_renew(m);
}

/* Not before: if this server does not get ready, the file is still the old one's. */
static void take_pidfile(struct master *m)
{
    pid_t holder;
    const char *path = m->present->settings->pidfile;
    if (m->pidfile < 0 || pidfile_adopt(m->pidfile, path) == 0)
        return;
    if (errno == ESTALE) { /* it has another path now */
        close(m->pidfile);
        m->pidfile = pidfile_open(path, &holder);
        if (m->pidfile >= 0)
            return;
    }
    log_warn("--pidfile %s", path);
}

void takeover_end(struct master *m)
{
    struct upgrade_word word = {.kind = UPGRADE_READY};
    if (m->predecessor < 0)
        return;
    log_set_name("master");
    take_pidfile(m);
    control_take_over(m);
    if (slots_renew(&m->present->doors, m->present->settings->addresses) < 0)
        log_warn("cannot change a socket's backlog= or defer=");
    plan_serving(plan_of(m), &word.slots);
    admin_begin(m);
    crew_begin(m);
    logs_take_over(m);
    say(m, &word);
    if (loop_add(m->loop, m->predecessor, EPOLLIN, on_predecessor, m) < 0)
        log_warn("cannot hear the old server");
}
