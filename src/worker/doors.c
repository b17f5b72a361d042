#include "worker/doors.h"

#include <string.h>

void doors_init(struct doors *doors)
{
    memset(doors, -1, sizeof *doors); /* every number is -1 */
    doors->slot_count = 0;
    doors->address_count = 0;
}

void doors_each(const struct doors *doors, int slot, void (*fn)(int fd, void *context),
                void *context)
{
    for (int i = 0; i < doors->address_count; i++)
        if (doors->own[slot][i] >= 0)
            fn(doors->own[slot][i], context);
}

int doors_slot_of(const struct doors *doors, int fd)
{
    for (int slot = 0; slot < doors->slot_count; slot++)
        for (int i = 0; i < doors->address_count; i++)
            if (doors->own[slot][i] == fd)
                return slot;
    return -1;
}
