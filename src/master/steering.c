#include "master/steering.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "os/steer.h"

/* A member's index is the order of listen(2), and no socket of a group is ever closed while the
 * server runs: it is the slot's number. Slots beyond the `joined` first share the sockets of these,
 * which then serve as long as one of them does. */
static size_t members_of(const struct slot_set *set, int slot_count, int joined,
                         int members[SLOTS_MAX])
{
    struct slot_set in = {{0}};
    size_t count = 0;
    for (int slot = 0; slot < slot_count; slot++) {
        if (!slot_set_has(set, slot) || slot_set_has(&in, slot % joined))
            continue;
        slot_set_add(&in, slot % joined);
        members[count++] = slot % joined;
    }
    return count;
}

static void give_up(struct master *m)
{
    log_warn("cannot steer new connections past workers that do not serve; others accept for them "
             "all the same");
    m->cannot_steer = true;
}

static void steer(struct master *m, const struct slot_set *set, bool is_all)
{
    int members[SLOTS_MAX];
    const struct doors *doors = &m->present->doors;
    m->steered = *set;
    m->is_steered = !is_all;
    for (int i = 0; i < doors->address_count && !m->cannot_steer; i++) {
        if (doors->joined[i] < 1 || (doors->joined[i] == 1 && !is_all))
            continue; /* a socket alone is no group */
        size_t count = members_of(set, m->present->plan.slot_count, doors->joined[i], members);
        if (is_all && steer_detach(doors->own[0][i]) < 0)
            give_up(m);
        if (!is_all && steer_attach(doors->own[0][i], members, count) < 0)
            give_up(m);
    }
}

static bool is_mine(const struct master *m)
{
    return m->is_announced && !m->is_stopping && !m->is_handed_over && !m->cannot_steer &&
           m->predecessor < 0;
}

/* Nobody is better than all: somebody may come back, and clients wait in the queues. */
static bool is_for_all(struct master *m, struct slot_set *set)
{
    int count = plan_serving(plan_of(m), set);
    return count == 0 || count == m->present->plan.slot_count;
}

void steering_update(struct master *m)
{
    struct slot_set set;
    if (!is_mine(m))
        return;
    bool is_all = is_for_all(m, &set);
    if (m->is_steered == !is_all && (is_all || memcmp(&set, &m->steered, sizeof set) == 0))
        return;
    steer(m, &set, is_all);
}

void steering_pin(struct master *m)
{
    struct slot_set set;
    if (m->present->plan.slot_count < 2)
        return; /* a socket alone is no group yet: only a second one makes it */
    if (!is_mine(m) || !is_for_all(m, &set))
        return; /* it is steered already */
    if (plan_serving(plan_of(m), &set) > 0)
        steer(m, &set, false);
}

void steering_renew(struct master *m)
{
    struct slot_set set;
    if (!is_mine(m))
        return;
    bool is_all = is_for_all(m, &set);
    steer(m, &set, is_all);
}
