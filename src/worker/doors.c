#include "worker/doors.h"

#include <string.h>
#include <unistd.h>

void doors_init(struct doors *doors)
{
    memset(doors, -1, sizeof *doors); /* every number is -1 */
    doors->slot_count = 0;
    doors->address_count = 0;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

void doors_close(struct doors *doors)
{
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        close_one(doors->shared[i]);
        for (int slot = 0; slot < SLOTS_MAX; slot++)
            close_one(doors->own[slot][i]);
    }
    doors_init(doors);
}

void doors_each(const struct doors *doors, int slot, void (*fn)(int fd, void *context),
                void *context)
{
    for (int i = 0; i < doors->address_count; i++)
        if (doors->own[slot][i] >= 0)
            fn(doors->own[slot][i], context);
}
