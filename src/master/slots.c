#include "master/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/exit_status.h"
#include "os/pass.h"

/* How long the kernel waits for a client's first bytes before it hands the connection over all the
 * same: seconds, TCP_DEFER_ACCEPT. */
#define DEFER_SECONDS 10

/* Who is in the way, if that can be known? */
static void explain_use(const char *option, const struct net_address *address, char *why,
                        size_t size)
{
    char text[NET_TEXT_SIZE], name[64];
    pid_t pid = net_holder(address, name, sizeof name);
    net_text(address, text);
    if (pid == getpid())
        snprintf(why, size, "--%s %s: another --listen of this command has the address", option,
                 text);
    else if (pid > 0)
        snprintf(why, size, "--%s %s: the address is in use by %s (pid %d)", option, text, name,
                 (int)pid);
}

/* What to do, where the kernel's words do not say it. */
static const char *advise(const struct net_address *address, int cause)
{
    bool is_file = net_is_shared(address);
    switch (cause) {
    case EACCES:
        return is_file ? "; this user must be permitted to write in its directory"
                       : "; a port below 1024 takes root, or CAP_NET_BIND_SERVICE";
    case ENOENT: return is_file ? "; its directory must be there" : "";
    case EAFNOSUPPORT:
        return "; this machine, or the unit's RestrictAddressFamilies=, has no such addresses";
    case EADDRINUSE: return is_file ? "" : "; as root, `ss -ltnp` names who has it";
    default: return "";
    }
}

static int explain(const char *option, const struct net_address *address, char *why, size_t size)
{
    char text[NET_TEXT_SIZE];
    int cause = errno;
    net_text(address, text);
    snprintf(why, size, "--%s %s: %s%s", option, text, strerror(cause), advise(address, cause));
    if (cause == EADDRINUSE)
        explain_use(option, address, why, size);
    return exit_status_of(cause);
}

/* One of the group's sockets, evenly among the slots that have none. Where the order of the group
 * is not known a slot stays without: a copy could not be told from a socket of its own. */
static int share_own(struct doors *doors, int i, int slot)
{
    if (doors->joined[i] < 1)
        return 0;
    int fd = fcntl(doors->own[slot % doors->joined[i]][i], F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    doors->own[slot][i] = fd;
    return 0;
}

/* Into the group, as its last socket. 1: it is not to be joined. */
static int join(struct doors *doors, const struct net_address *address, int i, int slot)
{
    if (doors->is_lent[i] || doors->joined[i] != slot)
        return 1;
    int fd = net_join(address);
    if (fd < 0)
        return errno == EADDRINUSE || errno == EACCES || errno == EPERM ? 1 : -1;
    doors->own[slot][i] = fd;
    if (net_listen(fd, address, DEFER_SECONDS) < 0)
        return -1;
    doors->joined[i]++;
    return 0;
}

static int open_own(struct doors *doors, const struct net_address *address, int i, int slot)
{
    int result = join(doors, address, i, slot);
    return result <= 0 ? result : share_own(doors, i, slot);
}

/* -1: there is none. */
static int some_socket(const struct doors *doors, int i)
{
    for (int slot = 0; doors->shared[i] < 0 && slot < SLOTS_MAX; slot++)
        if (doors->own[slot][i] >= 0)
            return doors->own[slot][i];
    return doors->shared[i];
}

static bool is_open(const struct doors *doors, int i)
{
    return some_socket(doors, i) >= 0;
}

static int open_first(struct doors *doors, struct net_address *address, int i)
{
    int fd = net_bind(address);
    if (fd < 0)
        return -1;
    if (net_is_shared(address))
        doors->shared[i] = fd;
    else
        doors->own[0][i] = fd;
    doors->joined[i] = !net_is_shared(address);
    return net_listen(fd, address, DEFER_SECONDS);
}

/* The index of a socket in its reuseport group is the order of listen(2): slot by slot. */
static int open_address(struct doors *doors, struct net_address *address, int i)
{
    if (!is_open(doors, i) && open_first(doors, address, i) < 0)
        return -1;
    if (doors->shared[i] >= 0)
        return 0;
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (doors->own[slot][i] < 0 && open_own(doors, address, i, slot) < 0)
            return -1;
    return 0;
}

static int open_inbox(struct doors *doors, int slot)
{
    int ends[2];
    if (doors->inbox[slot][INBOX_OUT] >= 0)
        return 0;
    if (pass_pair(ends) < 0)
        return -1;
    doors->inbox[slot][INBOX_OUT] = ends[0];
    doors->inbox[slot][INBOX_IN] = ends[1];
    return 0;
}

static int open_all(const char *option, struct doors *doors, struct net_address *addresses,
                    int address_count, char *why, size_t why_size)
{
    for (int i = 0; i < address_count; i++) {
        if (open_address(doors, &addresses[i], i) < 0)
            return explain(option, &addresses[i], why, why_size);
        doors->is_proxied[i] = addresses[i].proxy;
    }
    for (int slot = 0; slot < doors->slot_count; slot++)
        if (open_inbox(doors, slot) < 0) {
            snprintf(why, why_size, "cannot open a slot's inbox: %s", strerror(errno));
            return EX_OSERR;
        }
    return 0;
}

int slots_open_for(const char *option, struct doors *doors, struct net_address *addresses,
                   int address_count, int slot_count, char *why, size_t why_size)
{
    doors->slot_count = slot_count;
    doors->address_count = address_count;
    const struct doors before = *doors;
    int status = open_all(option, doors, addresses, address_count, why, why_size);
    if (status)
        slots_close(doors, addresses, &before);
    return status;
}

/* ------------------------------------------------------------------------- from one to another */

static bool is_same_wish(const struct net_address *a, struct net_address b)
{
    if (!a->any_port || !b.any_port)
        return false;
    net_set_port(&b, 0);
    return net_is_same(a, &b);
}

/* Without IPv6 the wish for both families came to IPv4 alone. */
static bool is_what_became(const struct net_address *a, const struct net_address *b)
{
    struct net_address v4 = *a;
    if (!a->dual || b->any.sa_family != AF_INET)
        return false;
    net_fall_back(&v4);
    return net_is_same(&v4, b) || is_same_wish(&v4, *b);
}

typedef bool is_match(const struct net_address *wish, const struct net_address *have);

static bool is_any_port_of(const struct net_address *wish, const struct net_address *have)
{
    return is_same_wish(wish, *have) || is_what_became(wish, have);
}

/* -1: none that was not taken yet. */
static int find(const struct net_address *wish, const struct net_address *have, int count,
                uint32_t taken, is_match *matches)
{
    for (int i = 0; i < count; i++)
        if (!(taken >> i & 1) && matches(wish, &have[i]))
            return i;
    return -1;
}

static void carry(struct doors *doors, int i, const struct doors *from, int j)
{
    doors->shared[i] = from->shared[j];
    doors->joined[i] = from->joined[j];
    doors->is_lent[i] = from->is_lent[j];
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        doors->own[slot][i] = from->own[slot][j];
}

static void carry_addresses(struct doors *doors, struct net_address *addresses, int address_count,
                            const struct doors *from, const struct net_address *have)
{
    static is_match *const ways[] = {net_is_same, is_any_port_of}; /* the exact ones first */
    uint32_t taken = 0;
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++)
        for (int i = 0; i < address_count; i++) {
            int j = is_open(doors, i)
                        ? -1
                        : find(&addresses[i], have, from->address_count, taken, ways[way]);
            if (j < 0)
                continue;
            taken |= UINT32_C(1) << j;
            memcpy(&addresses[i].storage, &have[j].storage, sizeof have[j].storage);
            memcpy(&addresses[i].name, &have[j].name, sizeof have[j].name);
            addresses[i].length = have[j].length;
            addresses[i].dual = have[j].dual;
            carry(doors, i, from, j);
        }
}

void slots_carry(struct doors *doors, struct net_address *addresses, int address_count,
                 const struct doors *from, const struct net_address *have)
{
    memcpy(doors->inbox, from->inbox, sizeof doors->inbox);
    carry_addresses(doors, addresses, address_count, from, have);
}

void slots_borrow(struct doors *doors, struct net_address *addresses, int address_count,
                  const struct doors *from, const struct net_address *have)
{
    uint32_t open = 0;
    for (int i = 0; i < address_count; i++)
        open |= (uint32_t)is_open(doors, i) << i;
    carry_addresses(doors, addresses, address_count, from, have);
    for (int i = 0; i < address_count; i++)
        if (!(open >> i & 1))
            doors->is_lent[i] = is_open(doors, i);
}

static int renew_one(int fd, const struct net_address *address)
{
    return fd < 0 ? 0 : net_renew(fd, address, DEFER_SECONDS);
}

int slots_renew(const struct doors *doors, const struct net_address *addresses)
{
    int result = 0;
    for (int i = 0; i < doors->address_count; i++) {
        result |= renew_one(doors->shared[i], &addresses[i]);
        for (int slot = 0; slot < doors->slot_count; slot++)
            result |= renew_one(doors->own[slot][i], &addresses[i]);
    }
    return result;
}

/* --------------------------------------------------------------------------------- one slot */

static void close_slot(struct doors *doors, int slot)
{
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        if (doors->own[slot][i] >= 0)
            close(doors->own[slot][i]);
        doors->own[slot][i] = -1;
        if (doors->joined[i] == slot + 1)
            doors->joined[i] = slot;
    }
}

static int open_slot(struct doors *doors, const struct net_address *addresses, int slot)
{
    for (int i = 0; i < doors->address_count; i++)
        if (doors->shared[i] < 0 && open_own(doors, &addresses[i], i, slot) < 0)
            return -1;
    return open_inbox(doors, slot);
}

int slots_add(struct doors *doors, const struct net_address *addresses)
{
    int slot = doors->slot_count;
    if (open_slot(doors, addresses, slot) < 0) {
        int saved = errno;
        close_slot(doors, slot);
        errno = saved;
        return -1;
    }
    doors->slot_count++;
    return 0;
}

size_t slots_own(const struct doors *doors, int slot, int fds[ADDRESSES_MAX + INBOX_ENDS])
{
    size_t count = 0;
    for (int i = 0; i < doors->address_count; i++)
        if (doors->own[slot][i] >= 0)
            fds[count++] = doors->own[slot][i];
    for (int end = 0; end < INBOX_ENDS; end++)
        fds[count++] = doors->inbox[slot][end];
    return count;
}

/* ------------------------------------------------------------------------------ the closing */

static bool has_socket(const struct doors *doors, int fd)
{
    for (int i = 0; i < doors->address_count; i++) {
        if (doors->shared[i] == fd)
            return true;
        for (int slot = 0; slot < doors->slot_count; slot++)
            if (doors->own[slot][i] == fd)
                return true;
    }
    return false;
}

uint32_t slots_lost(const struct doors *doors, const struct doors *others)
{
    uint32_t lost = 0;
    for (int i = 0; i < doors->address_count; i++) {
        int fd = some_socket(doors, i);
        if (fd >= 0 && !has_socket(others, fd))
            lost |= UINT32_C(1) << i;
    }
    return lost;
}

/* What was lent is its owner's to close, but not what the further slots have of it, where it is
 * known which slots these are. */
static bool is_lent(const struct doors *doors, int slot, int i)
{
    return doors->is_lent[i] && (slot < doors->joined[i] || doors->joined[i] < 0);
}

static void close_unless_kept(int fd, const struct doors *others)
{
    if (fd >= 0 && !(others && has_socket(others, fd)))
        close(fd);
}

/* From the last slot on: a socket that leaves its reuseport group is replaced by the last one. */
static void leave_address(const struct doors *doors, int i, const struct doors *others)
{
    if (!doors->is_lent[i])
        close_unless_kept(doors->shared[i], others);
    for (int slot = doors->slot_count - 1; slot >= 0; slot--)
        if (!is_lent(doors, slot, i))
            close_unless_kept(doors->own[slot][i], others);
}

void slots_leave(const struct doors *doors, const struct doors *others)
{
    for (int i = 0; i < doors->address_count; i++)
        leave_address(doors, i, others);
    for (int slot = 0; slot < doors->slot_count; slot++)
        for (int end = 0; end < INBOX_ENDS; end++)
            if (doors->inbox[slot][end] >= 0 && !(others && others->inbox[slot][end] >= 0))
                close(doors->inbox[slot][end]);
}

void slots_drop(struct doors *doors, const struct doors *others)
{
    slots_leave(doors, others);
    doors_init(doors);
}

void slots_close(struct doors *doors, const struct net_address *addresses,
                 const struct doors *others)
{
    for (int i = 0; i < doors->address_count; i++) {
        int fd = doors->shared[i];
        if (fd >= 0 && !doors->is_lent[i] && !(others && has_socket(others, fd)))
            net_unlink(&addresses[i]);
    }
    slots_drop(doors, others);
}
