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

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* None is made before. */
static int64_t next_standby(const struct master *m)
{
    return later(m->succession.barren_until, m->succession.doubted_until);
}

/* Those that go without are replaced later and later. By a worker's word no more than that comes of
 * it: the others' standbys are made as ever. */
static void put_off(struct master *m)
{
    struct succession *s = &m->succession;
    if (s->next_bare > m->now + STANDBY_RELIEVE_MS)
        return; /* that was told */
    s->bare_ms = s->bare_ms ? 2 * s->bare_ms : STANDBY_BARREN_MS;
    if (s->bare_ms > STANDBY_BARREN_MAX_MS)
        s->bare_ms = STANDBY_BARREN_MAX_MS;
    s->next_bare = m->now + s->bare_ms;
}

/* What one takes is not to be had now. */
static void pause_making(struct master *m)
{
    m->succession.barren_until = m->now + STANDBY_BARREN_MS;
    put_off(m);
}

/* Until there are processes enough. */
static void go_without(const struct master *m, struct child *child)
{
    child->is_bare = true;
    child->relieve_at = m->now;
}

void standbys_open(struct master *m, const struct generation *g, int row, int ends[2])
{
    ends[0] = ends[1] = -1;
    if (g->settings->standby && m->now >= next_standby(m) &&
        (desks_open(&m->succession.desks, has_proxied(g->settings)) < 0 || pass_pair(ends) < 0)) {
        tell_missing(m, strerror(errno));
        pause_making(m);
    }
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
    if (channel < 0) {
        if (child->generation->settings->standby && m->now >= m->succession.doubted_until)
            go_without(m, child);
        return;
    }
    child->standby.channel = channel;
    child->standby.slot_count = child->generation->doors.slot_count;
    child->standby.logs = m->logs.number;
    if (loop_add(m->loop, channel, EPOLLIN, on_standby, m) < 0) {
        tell_missing(m, strerror(errno));
        standbys_close(m, child); /* upon which it ends by itself */
    }
}

bool standbys_forgo_relief(struct master *m, struct child *child)
{
    if (!child || !child->is_relieved)
        return false;
    log_debug("worker %d (pid %d) stays: its successor would have no standby either", child->slot,
              (int)child->pid);
    child->is_relieved = false;
    child->cause = BOARD_ENDS;
    put_off(m);
    go_without(m, child);
    crew_step(m, child->generation, PLAN_FORGONE, child->slot);
    return true;
}

/* It ends by itself. */
static void dismiss_relief(struct master *m, struct child *child)
{
    struct generation *g = child->generation;
    int slot = child->slot;
    child->is_heir = false;
    child->is_leaving = child->is_killed = true;
    child->cause = BOARD_END_ASKED;
    child->deadline = m->now + ABORT_GRACE_MS;
    if (!standbys_forgo_relief(m, children_of_slot(&m->children, g, slot)))
        crew_step(m, g, PLAN_HEIR_ENDED, slot);
}

/* It could not be made, with minus this errno. What is not permitted now is not later. */
static void on_missing(struct master *m, struct child *child, const struct report *report)
{
    tell_missing(m, report->why);
    standbys_close(m, child);
    if (child->is_relief && child->is_heir) {
        dismiss_relief(m, child);
    } else if (report->count == -EAGAIN || report->count == -ENOMEM || report->count == -EMFILE ||
               report->count == -ENFILE) {
        put_off(m);
        go_without(m, child);
    }
}

void standbys_told(struct master *m, struct child *child, const struct report *report)
{
    if (child->standby.channel < 0 || child->standby.pid > 0)
        return;
    m->succession.doubts = 0;
    if (report->count <= 0) {
        on_missing(m, child, report);
    } else if (standbys_is_new_child(m, report->count)) {
        child->standby.pid = report->count;
        m->succession.bare_ms = 0;
        log_debug("worker %d (pid %d): its standby is pid %d", child->slot, (int)child->pid,
                  report->count);
    } else {
        log_warnx("worker %d (pid %d) says that pid %d is its standby, which is not so",
                  child->slot, (int)child->pid, report->count);
        standbys_close(m, child);
    }
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
    if (is_told || child->standby.channel < 0 || m->now < m->succession.doubted_until ||
        ++m->succession.doubts < STANDBY_DOUBTS_MAX)
        return;
    m->succession.doubts = 0;
    m->succession.doubted_until = m->now + STANDBY_DOUBT_MS;
    log_warnx("workers end before they have a standby: for a while none is made");
}

/* Those that are just being made would take the room: each ends as soon as it is there. Returns
 * whether there were any. */
static bool forgo(struct master *m)
{
    bool any = false;
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->standby.pid > 0 || child->standby.channel < 0)
            continue;
        tell_missing(m, "it makes room for a worker");
        standbys_close(m, child);
        go_without(m, child);
        any = true;
    }
    return any;
}

/* One that was dismissed for this slot is not reaped yet. */
static bool is_room_coming(const struct master *m, int slot)
{
    for (size_t i = 0; i < m->children.count; i++) {
        const struct standby *standby = &m->children.list[i].standby;
        if (standby->pid > 0 && standby->makes_room == slot + 1)
            return true;
    }
    return false;
}

bool standbys_make_room(struct master *m, int slot)
{
    pause_making(m);
    if (forgo(m) || is_room_coming(m, slot))
        return true;
    for (size_t i = 0; i < m->children.count; i++) {
        struct child *child = &m->children.list[i];
        if (child->standby.channel < 0 || child->is_awaited)
            continue;
        log_warnx("worker %d (pid %d): its standby makes room for a worker", child->slot,
                  (int)child->pid);
        standbys_dismiss(m, child);
        child->standby.makes_room = slot + 1;
        go_without(m, child);
        return true;
    }
    return false;
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

static bool can_be_relieved(const struct master *m, const struct child *child)
{
    return child->is_ready && !child->is_leaving && !child->is_heir &&
           child->generation == m->present;
}

/* Not while the fresh one would have none either; of those that go without, one tries it first. */
static int64_t relief_of(const struct master *m, const struct child *child)
{
    if (child->relieve_at == CLOCK_NEVER || !can_be_relieved(m, child))
        return CLOCK_NEVER;
    int64_t at = later(child->relieve_at, next_standby(m));
    return child->is_bare ? later(at, m->succession.next_bare) : at;
}

static void relieve(struct master *m, struct child *child)
{
    if (child->is_bare) {
        m->succession.next_bare = m->now + STANDBY_RELIEVE_MS;
        log_info("worker %d (pid %d) has no standby: one that gets one takes its place",
                 child->slot, (int)child->pid);
    }
    child->relieve_at = CLOCK_NEVER;
    if (!child->generation->plan.slots[child->slot].is_spent) {
        child->is_relieved = true;
        child->cause = BOARD_END_ASKED;
    }
    m->succession.relieved[child->slot] = m->now;
    crew_step(m, child->generation, PLAN_SPENT, child->slot);
}

/* A step may add children, and moves them then: they are looked up by their places. */
void standbys_tick(struct master *m)
{
    for (size_t i = 0; i < m->children.count; i++)
        if (relief_of(m, &m->children.list[i]) <= m->now)
            relieve(m, &m->children.list[i]);
}

int64_t standbys_next(const struct master *m)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < m->children.count; i++)
        next = clock_sooner(next, relief_of(m, &m->children.list[i]));
    return next;
}
