#include "master/recruit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "master/admin.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/prepare.h"
#include "master/record.h"
#include "master/slots.h"
#include "master/standbys.h"
#include "master/takeover.h"
#include "os/pass.h"
#include "worker/worker.h"

/* What a new worker is given: its ends, and beside each the master's. */
struct outfit {
    int slot;
    int row;
    int channel[2]; /* the master's, the worker's */
    int standby[2]; /* the same of its standby; -1: it is to have none */
    bool is_relief; /* for one without a standby: without one itself it would be of no use */
};

static void fill_job(struct master *m, struct generation *g, struct worker_job *job,
                     const struct outfit *outfit)
{
    const struct settings *s = g->settings;
    *job = (struct worker_job){
        .slot = outfit->slot,
        .is_held = !takeover_is_done(m),
        .channel = outfit->channel[1],
        .master = m->pid,
        .board = m->board,
        .row = &m->board->rows[outfit->row],
        .desks = outfit->standby[1] >= 0 ? &m->succession.desks : NULL,
        .standby = outfit->standby[1],
        .needs_standby = outfit->is_relief,
        .doors = &g->doors,
        .sites = g->configuration->sites,
        .forwarded = &s->trusted,
        .identity = &s->identity,
        .max_connections = (int)s->max_connections,
        .max_body = (uint64_t)s->max_body,
        .connection_requests = (uint32_t)s->connection_requests,
        .preemption = s->preemption,
        .timeouts = {[DEADLINE_HEADER] = s->header_timeout,
                     [DEADLINE_BODY] = s->body_timeout,
                     [DEADLINE_ANSWER] = s->answer_timeout,
                     [DEADLINE_SEND] = s->send_timeout,
                     [DEADLINE_IDLE] = s->idle_timeout,
                     [DEADLINE_LINGER] = LINGER_MS},
        .drain_timeout = s->drain_timeout,
        .max_requests = (uint64_t)s->max_requests,
        .max_rss = (uint64_t)s->max_rss,
    };
    logs_fill(m, g, job);
}

/* What a generation before or after this one has beside it would else be listened at for as long as
 * this worker lives. */
static void close_others(const struct master *m, const struct generation *g)
{
    if (m->present != g)
        slots_leave(&m->present->doors, &g->doors);
    if (m->coming && m->coming != g)
        slots_leave(&m->coming->doors, &g->doors);
    slots_leave(&m->lent.doors, &g->doors);
}

void recruit_forsake(struct master *m)
{
    loop_close(m->loop);
    close(m->signals);
    control_leave(&m->control);
    if (m->pidfile >= 0)
        close(m->pidfile);
    if (m->upgrade.channel >= 0)
        close(m->upgrade.channel);
    if (m->predecessor >= 0)
        close(m->predecessor);
    if (!m->is_announced)
        announce_close(m->present->settings);
    notify_close(&m->notify);
    notify_forget();
    children_free(&m->children);
    record_leave(m);
}

/* In the child: gives up what is the master's, works, and ends. */
static _Noreturn void become_worker(struct master *m, struct generation *g,
                                    const struct outfit *outfit)
{
    struct worker_job job;
    close(outfit->channel[0]);
    if (outfit->standby[0] >= 0)
        close(outfit->standby[0]);
    logs_use(g);
    fill_job(m, g, &job, outfit);
    recruit_forsake(m);
    admin_forsake(m);
    close_others(m, g);
    logs_leave(m, g);
    int status = worker_run(&job);
    close(job.channel);
    doors_close(&g->doors);
    board_close(m->board);
    exit(status);
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    crew_hear(context, fd);
}

int recruit_row(struct master *m, int slot)
{
    int row = children_free_row(&m->children, slot);
    if (row < 0)
        errno = EBUSY; /* so many are leaving */
    return row < 0 || children_reserve(&m->children) < 0 ? -1 : row;
}

struct child *recruit_enter(struct master *m, pid_t pid, struct generation *g, int slot, int row,
                            int channel)
{
    struct child *child = children_add(&m->children, pid, g, slot, row, channel);
    g->children++;
    if ((uint64_t)row >= m->board->row_count)
        board_set(&m->board->row_count, (uint64_t)row + 1);
    return loop_add(m->loop, channel, EPOLLIN, on_channel, m) < 0 ? NULL : child;
}

static void close_pair(const int *ends)
{
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

static int equip(struct master *m, const struct generation *g, struct outfit *outfit)
{
    const struct child *present = children_of_slot(&m->children, g, outfit->slot);
    outfit->is_relief = present && present->is_relieved;
    outfit->row = recruit_row(m, outfit->slot);
    if (outfit->row < 0 || prepare_keys(m, g) < 0 || logs_reserve(m, g) < 0 ||
        pass_pair(outfit->channel) < 0)
        return -1;
    standbys_open(m, g, outfit->row, outfit->standby);
    if (!outfit->is_relief || outfit->standby[0] >= 0)
        return 0;
    close_pair(outfit->channel);
    return -1;
}

static void enter(struct master *m, struct generation *g, pid_t pid, const struct outfit *outfit)
{
    bool is_heir = children_of_slot(&m->children, g, outfit->slot);
    bool is_heard = recruit_enter(m, pid, g, outfit->slot, outfit->row, outfit->channel[0]);
    struct child *child = children_by_pid(&m->children, pid);
    child->is_heir = is_heir;
    child->is_relief = outfit->is_relief;
    standbys_expect(m, child, outfit->standby[0]);
    log_debug("worker %d: forked as pid %d", outfit->slot, (int)pid);
    if (is_heard)
        return;
    log_warn("cannot listen to worker %d", outfit->slot);
    kill(pid, SIGKILL); /* and when it is reaped, the next is forked */
}

static enum recruited not_forked(const struct outfit *outfit)
{
    int saved = errno;
    close_pair(outfit->channel);
    close_pair(outfit->standby);
    errno = saved;
    return saved == EAGAIN || saved == ENOMEM ? RECRUIT_LACKS : RECRUIT_FAILED;
}

enum recruited recruit_fork(struct master *m, struct generation *g, int slot)
{
    struct outfit outfit = {.slot = slot};
    if (equip(m, g, &outfit) < 0)
        return RECRUIT_FAILED;
    pid_t pid = fork();
    if (pid == 0)
        become_worker(m, g, &outfit);
    if (pid < 0)
        return not_forked(&outfit);
    close(outfit.channel[1]);
    if (outfit.standby[1] >= 0)
        close(outfit.standby[1]);
    enter(m, g, pid, &outfit);
    return RECRUIT_FORKED;
}
