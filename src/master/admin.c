#include "master/admin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/admin_child.h"
#include "master/admin_doors.h"
#include "master/crew.h"
#include "master/slots.h"
#include "os/child.h"
#include "os/pass.h"

void admin_init(struct admin *admin)
{
    *admin = (struct admin){.again_at = CLOCK_NEVER, .is_news = true};
}

void admin_free(struct admin *admin)
{
    if (admin->memory)
        munmap(admin->memory, sizeof *admin->memory);
    admin->memory = NULL;
}

/* One that leaves has some while a reload is at its end. */
void admin_forsake_others(const struct master *m)
{
    const struct doors *doors = &m->present->admin;
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (m->admin.children[i].pid)
            close(m->admin.children[i].channel);
    if (m->coming)
        slots_leave(&m->coming->admin, doors);
    for (const struct generation *g = m->leaving; g; g = g->next)
        slots_leave(&g->admin, doors);
}

void admin_forsake(const struct master *m)
{
    admin_forsake_others(m);
    slots_leave(&m->present->admin, NULL);
}

/* ------------------------------------------------------------------------------- the places */

static struct admin_child *by_pid(struct admin *admin, pid_t pid)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (admin->children[i].pid == pid)
            return &admin->children[i];
    return NULL;
}

static struct admin_child *by_channel(struct admin *admin, int channel)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (admin->children[i].pid && admin->children[i].channel == channel)
            return &admin->children[i];
    return NULL;
}

/* The one that is not leaving; NULL. */
static struct admin_child *present_of(struct admin *admin)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (admin->children[i].pid && !admin->children[i].is_leaving)
            return &admin->children[i];
    return NULL;
}

static const struct board_row *row_of(const struct admin *admin, const struct admin_child *child)
{
    return &admin->memory->rows[child - admin->children];
}

bool admin_is_gone(const struct admin *admin)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (admin->children[i].pid)
            return false;
    return true;
}

/* Where it is, a blank between two. */
static void describe_place(const struct settings *s, char *out, size_t size)
{
    char text[NET_TEXT_SIZE];
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < s->admin_count && n < size; i++) {
        net_text(&s->admin[i], text);
        n += (size_t)snprintf(out + n, size - n,
                              net_is_shared(&s->admin[i]) ? "%s%s" : "%shttp://%s/", i ? " " : "",
                              text);
    }
}

/* What the board says of it. */
static void note_on_board(struct master *m)
{
    const struct admin_child *child = present_of(&m->admin);
    describe_place(m->present->settings, m->board->admin, sizeof m->board->admin);
    board_set(&m->board->admin_pid, child ? (uint64_t)child->pid : 0);
}

/* ------------------------------------------------------------------------------ the talking */

static void send_order(const struct admin_child *child, const struct order *order)
{
    if (pass_send(child->channel, order, sizeof *order, NULL, 0) < 0 && errno != EPIPE &&
        errno != ECONNRESET)
        log_warn("cannot reach the admin process (pid %d)", (int)child->pid);
}

/* Others go on where it is, but at these addresses of its generation's. */
static void dismiss(const struct master *m, struct admin_child *child, const struct generation *g,
                    uint32_t closing)
{
    const struct settings *s = g->settings;
    struct order order = {.kind = ORDER_LEAVE, .closing = closing};
    if (!closing)
        slot_set_add(&order.heirs, 0);
    for (int i = 0; i < g->admin.address_count; i++)
        order.kept |= (uint32_t)g->admin.is_lent[i] << i;
    child->is_leaving = true;
    child->deadline = s->drain_timeout ? m->now + s->drain_timeout + DRAIN_GRACE_MS : CLOCK_NEVER;
    if (child->is_stopped && m->now + ABORT_GRACE_MS < child->deadline)
        child->deadline = m->now + ABORT_GRACE_MS;
    send_order(child, &order);
}

static void on_ready(struct master *m, struct admin_child *child)
{
    char where[512];
    void (*tell)(const char *format, ...) = m->admin.is_news ? log_info : log_debug;
    child->is_ready = true;
    child->deadline = CLOCK_NEVER;
    describe_place(m->present->settings, where, sizeof where);
    tell("admin process (pid %d) answers at %s", (int)child->pid, where);
    m->admin.is_news = false;
}

static void heed(struct master *m, struct admin_child *child, const struct report *report)
{
    switch (report->kind) {
    case REPORT_READY:
        if (!child->is_leaving)
            on_ready(m, child);
        break;
    case REPORT_FAILED:
        memcpy(child->why, report->why, sizeof child->why);
        child->why[sizeof child->why - 1] = '\0';
        break;
    case REPORT_LEAVING: /* by a signal, which may have been meant for the whole server */
        if (child->is_leaving || m->is_stopping)
            break;
        dismiss(m, child, m->present, 0);
        m->admin.again_at = m->now;
        break;
    default: break; /* REPORT_AWAKE has had the master look at it */
    }
}

static void hear(struct master *m, int channel)
{
    struct report report;
    struct admin_child *child;
    while ((child = by_channel(&m->admin, channel))) {
        ssize_t n = pass_receive(channel, &report, sizeof report, NULL, NULL);
        if (n < 0 && errno == ECONNRESET)
            continue; /* it ended with orders unread; what it had said comes behind that */
        if (n != (ssize_t)sizeof report) {
            if (n == 0)
                loop_delete(m->loop, channel);
            return;
        }
        heed(m, child, &report);
    }
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    hear(context, fd);
}

/* ----------------------------------------------------------------------------- the starting */

void admin_tell_logs(const struct master *m, const struct order *order, int log)
{
    struct order own = *order;
    own.slot = 0;
    own.has_access = false;
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (own.has_log && m->admin.children[i].pid &&
            pass_send(m->admin.children[i].channel, &own, sizeof own, &log, 1) < 0)
            log_debug("the admin process cannot be told of a new log file");
}

static int open_memory(struct admin *admin)
{
    if (admin->memory)
        return 0;
    void *p = mmap(NULL, sizeof *admin->memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED)
        return -1;
    admin->memory = p;
    return 0;
}

static void note_child(struct master *m, struct admin_child *child, pid_t pid, int channel)
{
    int64_t limit = m->present->settings->start_timeout;
    *child = (struct admin_child){.pid = pid,
                                  .channel = channel,
                                  .begun = m->now,
                                  .since = CLOCK_NEVER,
                                  .deadline = limit ? m->now + limit : CLOCK_NEVER};
    log_debug("admin process: forked as pid %d", (int)pid);
    if (loop_add(m->loop, channel, EPOLLIN, on_channel, m) < 0) {
        log_warn("cannot listen to the admin process");
        kill(pid, SIGKILL); /* and when it is reaped, the next is forked */
    }
}

static int fork_admin(struct master *m)
{
    int ends[2];
    struct admin_child *child = by_pid(&m->admin, 0);
    errno = EAGAIN; /* so many are leaving */
    if (!child || open_memory(&m->admin) < 0 || pass_pair(ends) < 0)
        return -1;
    int place = (int)(child - m->admin.children);
    m->admin.memory->rows[place] = (struct board_row){0};
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        admin_child_run(m, place, ends[1]);
    }
    int saved = errno;
    close(ends[1]);
    if (pid > 0) {
        note_child(m, child, pid, ends[0]);
        return 0;
    }
    close(ends[0]);
    errno = saved;
    return -1;
}

static void try_later(struct master *m)
{
    m->admin.ends++;
    m->admin.again_at = m->now + plan_delay(m->admin.ends);
}

static bool is_wanted(const struct master *m)
{
    return m->present->settings->admin_count > 0 && !m->is_handed_over && !m->admin.is_ending;
}

void admin_start(struct master *m)
{
    m->admin.again_at = CLOCK_NEVER;
    if (is_wanted(m) && !present_of(&m->admin) && fork_admin(m) < 0) {
        try_later(m);
        log_warn("cannot fork the admin process");
    }
    note_on_board(m);
}

/* The new one is there first: who asks meanwhile waits at no closed door. */
void admin_renew(struct master *m, struct generation *old)
{
    struct admin_child *before = present_of(&m->admin);
    uint32_t closing = slots_lost(&old->admin, &m->present->admin);
    m->admin.is_news |= closing || !before;
    bool is_replaced = !is_wanted(m) || fork_admin(m) == 0;
    if (!is_replaced)
        log_warn("cannot fork the admin process%s",
                 before && !closing ? "; the old one stays" : "");
    if (before && (is_replaced || closing))
        dismiss(m, before, old, closing);
    if (!is_replaced && !present_of(&m->admin))
        try_later(m);
    slots_renew(&m->present->admin, m->present->settings->admin);
    admin_doors_close(old, m->present);
    note_on_board(m);
}

/* ------------------------------------------------------------------------------- the ending */

void admin_begin(struct master *m)
{
    struct order order = {.kind = ORDER_BEGIN};
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (m->admin.children[i].pid)
            send_order(&m->admin.children[i], &order);
}

void admin_hand_over(struct master *m, uint32_t closing)
{
    struct admin_child *child = present_of(&m->admin);
    m->admin.again_at = CLOCK_NEVER;
    if (child)
        dismiss(m, child, m->present, closing);
}

void admin_kill(struct master *m)
{
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (m->admin.children[i].pid) {
            kill(m->admin.children[i].pid, SIGKILL);
            m->admin.children[i].is_leaving = true;
        }
    m->admin.again_at = CLOCK_NEVER;
    m->admin.is_ending = true;
}

/* Its sockets' queues are served, and nobody is waited for who asks for nothing. */
static void end_all(struct master *m)
{
    struct order order = {.kind = ORDER_STOP};
    struct admin *admin = &m->admin;
    admin->is_ending = true;
    admin->again_at = CLOCK_NEVER;
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++) {
        struct admin_child *child = &admin->children[i];
        if (child->pid == 0)
            continue;
        child->deadline = clock_sooner(child->deadline, m->now + ADMIN_END_MS);
        if (child->is_leaving) /* and hands over what it has */
            continue;
        child->is_leaving = true;
        send_order(child, &order);
    }
}

static void note_stop(struct master *m, struct admin_child *child, int status)
{
    char how[64];
    child_describe(status, how, sizeof how);
    log_warnx("admin process (pid %d) was %s", (int)child->pid, how);
    child->is_stopped = WIFSTOPPED(status);
    child->since = child->is_stopped ? m->now : CLOCK_NEVER;
}

static void note_end(struct master *m, const struct admin_child *gone, int status)
{
    char how[64];
    child_describe(status, how, sizeof how);
    if (gone->is_leaving) {
        log_debug("admin process (pid %d) has left: %s", (int)gone->pid, how);
        return;
    }
    if (m->now - gone->begun >= RESPAWN_HEALTHY_MS)
        m->admin.ends = 0;
    m->admin.is_news = true;
    try_later(m);
    log_warnx("admin process (pid %d) %s: %s%s%s; the next one comes in %lld ms", (int)gone->pid,
              gone->is_ready ? "ended" : "did not start", gone->why, gone->why[0] ? "; " : "", how,
              (long long)(m->admin.again_at - m->now));
}

bool admin_reaped(struct master *m, pid_t pid, int status)
{
    struct admin_child *child = by_pid(&m->admin, pid);
    if (!child)
        return false;
    hear(m, child->channel); /* its last words */
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
        note_stop(m, child, status);
        return true;
    }
    struct admin_child gone = *child;
    loop_delete(m->loop, gone.channel);
    close(gone.channel);
    *child = (struct admin_child){0};
    note_end(m, &gone, status);
    note_on_board(m);
    return true;
}

/* ---------------------------------------------------------------------------- the deadlines */

static int64_t hang_deadline(const struct master *m, const struct admin_child *child)
{
    int64_t limit = m->present->settings->hang_timeout;
    return limit && child->since != CLOCK_NEVER && !child->is_leaving ? child->since + limit
                                                                      : CLOCK_NEVER;
}

/* Each turn has a time of its own. */
static void look(struct master *m, struct admin_child *child)
{
    uint64_t turn = board_get(&row_of(&m->admin, child)->busy_since);
    if (child->is_stopped || turn == child->turn)
        return;
    child->turn = turn;
    child->since = turn ? m->now : CLOCK_NEVER;
}

static void end_late(const struct master *m, struct admin_child *child)
{
    if (clock_sooner(child->deadline, hang_deadline(m, child)) > m->now)
        return;
    if (child->is_leaving)
        log_debug("admin process (pid %d) has not left in time and is ended", (int)child->pid);
    else if (!child->is_ready)
        log_warnx("admin process (pid %d) is not ready after %lld ms and is ended", (int)child->pid,
                  (long long)(m->now - child->begun));
    else
        log_warnx("admin process (pid %d) %s for %lld ms, and is ended", (int)child->pid,
                  child->is_stopped ? "was stopped" : "has hung",
                  (long long)(m->now - child->since));
    kill(child->pid, SIGKILL);
    child->deadline = child->since = CLOCK_NEVER;
}

void admin_tick(struct master *m)
{
    struct admin *admin = &m->admin;
    bool is_over = (m->is_stopping || m->is_handed_over) && m->children.count == 0;
    if (is_over && !admin->is_ending)
        end_all(m);
    if (admin->again_at <= m->now)
        admin_start(m);
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++)
        if (admin->children[i].pid) {
            look(m, &admin->children[i]);
            end_late(m, &admin->children[i]);
        }
}

int64_t admin_next(const struct master *m)
{
    const struct admin *admin = &m->admin;
    bool is_looked_at = !m->is_stopping && !m->is_handed_over; /* as often as the board */
    int64_t next = admin->again_at;
    for (int i = 0; i < ADMIN_CHILDREN_MAX; i++) {
        const struct admin_child *child = &admin->children[i];
        if (child->pid == 0)
            continue;
        next = clock_sooner(next, clock_sooner(child->deadline, hang_deadline(m, child)));
        if (!is_looked_at && !child->is_leaving)
            next = clock_sooner(next, m->now + ADMIN_LOOK_MS);
    }
    return next;
}
