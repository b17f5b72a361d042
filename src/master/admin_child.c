#include "master/admin_child.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "master/admin.h"
#include "master/recruit.h"
#include "master/slots.h"
#include "master/takeover.h"
#include "status/admin.h"
#include "worker/worker.h"

static int64_t limited(int64_t timeout)
{
    return timeout && timeout < ADMIN_TIMEOUT_MAX_MS ? timeout : ADMIN_TIMEOUT_MAX_MS;
}

static void fill_job(struct master *m, struct worker_job *job, int place, int channel)
{
    static const struct forwarded_rules nobody;
    struct generation *g = m->present;
    const struct settings *s = g->settings;
    *job = (struct worker_job){
        .role = "admin",
        .is_held = !takeover_is_done(m),
        .channel = channel,
        .master = m->pid,
        .board = m->board,
        .row = &m->admin.memory->rows[place],
        .standby = -1,
        .doors = &g->admin,
        .forwarded = &nobody,
        .identity = &s->identity,
        .max_connections = 2 * ADMIN_CONNECTIONS_MAX,
        .yield_from = ADMIN_CONNECTIONS_MAX, /* a probe is answered, whoever keeps how many */
        .max_body = (uint64_t)s->max_body,
        .preemption = PREEMPT_NO, /* no client of a worker waits for it */
        .timeouts = {[DEADLINE_HEADER] = limited(s->header_timeout),
                     [DEADLINE_BODY] = limited(s->body_timeout),
                     [DEADLINE_ANSWER] = limited(s->answer_timeout),
                     [DEADLINE_SEND] = limited(s->send_timeout),
                     [DEADLINE_IDLE] = limited(s->idle_timeout),
                     [DEADLINE_LINGER] = LINGER_MS},
        .drain_timeout = s->drain_timeout,
        .log_fd = g->logs.output.fd,
        .access = {.fd = -1},
    };
}

/* Nobody's doors but its own stay open here: what is closed later is to be closed. */
static void close_others(const struct master *m)
{
    const struct generation *g = m->present;
    admin_forsake_others(m);
    slots_leave(&g->doors, NULL);
    if (m->coming)
        slots_leave(&m->coming->doors, &g->doors);
    slots_leave(&m->lent.doors, &g->admin);
}

_Noreturn void admin_child_run(struct master *m, int place, int channel)
{
    struct worker_job job;
    struct admin_view view = {.board = m->board, .floor = &m->admin.memory->floor};
    struct drover_app app = admin_app(&view);
    struct site_app own = {.app = &app};
    const struct sites sites = {.count = 1, .apps = &own};
    fill_job(m, &job, place, channel);
    job.sites = &sites;
    recruit_forsake(m);
    close_others(m);
    logs_leave(m, m->present);
    logs_leave_access(m->present);
    if (mprotect(m->board, sizeof *m->board, PROT_READ) < 0) /* what others write, it shows */
        log_warn("the board stays writable here");
    int status = worker_run(&job);
    close(channel);
    admin_view_free(&view);
    doors_close(&m->present->admin);
    admin_free(&m->admin);
    board_close(m->board);
    exit(status);
}
