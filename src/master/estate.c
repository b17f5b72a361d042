#include "master/estate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* ---------------------------------------------------------------------------------- the names */

void estate_name(char name[ESTATE_NAME_SIZE], int slot, const char *lent)
{
    const char *at = *lent ? "@" : "";
    if (slot < 0)
        snprintf(name, ESTATE_NAME_SIZE, ESTATE_SHARED "%s%s", at, lent);
    else
        snprintf(name, ESTATE_NAME_SIZE, ESTATE_SLOT "%d%s%s", slot, at, lent);
}

/* "slot12" is 12 for "slot", and so is "slot12@web", whose rest is "web"; -1: it is no such name.
 */
static int number_of(const char *name, const char *stem, const char **rest)
{
    size_t n = strlen(stem);
    if (strncmp(name, stem, n) != 0 || name[n] < '0' || name[n] > '9')
        return -1;
    char *end;
    unsigned long number = strtoul(name + n, &end, 10);
    *rest = *end == '@' ? end + 1 : end;
    if (number >= SLOTS_MAX || end - (name + n) > 3 || (*end != '\0' && *end != '@'))
        return -1;
    return (int)number;
}

/* ------------------------------------------------------------------------------- their places */

/* Which of its addresses a listener is at; -1: there are too many, or it is none. */
static int place(struct holding *h, int fd, const char *lent)
{
    struct net_address address;
    struct doors *doors = &h->doors;
    if (net_of_listener(fd, &address) < 0)
        return -1;
    address.any_port = *lent == '\0'; /* it may have been */
    snprintf(address.name, sizeof address.name, "%s", lent);
    for (int i = 0; i < doors->address_count; i++)
        if (net_is_same(&address, &h->addresses[i]))
            return i;
    if (doors->address_count == ADDRESSES_MAX) {
        errno = ENOSPC;
        return -1;
    }
    h->addresses[doors->address_count] = address;
    return doors->address_count++;
}

static bool put(int *where, int fd)
{
    if (*where >= 0)
        return false;
    *where = fd;
    return true;
}

static void note_slot(struct holding *h, int slot)
{
    if (slot >= h->doors.slot_count)
        h->doors.slot_count = slot + 1;
}

static bool take_inbox(struct estate *estate, int fd, int slot, enum inbox_end end)
{
    note_slot(&estate->own, slot);
    return put(&estate->own.doors.inbox[slot][end], fd);
}

/* The service manager's sockets block, unless it was told otherwise, and may be waited at by many
 * here; a server that has stopped may have left its filter. */
static bool make_ready(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    net_admit_new(fd);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool take_listener(struct estate *estate, int fd, int slot, const char *lent)
{
    struct holding *h = *lent ? &estate->lent : &estate->own;
    int i = place(h, fd, lent);
    if (i < 0 || !make_ready(fd))
        return false;
    note_slot(h, slot);
    return put(slot < 0 ? &h->doors.shared[i] : &h->doors.own[slot][i], fd);
}

/* In the order in which they come, which for one address is that of their listen(2). */
static bool take_lent(struct estate *estate, int fd, const char *name)
{
    int slot = 0;
    int i = place(&estate->lent, fd, name);
    if (i < 0 || !make_ready(fd))
        return false;
    while (slot < SLOTS_MAX && estate->lent.doors.own[slot][i] >= 0)
        slot++;
    if (slot == SLOTS_MAX)
        return false;
    note_slot(&estate->lent, slot);
    return put(&estate->lent.doors.own[slot][i], fd);
}

static bool take_admin(struct holding *h, int fd)
{
    int i = place(h, fd, "");
    if (i < 0 || !make_ready(fd))
        return false;
    note_slot(h, 0);
    return put(net_is_shared(&h->addresses[i]) ? &h->doors.shared[i] : &h->doors.own[0][i], fd);
}

static bool take(struct estate *estate, const struct inherit_entry *entry)
{
    static const char shared[] = ESTATE_SHARED "@";
    const char *name = entry->name, *rest = "";
    int slot;
    if (strcmp(name, ESTATE_UPGRADE) == 0)
        return put(&estate->channel, entry->fd);
    if (strcmp(name, ESTATE_PIDFILE) == 0)
        return put(&estate->pidfile, entry->fd);
    if (strcmp(name, ESTATE_CONTROL) == 0)
        return put(&estate->control, entry->fd);
    if (strcmp(name, ESTATE_ADMIN) == 0 && estate->is_upgrade)
        return take_admin(&estate->admin, entry->fd);
    if (strcmp(name, ESTATE_ADMIN_OUT) == 0)
        return put(&estate->admin.doors.inbox[0][INBOX_OUT], entry->fd);
    if (strcmp(name, ESTATE_ADMIN_IN) == 0)
        return put(&estate->admin.doors.inbox[0][INBOX_IN], entry->fd);
    if (strcmp(name, ESTATE_SHARED) == 0)
        return take_listener(estate, entry->fd, -1, "");
    if (strncmp(name, shared, sizeof shared - 1) == 0)
        return take_listener(estate, entry->fd, -1, name + sizeof shared - 1);
    if ((slot = number_of(name, ESTATE_SLOT, &rest)) >= 0)
        return take_listener(estate, entry->fd, slot, rest);
    if ((slot = number_of(name, ESTATE_OUT, &rest)) >= 0)
        return take_inbox(estate, entry->fd, slot, INBOX_OUT);
    if ((slot = number_of(name, ESTATE_IN, &rest)) >= 0)
        return take_inbox(estate, entry->fd, slot, INBOX_IN);
    return take_lent(estate, entry->fd, name);
}

/* ----------------------------------------------------------------------------------- the whole */

/* How many sockets of an address are in its group: those of the first slots. Where one of these is
 * missing, the kernel's order of the rest is not known here. */
static void count_joined(struct holding *h, int i)
{
    char text[NET_TEXT_SIZE];
    struct doors *doors = &h->doors;
    int joined = 0, last = -1;
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (doors->own[slot][i] >= 0) {
            joined++;
            last = slot;
        }
    doors->joined[i] = joined == last + 1 ? joined : -1;
    if (doors->joined[i] >= 0)
        return;
    net_text(&h->addresses[i], text);
    log_warnx("%s: only %d of %d slots' sockets were inherited; its clients cannot be steered",
              text, joined, last + 1);
}

static void settle(struct holding *h, bool is_lent)
{
    struct doors *doors = &h->doors;
    for (int i = 0; i < doors->address_count; i++) {
        count_joined(h, i);
        if (is_lent && doors->joined[i] == 1 && doors->shared[i] < 0) {
            doors->shared[i] = doors->own[0][i];
            doors->own[0][i] = -1;
            doors->joined[i] = 0;
        }
    }
}

void estate_init(struct estate *estate)
{
    doors_init(&estate->own.doors);
    doors_init(&estate->lent.doors);
    doors_init(&estate->admin.doors);
    estate->is_upgrade = false;
    estate->channel = estate->pidfile = estate->control = -1;
}

void estate_take(struct estate *estate, const struct inherit *inherit)
{
    estate_init(estate);
    for (size_t i = 0; i < inherit->count; i++)
        estate->is_upgrade |= strcmp(inherit->entries[i].name, ESTATE_UPGRADE) == 0;
    for (size_t i = 0; i < inherit->count; i++) {
        const struct inherit_entry *entry = &inherit->entries[i];
        errno = 0; /* what stays 0 has a place that is taken */
        if (take(estate, entry))
            continue;
        if (errno)
            log_warn("descriptor %d (%s) was inherited, and is not used", entry->fd, entry->name);
        else
            log_warnx("descriptor %d (%s) was inherited, and is not used: its place is taken",
                      entry->fd, entry->name);
        close(entry->fd);
    }
    settle(&estate->own, false);
    settle(&estate->lent, true);
    settle(&estate->admin, false);
}
