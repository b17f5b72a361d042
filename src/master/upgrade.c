#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/admin.h"
#include "master/crew.h"
#include "master/outcome.h"
#include "master/reload.h"
#include "master/service.h"
#include "master/steering.h"
#include "os/child.h"
#include "os/inherit.h"
#include "os/pass.h"
#include "os/pidfile.h"
#include "os/sigfd.h"

/* ------------------------------------------------------------------ what the new one inherits */

struct legacy {
    size_t count;
    struct inherit_entry entries[INHERIT_MAX];
    char names[INHERIT_MAX][ESTATE_NAME_SIZE];
};

static void add(struct legacy *legacy, int fd, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct legacy *legacy, int fd, const char *format, ...)
{
    va_list args;
    if (fd < 0 || legacy->count == INHERIT_MAX)
        return;
    char *text = legacy->names[legacy->count];
    va_start(args, format);
    vsnprintf(text, ESTATE_NAME_SIZE, format, args);
    va_end(args);
    legacy->entries[legacy->count++] = (struct inherit_entry){.fd = fd, .name = text};
}

/* The sockets of an address, but not a slot's that is another one's, too. */
static void add_address(struct legacy *legacy, const struct doors *doors, int i, const char *lent)
{
    char name[ESTATE_NAME_SIZE];
    estate_name(name, -1, lent);
    add(legacy, doors->shared[i], "%s", name);
    for (int slot = 0; slot < SLOTS_MAX; slot++) {
        estate_name(name, slot, lent);
        if (slot < doors->joined[i] || doors->joined[i] < 0)
            add(legacy, doors->own[slot][i], "%s", name);
    }
}

static void add_admin(struct legacy *legacy, const struct doors *doors)
{
    for (int i = 0; i < doors->address_count; i++)
        if (!doors->is_lent[i])
            add(legacy, doors->shared[i] >= 0 ? doors->shared[i] : doors->own[0][i], ESTATE_ADMIN);
    add(legacy, doors->inbox[0][INBOX_OUT], ESTATE_ADMIN_OUT);
    add(legacy, doors->inbox[0][INBOX_IN], ESTATE_ADMIN_IN);
}

static struct legacy *gather(const struct master *m, int channel)
{
    const struct doors *doors = &m->present->doors;
    struct legacy *legacy = calloc(1, sizeof *legacy);
    if (!legacy)
        return NULL;
    add(legacy, channel, ESTATE_UPGRADE);
    add(legacy, m->pidfile, ESTATE_PIDFILE);
    add(legacy, m->control.listener, ESTATE_CONTROL);
    for (int i = 0; i < doors->address_count; i++)
        if (!doors->is_lent[i])
            add_address(legacy, doors, i, "");
    for (int i = 0; i < m->lent.doors.address_count; i++)
        add_address(legacy, &m->lent.doors, i, m->lent.addresses[i].name);
    for (int slot = 0; slot < doors->slot_count; slot++) {
        add(legacy, doors->inbox[slot][INBOX_OUT], ESTATE_OUT "%d", slot);
        add(legacy, doors->inbox[slot][INBOX_IN], ESTATE_IN "%d", slot);
    }
    add_admin(legacy, &m->present->admin);
    return legacy;
}

/* In the child. */
static _Noreturn void become_master(const struct master *m, struct legacy *legacy, int channel)
{
    char variable[sizeof UPGRADE_VARIABLE + 48];
    char watchdog[sizeof "WATCHDOG_PID=" + 24];
    char where[CONTROL_VARIABLE_SIZE];
    char *extra[4] = {variable};
    size_t count = 1;
    int report = fcntl(channel, F_DUPFD_CLOEXEC, 0); /* gone when the binary runs */
    snprintf(variable, sizeof variable, UPGRADE_VARIABLE "=%lld:%d",
             (long long)m->present->configured, crew_size(m->present));
    snprintf(watchdog, sizeof watchdog, "WATCHDOG_PID=%d", (int)getpid());
    if (m->service.ping_ms > 0)
        extra[count++] = watchdog;
    if (control_variable(&m->control, where, sizeof where))
        extra[count++] = where;
    if (report >= 0 && sigprocmask(SIG_SETMASK, &m->mask, NULL) == 0)
        inherit_exec(m->command.path, m->command.argv, legacy->entries, legacy->count, extra,
                     &report);
    struct upgrade_word word = {.version = UPGRADE_VERSION, .kind = UPGRADE_FAILED, .cause = errno};
    if (report >= 0)
        pass_send(report, &word, sizeof word, NULL, 0);
    _exit(EX_OSERR);
}

/* ------------------------------------------------------------------------------- the failure */

static void forget(struct master *m)
{
    loop_delete(m->loop, m->upgrade.channel);
    close(m->upgrade.channel);
    m->upgrade = (struct upgrade){.channel = -1, .deadline = CLOCK_NEVER};
    steering_renew(m); /* it may have set something, or have been waited for */
}

static void forget_new(struct master *m)
{
    control_take_back(m, m->upgrade.master.pid);
    forget(m);
    if (m->pidfile >= 0 && pidfile_adopt(m->pidfile, m->pidfile_path) < 0)
        log_warn("--pidfile %s", m->pidfile_path); /* the new one may have had it for a moment */
}

static void fail(struct master *m, const char *why)
{
    forget_new(m);
    outcome_end(m, OUTCOME_UPGRADE, EX_UNAVAILABLE, why);
}

void upgrade_give_up(struct master *m, const char *why)
{
    if (!upgrade_is_under_way(m))
        return;
    kill(m->upgrade.master.pid, SIGKILL); /* its workers are tied to it */
    fail(m, why);
}

bool upgrade_break_off(struct master *m, const char *why)
{
    if (!upgrade_is_under_way(m))
        return false;
    kill(m->upgrade.master.pid, SIGKILL);
    forget_new(m);
    outcome_again(m, OUTCOME_UPGRADE, why);
    return true;
}

void upgrade_tick(struct master *m)
{
    char why[96];
    if (m->upgrade.deadline > m->now)
        return;
    snprintf(why, sizeof why, "the new server (pid %d) is not ready after %lld ms and is ended",
             (int)m->upgrade.master.pid, (long long)m->present->settings->start_timeout);
    upgrade_give_up(m, why);
}

/* ------------------------------------------------------------------------------ the handover */

void upgrade_release(struct master *m)
{
    struct upgrade_word word = {.version = UPGRADE_VERSION, .kind = UPGRADE_YOURS};
    if (pass_send(m->upgrade.channel, &word, sizeof word, NULL, 0) < 0)
        log_warn("upgrade: cannot tell the new server that it may steer");
}

void upgrade_pass_on(const struct master *m, int signal)
{
    struct upgrade_word word = {
        .version = UPGRADE_VERSION, .kind = UPGRADE_SIGNAL, .cause = signal};
    log_info("%s: is passed on to the new server, pid %d", sigfd_name(signal),
             (int)m->upgrade.master.pid);
    if (pass_send(m->upgrade.channel, &word, sizeof word, NULL, 0) < 0)
        log_warn("upgrade: cannot pass %s on", sigfd_name(signal));
}

/* Of addresses that the new one does not serve. */
static void remove_files(const struct master *m)
{
    const struct generation *g = m->present;
    for (int i = 0; i < g->doors.address_count; i++)
        if ((m->upgrade.closing >> i & 1) && !g->doors.is_lent[i])
            net_unlink(&g->settings->addresses[i]);
    for (int i = 0; i < g->admin.address_count; i++)
        if ((m->upgrade.admin_closing >> i & 1) && !g->admin.is_lent[i])
            net_unlink(&g->settings->admin[i]);
}

/* The file, the lock and the address are the new one's from here on. */
static void hand_over(struct master *m, const struct upgrade_word *word)
{
    char words[128];
    if (orphan_let_go(&m->upgrade.master) < 0) {
        upgrade_give_up(m, "the new server ended as soon as it was ready");
        return;
    }
    snprintf(words, sizeof words,
             "pid %d serves after %lld ms; pid %d leaves when its workers have",
             (int)m->upgrade.master.pid, (long long)(clock_ms() - m->upgrade.begun), (int)m->pid);
    m->upgrade.deadline = CLOCK_NEVER;
    m->heirs = word->slots;
    m->is_handed_over = m->store.is_held = true;
    plan_of(m)->is_stopping = true;
    service_hand_over(m);
    if (m->pidfile >= 0)
        pidfile_close(m->pidfile, m->pidfile_path); /* it stays where the new one has taken it */
    m->pidfile = -1;
    control_hand_over(m);
    crew_dismiss_all(m, m->present, m->upgrade.closing);
    admin_hand_over(m, m->upgrade.admin_closing);
    remove_files(m);
    outcome_end(m, OUTCOME_UPGRADE, 0, words);
}

/* Those that the word is about, a bit each. */
static uint32_t find_closing(const struct upgrade_word *word, const struct net_address *list,
                             int count)
{
    uint32_t found = 0;
    for (int i = 0; i < count; i++)
        if (word->length == list[i].length &&
            memcmp(&word->address, &list[i].storage, word->length) == 0)
            found |= UINT32_C(1) << i;
    return found;
}

static void note_closing(struct master *m, const struct upgrade_word *word)
{
    const struct settings *s = m->present->settings;
    m->upgrade.closing |= find_closing(word, s->addresses, s->address_count);
    m->upgrade.admin_closing |= find_closing(word, s->admin, s->admin_count);
}

static void heed(struct master *m, const struct upgrade_word *word)
{
    if (m->is_handed_over)
        return;
    switch (word->kind) {
    case UPGRADE_FAILED: m->upgrade.cause = word->cause; break;
    case UPGRADE_CLOSING: note_closing(m, word); break;
    case UPGRADE_READY: hand_over(m, word); break;
    default: break;
    }
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    struct upgrade_word word;
    (void)events;
    for (;;) {
        ssize_t n = pass_receive(fd, &word, sizeof word, NULL, NULL);
        if (n == (ssize_t)sizeof word && word.version == UPGRADE_VERSION) {
            heed(m, &word);
            if (m->upgrade.channel != fd)
                return; /* that was the end of it */
            continue;
        }
        if (n == 0 || (n < 0 && errno != EAGAIN))
            loop_delete(loop, fd); /* gone: SIGCHLD tells how */
        if (n <= 0)
            return;
    }
}

void upgrade_reaped(struct master *m, pid_t pid, int status)
{
    char how[64], why[256];
    if (pid != m->upgrade.master.between || pid == 0)
        return;
    m->upgrade.master.between = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        kill(m->upgrade.master.pid, SIGKILL); /* it was meant, or the one that stands for it */
    on_channel(m->loop, m->upgrade.channel, EPOLLIN, m); /* its last words */
    if (!upgrade_is_under_way(m))
        return; /* they were that it is ready, and its end is told */
    child_describe(status, how, sizeof how);
    if (m->upgrade.cause)
        snprintf(why, sizeof why, "cannot run %.180s: %s", m->command.path,
                 strerror(m->upgrade.cause));
    else
        snprintf(why, sizeof why, "the new server (pid %d) ended before it was ready: %s",
                 (int)m->upgrade.master.pid, how);
    fail(m, why);
}

/* ----------------------------------------------------------------------------- the beginning */

static int start(struct master *m)
{
    int ends[2];
    int64_t limit = m->present->settings->start_timeout;
    if (pass_pair(ends) < 0)
        return -1;
    struct orphan new = {0};
    struct legacy *legacy = gather(m, ends[1]);
    int forked = legacy ? orphan_fork(&new) : -1;
    if (forked == 0)
        become_master(m, legacy, ends[1]);
    int saved = errno;
    free(legacy);
    close(ends[1]);
    if (forked > 0 && loop_add(m->loop, ends[0], EPOLLIN, on_channel, m) < 0) {
        saved = errno;
        kill(new.pid, SIGKILL);
        forked = -1;
    }
    if (forked < 0) {
        close(ends[0]);
        errno = saved;
        return -1;
    }
    m->upgrade = (struct upgrade){.master = new,
                                  .channel = ends[0],
                                  .begun = clock_ms(),
                                  .deadline = limit ? m->now + limit : CLOCK_NEVER};
    return 0;
}

/* NULL: nothing. */
static const char *what_hinders(const struct master *m)
{
    if (m->stop_at != CLOCK_NEVER)
        return "the server stops";
    if (m->pid == 1) /* a container ends with it */
        return "process 1 must stay what it is";
    if (!m->command.path)
        return "how this server was started cannot be read";
    return NULL;
}

void upgrade_begin(struct master *m)
{
    if (m->upgrade.master.pid > 0) {
        log_warnx("upgrade: one is under way already: pid %d", (int)m->upgrade.master.pid);
        return;
    }
    outcome_begin(m, OUTCOME_UPGRADE);
    const char *hindrance = what_hinders(m);
    if (hindrance) {
        outcome_end(m, OUTCOME_UPGRADE, EX_UNAVAILABLE, hindrance);
        return;
    }
    reload_give_up(m, "an upgrade has begun");
    steering_pin(m); /* sockets that the new one adds get nothing until it serves */
    if (start(m) < 0) {
        outcome_end(m, OUTCOME_UPGRADE, EX_OSERR, strerror(errno));
        steering_renew(m);
        return;
    }
    log_info("upgrade: pid %d runs %s", (int)m->upgrade.master.pid, m->command.path);
}
