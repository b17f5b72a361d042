#include "master/admin_doors.h"

#include "master/slots.h"

void admin_doors_take(struct generation *g, const struct holding *from, const struct holding *lent)
{
    struct settings *s = g->settings;
    if (s->admin_count == 0)
        return;
    slots_carry(&g->admin, s->admin, s->admin_count, &from->doors, from->addresses);
    slots_borrow(&g->admin, s->admin, s->admin_count, &lent->doors, lent->addresses);
    g->admin.address_count = s->admin_count;
    g->admin.slot_count = 1;
}

int admin_doors_open(struct generation *g, const struct generation *present,
                     const struct holding *lent, char *why, size_t why_size)
{
    struct settings *s = g->settings;
    if (s->admin_count == 0)
        return 0;
    if (present) {
        slots_carry(&g->admin, s->admin, s->admin_count, &present->admin, present->settings->admin);
        slots_borrow(&g->admin, s->admin, s->admin_count, &lent->doors, lent->addresses);
    }
    return slots_open_for("admin", &g->admin, s->admin, s->admin_count, 1, why, why_size);
}

void admin_doors_close(struct generation *g, const struct generation *other)
{
    slots_close(&g->admin, g->settings->admin, other ? &other->admin : NULL);
}
