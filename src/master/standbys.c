#include "master/standbys.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/succession.h"
#include "os/child.h"
#include "os/pass.h"

/* --------------------------------------------------------------------------- who they are */

static bool is_admin(const struct master *m, pid_t pid)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (m->admin.children[i].pid == pid)
            return true;
    return false;
}

static bool is_known(const struct master *m, pid_t pid)
{
    return pid == m->pid || pid == m->upgrade.master.pid || pid == m->upgrade.master.between ||
           is_admin(m, pid) || children_by_pid(&m->children, pid) ||
           children_by_standby(&m->children, pid);
}

/* What a worker says is not trusted: nobody is to be killed for its word. A child of ours that has
 * ended counts until it was reaped, and the one that is being reaped now. */
bool standbys_is_new_child(const struct master *m, pid_t pid)
{
    siginfo_t info;
    if (pid <= 0 || is_known(m, pid))
        return false;
    return pid == m->succession.reaped ||
           waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Neither ended nor stopped, though nobody has seen that yet. */
static bool is_awake(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
}

struct desk *standbys_desk(const struct master *m, int row)
{
    return m->succession.desks.of ? &m->succession.desks.of[row] : NULL;
}

/* ------------------------------------------------------------------------------ the standbys */

static bool has_proxied(const struct settings *s)
{
    for (int i = 0; i < s->address_count; i++)
        if (s->addresses[i].proxy)
            return true;
    return false;
}

/* Once; workers run without. */
static void tell_missing(struct master *m, const char *why)
{
    void (*tell)(const char *format, ...) = m->succession.has_told ? log_debug : log_warnx;
    m->succession.has_told = true;
    tell("a worker has no standby: %s", why);
}

void standbys_open(struct master *m, const struct generation *g, int row, int ends[2])
{
    ends[0] = ends[1] = -1;
    if (g->settings->standby && m->now >= m->succession.barren_until &&
        (desks_open(&m->succession.desks, has_proxied(g->settings)) < 0 || pass_pair(ends) < 0))
        tell_missing(m, strerror(errno));
    if (standbys_desk(m, row))
        desk_clear(standbys_desk(m, row));
}

/* Its word is as good as its worker's, which has the same descriptors. */
static void on_standby(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    succession_hear(context, fd);
}

void standbys_close(struct master *m, struct child *child)
{
    if (child->standby.channel < 0)
        return;
    loop_delete(m->loop, child->standby.channel);
    close(child->standby.channel);
    child->standby.channel = -1;
}

void standbys_expect(struct master *m, struct child *child, int channel)
{
    child->standby.channel = channel;
    child->standby.slot_count = child->generation->doors.slot_count;
    child->standby.logs = m->logs.number;
    if (loop_add(m->loop, channel, EPOLLIN, on_standby, m) < 0) {
        tell_missing(m, strerror(errno));
        standbys_close(m, child); /* upon which it ends by itself */
    }
}

void standbys_told(struct master *m, struct child *child, const struct report *report)
{
    if (child->standby.channel < 0 || child->standby.pid > 0)
        return;
    m->succession.doubts = 0;
    if (report->count <= 0) {
        tell_missing(m, report->why);
    } else if (standbys_is_new_child(m, report->count)) {
        child->standby.pid = report->count;
        log_debug("worker %d (pid %d): its standby is pid %d", child->slot, (int)child->pid,
                  report->count);
        return;
    } else {
        log_warnx("worker %d (pid %d) says that pid %d is its standby, which is not so",
                  child->slot, (int)child->pid, report->count);
    }
    standbys_close(m, child);
}

void standbys_dismiss(struct master *m, struct child *child)
{
    if (child->standby.pid > 0) {
        kill(child->standby.pid, SIGKILL);
        child->standby.is_dismissed = true;
    }
    standbys_close(m, child);
}

void standbys_doubt(struct master *m, const struct child *child)
{
    bool is_told = child->is_ready || child->why[0] || child->standby.pid > 0;
    if (is_told || child->standby.channel < 0 || m->now < m->succession.barren_until ||
        ++m->succession.doubts < STANDBY_DOUBTS_MAX)
        return;
    m->succession.doubts = 0;
    m->succession.barren_until = m->now + STANDBY_BARREN_MS;
    log_warnx("workers end before they have a standby: for a while none is made");
}

/* Those that are just being made would take the room: each ends as soon as it is there. */
static void forgo(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->standby.pid > 0 || child->standby.channel < 0)
            continue;
        tell_missing(m, "it makes room for a worker");
        standbys_close(m, child);
    }
}

void standbys_make_room(struct master *m)
{
    m->succession.barren_until = m->now + STANDBY_BARREN_MS;
    forgo(m);
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->standby.channel < 0 || child->is_awaited)
            continue;
        log_warnx("worker %d (pid %d): its standby makes room for a worker", child->slot,
                  (int)child->pid);
        standbys_dismiss(m, child);
        return;
    }
}

bool standbys_can_wake(const struct standby *standby)
{
    return standby->pid > 0 && standby->channel >= 0 && !standby->is_dismissed &&
           !standby->is_stopped && is_awake(standby->pid);
}

/* A fresh worker, with a fresh standby, loses nothing of what this one has. */
void standbys_relieve(struct master *m, struct child *child)
{
    int64_t last = m->succession.relieved[child->slot];
    int64_t next = last > 0 ? last + STANDBY_RELIEVE_MS : m->now;
    child->relieve_at = next > m->now ? next : m->now;
}

static void standby_ended(struct master *m, struct child *child, int status)
{
    char how[64];
    struct standby gone = child->standby;
    child->standby.pid = 0;
    if (gone.is_dismissed)
        return;
    child_describe(status, how, sizeof how);
    if (child->is_awaited) {
        log_warnx("worker %d: its standby (pid %d) ended: %s", child->slot, (int)gone.pid, how);
        succession_bereave(m, child);
        return;
    }
    standbys_close(m, child);
    log_warnx("worker %d (pid %d): its standby (pid %d) ended: %s; %s", child->slot,
              (int)child->pid, (int)gone.pid, how,
              child->is_leaving ? "it leaves" : "others take the place of both");
    standbys_relieve(m, child);
}

static void stopped_or_continued(struct master *m, struct child *child, int status)
{
    char how[64];
    child->standby.is_stopped = WIFSTOPPED(status);
    child_describe(status, how, sizeof how);
    log_warnx("worker %d (pid %d): its standby (pid %d) was %s", child->slot, (int)child->pid,
              (int)child->standby.pid, how);
    if (child->is_stopped && !child->standby.is_stopped)
        succession_supersede(m, child->pid);
}

bool standbys_reaped(struct master *m, pid_t pid, int status)
{
    struct child *child = children_by_standby(&m->children, pid);
    if (!child)
        return false;
    if (WIFSTOPPED(status) || WIFCONTINUED(status))
        stopped_or_continued(m, child, status);
    else
        standby_ended(m, child, status);
    return true;
}

static bool can_be_relieved(const struct child *child)
{
    return child->is_ready && !child->is_leaving && !child->is_heir;
}

/* A step may add children, and moves them then: they are looked up by their places. */
void standbys_tick(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->relieve_at > m->now || !can_be_relieved(child))
            continue;
        child->relieve_at = CLOCK_NEVER;
        child->cause = BOARD_END_ASKED;
        m->succession.relieved[child->slot] = m->now;
        crew_step(m, child->generation, PLAN_SPENT, child->slot);
    }
}

int64_t standbys_next(const struct master *m)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < m->children.count; i++)
        if (can_be_relieved(&m->children.list[i]))
            next = clock_sooner(next, m->children.list[i].relieve_at);
    return next;
}
