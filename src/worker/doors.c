#include "worker/doors.h"

#include <string.h>
#include <unistd.h>

void doors_init(struct doors *doors)
{
    memset(doors, -1, sizeof *doors); /* every number is -1 */
    doors->slot_count = 0;
    doors->address_count = 0;
    memset(doors->is_proxied, 0, sizeof doors->is_proxied);
    memset(doors->is_lent, 0, sizeof doors->is_lent);
    memset(doors->joined, 0, sizeof doors->joined);
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
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        for (int end = 0; end < INBOX_ENDS; end++)
            close_one(doors->inbox[slot][end]);
    doors_init(doors);
}

/* What was there already stays: it may be watched. */
static void learn_one(int *place, int fd)
{
    if (*place < 0)
        *place = fd;
    else
        close(fd);
}

void doors_learn(struct doors *doors, int slot, const int *fds, size_t count)
{
    size_t at = 0;
    for (int i = 0; i < doors->address_count && at < count; i++)
        if (doors->shared[i] < 0)
            learn_one(&doors->own[slot][i], fds[at++]);
    for (int end = 0; end < INBOX_ENDS && at < count; end++)
        learn_one(&doors->inbox[slot][end], fds[at++]);
    for (; at < count; at++)
        close(fds[at]);
    if (slot >= doors->slot_count)
        doors->slot_count = slot + 1;
}

void doors_each(const struct doors *doors, int slot, uint32_t addresses,
                void (*fn)(int fd, void *context), void *context)
{
    for (int i = 0; i < doors->address_count; i++)
        if (doors->own[slot][i] >= 0 && (addresses >> i & 1))
            fn(doors->own[slot][i], context);
}

static bool holds(const struct doors *doors, int address, int door)
{
    if (doors->shared[address] == door)
        return true;
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (doors->own[slot][address] == door)
            return true;
    return false;
}

uint32_t doors_address(const struct doors *doors, int door)
{
    for (int i = 0; i < doors->address_count; i++)
        if (holds(doors, i, door))
            return UINT32_C(1) << i;
    return 0;
}

bool doors_is_proxied(const struct doors *doors, int door)
{
    for (int i = 0; i < doors->address_count; i++)
        if (doors->is_proxied[i] && holds(doors, i, door))
            return true;
    return false;
}
