#include "master/store.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "master/estate.h"

/* A name is a slot's number, or that of what all slots share. */
#define SHARED_NAME (-1)

void store_open(struct store *store, const struct notify *notify)
{
    if (notify_keeps_descriptors(notify, &store->room))
        store->notify = notify;
}

bool store_is_open(const struct store *store)
{
    return store->notify != NULL;
}

/* ------------------------------------------------------------------------------ one message */

static int send_remove(const struct store *store, int slot)
{
    char name[ESTATE_NAME_SIZE], text[ESTATE_NAME_SIZE + 32];
    estate_name(name, slot, "");
    snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
    return notify_send(store->notify, text);
}

/* A socket that another slot has shares is stored once. */
static size_t gather(const struct doors *doors, int slot, int fds[ADDRESSES_MAX])
{
    size_t count = 0;
    for (int i = 0; i < doors->address_count; i++) {
        int fd = slot == SHARED_NAME ? doors->shared[i] : doors->own[slot][i];
        bool is_copy = slot != SHARED_NAME && doors->joined[i] >= 0 && slot >= doors->joined[i];
        if (fd >= 0 && !is_copy && !doors->is_lent[i])
            fds[count++] = fd;
    }
    return count;
}

bool store_holds(const struct store *store, const struct doors *doors)
{
    int fds[ADDRESSES_MAX];
    size_t count = gather(doors, SHARED_NAME, fds);
    for (int slot = 0; slot < doors->slot_count; slot++)
        count += gather(doors, slot, fds);
    return store_is_open(store) && count <= store->room;
}

/* Those that it has already it knows by themselves. */
static int send_store(const struct store *store, const struct doors *doors, int slot)
{
    char name[ESTATE_NAME_SIZE], text[ESTATE_NAME_SIZE + 32];
    int fds[ADDRESSES_MAX];
    size_t count = gather(doors, slot, fds);
    estate_name(name, slot, "");
    snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s", name);
    return count == 0 ? 0 : notify_send_fds(store->notify, text, fds, count);
}

/* --------------------------------------------------------------------------------- the whole */

/* What is stale goes first, from the last slot down (see steer.h). What is there is added from the
 * first slot on: where the manager has no room for all, the first ones are a whole. */
static int send_next(const struct store *store, const struct doors *doors)
{
    if (store->left > store->added)
        return send_remove(store, store->left - store->added - 1 + SHARED_NAME);
    if (store->left == 1)
        return send_store(store, doors, SHARED_NAME);
    return send_store(store, doors, store->added - store->left);
}

void store_renew(struct store *store, const struct doors *doors)
{
    if (!store_is_open(store))
        return;
    if (store->slots < doors->slot_count)
        store->slots = doors->slot_count;
    store->added = doors->slot_count + 1;
    store->left = store->added + (store->is_stale ? store->slots + 1 : 0);
    store_tick(store, doors);
}

/* It reads too slowly, which passes; what else fails would fail again. */
static bool is_late(void)
{
    return errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS;
}

void store_tick(struct store *store, const struct doors *doors)
{
    while (!store->is_held && store->left > 0 && (send_next(store, doors) == 0 || !is_late())) {
        store->left--;
        if (store->left == store->added)
            store->is_stale = false;
    }
}

int64_t store_next(const struct store *store, int64_t now)
{
    return store->left > 0 && !store->is_held ? now + STORE_RETRY_MS : CLOCK_NEVER;
}

void store_forget(const struct store *store, int slot)
{
    if (!store_is_open(store) || store->is_held)
        return;
    for (int i = store->slots - 1; i >= slot; i--)
        if (send_remove(store, i) < 0)
            log_debug("the service manager keeps the sockets of slot %d", i);
}
