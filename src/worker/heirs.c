#include "worker/heirs.h"

#include <errno.h>

#include "base/log.h"

void heirs_set(struct heirs *heirs, const struct doors *doors, const struct slot_set *set,
               int first)
{
    *heirs = (struct heirs){0};
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (slot_set_has(set, slot) && doors->inbox[slot][INBOX_IN] >= 0)
            heirs->ends[heirs->count++] = doors->inbox[slot][INBOX_IN];
    if (heirs->count > 0)
        heirs->next = first % heirs->count;
}

/* It will be so again in a while: an inbox is full, or so many descriptors are under way in all. */
static bool is_passing(int error)
{
    return error == EAGAIN || error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

static void drop(struct heirs *heirs, int which)
{
    log_warn("cannot hand a connection over to an heir");
    heirs->ends[which] = heirs->ends[--heirs->count];
}

enum heirs_answer heirs_give(struct heirs *heirs, const struct conn *conn)
{
    for (int tries = heirs->count; tries > 0; tries--) {
        int which = heirs->next % heirs->count;
        heirs->next = which + 1;
        if (handover_send(heirs->ends[which], conn) == 0)
            return HEIRS_TOOK;
        if (!is_passing(errno))
            drop(heirs, which);
    }
    return heirs->count > 0 ? HEIRS_FULL : HEIRS_NONE;
}
