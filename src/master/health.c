#include "master/health.h"

static void count(const struct plan *plan, int slot, struct health *health)
{
    health->wanted++;
    switch (plan->slots[slot].state) {
    case SLOT_LIVE:
    case SLOT_RELIEVED: health->accepting++; break;
    case SLOT_STALLED:
    case SLOT_ABORTED: health->stalled++; break;
    case SLOT_REFUSED: health->refused++; break;
    case SLOT_WAITING:
        if (health->waiting++ == 0) {
            health->next = slot;
            health->delay = plan_delay(plan->slots[slot].ends);
        }
        break;
    default: break;
    }
}

void health_of(const struct plan *plan, struct health *health)
{
    *health = (struct health){.next = -1};
    for (int slot = 0; slot < plan->slot_count; slot++)
        if (plan->slots[slot].state != SLOT_EMPTY)
            count(plan, slot, health);
}

bool health_is_good(const struct health *health)
{
    return health->accepting > 0 && 4 * health->accepting >= health->wanted;
}
