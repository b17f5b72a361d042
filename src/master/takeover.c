#include "master/takeover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "master/crew.h"
#include "master/slots.h"
#include "master/steering.h"
#include "master/upgrade.h"
#include "os/inherit.h"
#include "os/net.h"
#include "os/pass.h"
#include "os/pidfile.h"

/* What the old one had. */
struct estate {
    struct doors doors;
    struct net_address addresses[ADDRESSES_MAX];
};

/* --------------------------------------------------------------------------- what is inherited */

/* "slot12" is 12 for "slot"; -1: it is no such name. */
static int number_of(const char *name, const char *stem)
{
    size_t n = strlen(stem);
    if (strncmp(name, stem, n) != 0 || name[n] == '\0' || strlen(name + n) > 3)
        return -1;
    int number = 0;
    for (const char *p = name + n; *p; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        number = number * 10 + (*p - '0');
    }
    return number < SLOTS_MAX ? number : -1;
}

/* Which of its addresses a listener is at; -1: there are too many, or it is none. */
static int place(struct estate *estate, int fd)
{
    struct net_address address;
    struct doors *doors = &estate->doors;
    if (net_of_listener(fd, &address) < 0)
        return -1;
    address.any_port = true; /* it may have been */
    for (int i = 0; i < doors->address_count; i++)
        if (net_is_same(&address, &estate->addresses[i]))
            return i;
    if (doors->address_count == ADDRESSES_MAX)
        return -1;
    estate->addresses[doors->address_count] = address;
    return doors->address_count++;
}

static bool put(int *where, int fd)
{
    if (*where >= 0)
        return false;
    *where = fd;
    return true;
}

static void note_slot(struct estate *estate, int slot)
{
    if (slot >= estate->doors.slot_count)
        estate->doors.slot_count = slot + 1;
}

static bool take_inbox(struct estate *estate, int fd, int slot, enum inbox_end end)
{
    note_slot(estate, slot);
    return put(&estate->doors.inbox[slot][end], fd);
}

static bool take_listener(struct estate *estate, int fd, int slot)
{
    int i = place(estate, fd);
    if (i < 0)
        return false;
    struct doors *doors = &estate->doors;
    note_slot(estate, slot);
    net_admit_new(fd);
    return put(slot < 0 ? &doors->shared[i] : &doors->own[slot][i], fd);
}

static bool take(struct master *m, struct estate *estate, const struct inherit_entry *entry)
{
    int slot;
    if (strcmp(entry->name, UPGRADE_NAME) == 0)
        return put(&m->predecessor, entry->fd);
    if (strcmp(entry->name, UPGRADE_PIDFILE_NAME) == 0)
        return put(&m->pidfile, entry->fd);
    if (strcmp(entry->name, UPGRADE_CONTROL_NAME) == 0)
        return control_inherit(m, entry->fd);
    if (strcmp(entry->name, UPGRADE_SHARED_NAME) == 0)
        return take_listener(estate, entry->fd, -1);
    if ((slot = number_of(entry->name, "slot")) >= 0)
        return take_listener(estate, entry->fd, slot);
    if ((slot = number_of(entry->name, UPGRADE_OUT_NAME)) >= 0)
        return take_inbox(estate, entry->fd, slot, INBOX_OUT);
    if ((slot = number_of(entry->name, UPGRADE_IN_NAME)) >= 0)
        return take_inbox(estate, entry->fd, slot, INBOX_IN);
    return false;
}

static void take_all(struct master *m, struct estate *estate, const struct inherit *inherit)
{
    for (size_t i = 0; i < inherit->count; i++) {
        const struct inherit_entry *entry = &inherit->entries[i];
        if (take(m, estate, entry))
            continue;
        log_warnx("descriptor %d (%s) was inherited, and is not used", entry->fd, entry->name);
        close(entry->fd);
    }
}

/* ------------------------------------------------------------------------------- the talking */

static void say(const struct master *m, struct upgrade_word *word)
{
    word->version = UPGRADE_VERSION;
    if (m->predecessor >= 0 && pass_send(m->predecessor, word, sizeof *word, NULL, 0) < 0 &&
        errno != EPIPE)
        log_warn("cannot reach the old server");
}

/* Its own workers serve what is queued there, and close it. */
static void give_back(const struct master *m, struct estate *estate)
{
    const struct doors *doors = &m->present->doors;
    uint32_t lost = slots_lost(&estate->doors, doors);
    for (int i = 0; i < estate->doors.address_count; i++) {
        struct upgrade_word word = {.kind = UPGRADE_CLOSING, .length = estate->addresses[i].length};
        memcpy(&word.address, &estate->addresses[i].storage, sizeof word.address);
        if (lost >> i & 1)
            say(m, &word);
    }
    slots_close(&estate->doors, estate->addresses, doors);
}

static void take_scale(struct master *m)
{
    struct settings *s = m->present->settings;
    const char *words = getenv(UPGRADE_VARIABLE);
    long long configured;
    int present;
    if (!words)
        return;
    s->ready_fd = -1; /* it was the old one's */
    if (sscanf(words, "%lld:%d", &configured, &present) == 2 && configured == s->workers &&
        present >= 1 && present <= SLOTS_MAX)
        s->workers = present;
    unsetenv(UPGRADE_VARIABLE);
}

int takeover_begin(struct master *m)
{
    char why[256];
    struct inherit inherit;
    struct settings *s = m->present->settings;
    if (inherit_take(&inherit, why, sizeof why) < 0) {
        log_fatalx("what was inherited cannot be used: %s", why);
        return EX_OSERR;
    }
    struct estate *estate = calloc(1, sizeof *estate);
    if (!estate) {
        inherit_free(&inherit);
        return EX_OSERR;
    }
    doors_init(&estate->doors);
    take_all(m, estate, &inherit);
    inherit_free(&inherit);
    slots_carry(&m->present->doors, s->addresses, s->address_count, &estate->doors,
                estate->addresses);
    m->inherited_slots = estate->doors.slot_count;
    if (m->predecessor >= 0)
        log_set_name("new master");
    take_scale(m);
    give_back(m, estate);
    free(estate);
    return 0;
}

int takeover_slots(const struct master *m)
{
    int wanted = (int)m->present->settings->workers;
    return wanted > m->inherited_slots ? wanted : m->inherited_slots;
}

/* It answers once it steers no more, or is gone. */
static void on_predecessor(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    struct upgrade_word word;
    (void)events;
    ssize_t n = pass_receive(fd, &word, sizeof word, NULL, NULL);
    if (n < 0 && errno == EAGAIN)
        return;
    loop_delete(loop, fd);
    close(fd);
    m->predecessor = -1;
    steering_renew(m);
}

/* Not before: if this server does not get ready, the file is still the old one's. */
static void take_pidfile(struct master *m)
{
    pid_t holder;
    const char *path = m->present->settings->pidfile;
    if (m->pidfile < 0 || pidfile_adopt(m->pidfile, path) == 0)
        return;
    if (errno == ESTALE) { /* it has another path now */
        close(m->pidfile);
        m->pidfile = pidfile_open(path, &holder);
        if (m->pidfile >= 0)
            return;
    }
    log_warn("--pidfile %s", path);
}

void takeover_end(struct master *m)
{
    struct upgrade_word word = {.kind = UPGRADE_READY};
    if (m->predecessor < 0)
        return;
    log_set_name("master");
    take_pidfile(m);
    control_take_over(m);
    if (slots_renew(&m->present->doors, m->present->settings->addresses) < 0)
        log_warn("cannot change a socket's backlog= or defer=");
    plan_serving(plan_of(m), &word.slots);
    crew_begin(m);
    say(m, &word);
    if (loop_add(m->loop, m->predecessor, EPOLLIN, on_predecessor, m) < 0)
        log_warn("cannot hear the old server");
}
