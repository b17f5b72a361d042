#include "master/slots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* How long the kernel waits for a client's first bytes before it hands the connection over all the
 * same: seconds, TCP_DEFER_ACCEPT. */
#define DEFER_SECONDS 10

/* Who is in the way, if that can be known? */
static void explain_use(const struct net_address *address, char *why, size_t size)
{
    char text[NET_TEXT_SIZE], name[64];
    pid_t pid = net_holder(address, name, sizeof name);
    net_text(address, text);
    if (pid == getpid())
        snprintf(why, size, "--listen %s: another --listen of this command has the address", text);
    else if (pid > 0)
        snprintf(why, size, "--listen %s: the address is in use by %s (pid %d)", text, name,
                 (int)pid);
}

static int explain(const struct net_address *address, char *why, size_t size)
{
    char text[NET_TEXT_SIZE];
    int cause = errno;
    net_text(address, text);
    snprintf(why, size, "--listen %s: %s%s", text, strerror(cause),
             cause == EACCES && !net_is_shared(address)
                 ? "; a port below 1024 takes root, or CAP_NET_BIND_SERVICE"
                 : "");
    if (cause == EADDRINUSE)
        explain_use(address, why, size);
    if (cause == EACCES || cause == EPERM)
        return EX_NOPERM;
    return cause == EADDRINUSE || cause == EADDRNOTAVAIL ? EX_UNAVAILABLE : EX_OSERR;
}

/* The index of a socket in its reuseport group is the order of listen(2): slot by slot. */
static int open_own(struct doors *doors, const struct net_address *address, int i, int slot)
{
    if (doors->own[slot][i] < 0)
        doors->own[slot][i] = net_join(address);
    if (doors->own[slot][i] < 0)
        return -1;
    return net_listen(doors->own[slot][i], address, DEFER_SECONDS);
}

static int open_address(struct doors *doors, struct net_address *address, int i)
{
    int fd = net_bind(address);
    if (fd < 0)
        return -1;
    if (net_is_shared(address)) {
        doors->shared[i] = fd;
        return net_listen(fd, address, DEFER_SECONDS);
    }
    doors->own[0][i] = fd; /* the first of the group */
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (open_own(doors, address, i, slot) < 0)
            return -1;
    return 0;
}

int slots_open(struct doors *doors, struct net_address *addresses, int address_count,
               int slot_count, char *why, size_t why_size)
{
    doors_init(doors);
    doors->slot_count = slot_count;
    for (int i = 0; i < address_count; i++) {
        if (open_address(doors, &addresses[i], i) < 0) {
            int status = explain(&addresses[i], why, why_size);
            slots_close(doors, addresses);
            return status;
        }
        doors->is_proxied[i] = addresses[i].proxy;
        doors->address_count = i + 1;
    }
    return 0;
}

static void close_slot(struct doors *doors, int slot)
{
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        if (doors->own[slot][i] >= 0)
            close(doors->own[slot][i]);
        doors->own[slot][i] = -1;
    }
}

int slots_add(struct doors *doors, const struct net_address *addresses)
{
    int slot = doors->slot_count;
    for (int i = 0; i < doors->address_count; i++) {
        if (net_is_shared(&addresses[i]))
            continue;
        if (open_own(doors, &addresses[i], i, slot) < 0) {
            int saved = errno;
            close_slot(doors, slot);
            errno = saved;
            return -1;
        }
    }
    doors->slot_count++;
    return 0;
}

size_t slots_own(const struct doors *doors, int slot, int fds[ADDRESSES_MAX])
{
    size_t count = 0;
    for (int i = 0; i < doors->address_count; i++)
        if (doors->own[slot][i] >= 0)
            fds[count++] = doors->own[slot][i];
    return count;
}

void slots_close(struct doors *doors, const struct net_address *addresses)
{
    for (int i = 0; i < ADDRESSES_MAX; i++)
        if (doors->shared[i] >= 0)
            net_unlink(&addresses[i]);
    doors_close(doors);
}
