#include "master/master.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_status.h"
#include "base/limits.h"
#include "base/log.h"
#include "master/admin.h"
#include "master/admin_doors.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/leavers.h"
#include "master/outcome.h"
#include "master/prepare.h"
#include "master/pulse.h"
#include "master/reaper.h"
#include "master/record.h"
#include "master/reload.h"
#include "master/scale.h"
#include "master/service.h"
#include "master/slots.h"
#include "master/standbys.h"
#include "master/state.h"
#include "master/steering.h"
#include "master/stop.h"
#include "master/succession.h"
#include "master/takeover.h"
#include "master/upgrade.h"
#include "os/pidfile.h"
#include "os/sigfd.h"

/* ------------------------------------------------------------------------------ the signals */

/* What means something only as long as the server goes on. */
static void heed_wish(struct master *m, int signal)
{
    switch (signal) {
    case SIGHUP:
        log_info("reload: is asked for by SIGHUP");
        reload_begin(m);
        break;
    case SIGTTIN: scale_up(m); break;
    case SIGTTOU: scale_down(m); break;
    case SIGUSR1:
        log_info("reopen: is asked for by SIGUSR1");
        logs_reopen(m);
        break;
    case SIGUSR2:
        log_info("upgrade: is asked for by SIGUSR2");
        upgrade_begin(m);
        break;
    default: log_info("%s has no meaning here", sigfd_name(signal)); break;
    }
}

static void heed_signal(struct master *m, int signal)
{
    if (signal != SIGCHLD && service_is_awaited(m)) {
        upgrade_pass_on(m, signal);
        return;
    }
    switch (signal) {
    case SIGCHLD: reaper_reap(m); break;
    case SIGTERM:
    case SIGQUIT:
    case SIGINT: stop_on(m, sigfd_name(signal)); break;
    default:
        if (m->is_handed_over)
            log_info("%s: the server is pid %d now", sigfd_name(signal),
                     (int)m->upgrade.master.pid);
        else if (!takeover_is_done(m))
            log_info("%s: this server has not taken over yet", sigfd_name(signal));
        else if (!m->is_stopping)
            heed_wish(m, signal);
        break;
    }
}

static void on_signal(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    int signal;
    (void)loop;
    (void)events;
    while ((signal = sigfd_read(fd)) > 0)
        heed_signal(m, signal);
}

/* -------------------------------------------------------------------------------- the start */

static int fail(struct master *m, int status, const char *what)
{
    return service_failx(m, status, "%s: %s", what, strerror(errno));
}

/* A signal to the whole process group has reached the master, too, and is read first: then this is
 * a stop, in which every worker has its queue to serve. */
static void on_leaving(struct master *m, const struct child *child, const char *why)
{
    int slot = child->slot;
    pid_t pid = child->pid;
    on_signal(m->loop, m->signals, EPOLLIN, m);
    child = children_by_pid(&m->children, pid);
    if (!child || child->is_leaving)
        return;
    log_info("worker %d (pid %d) %s; another takes its place", slot, (int)pid, why);
    crew_step(m, child->generation, PLAN_SPENT, slot);
}

/* No worker can run with this configuration, and none ever has: somebody has just started it, and
 * waits to hear that. */
static void on_refused(struct master *m, const struct child *child, int status)
{
    struct plan *plan = plan_of(m);
    if (child->generation != m->present || m->is_announced || m->is_stopping ||
        plan_count(plan, SLOT_REFUSED) < plan->slot_count)
        return;
    m->status = service_failx(m, status, "no worker can start%s%s", child->why[0] ? ": " : "",
                              child->why);
    plan->is_stopping = m->is_stopping = true;
}

static void on_ready(struct master *m, struct generation *g)
{
    if (g == m->coming)
        reload_go_on(m);
    else
        announce(m);
    steering_update(m);
}

static void on_give_up(struct master *m, int slot)
{
    char why[64];
    snprintf(why, sizeof why, "worker %d does not start", slot);
    reload_give_up(m, why);
}

static int open_pidfile(struct master *m)
{
    pid_t holder;
    const char *path = m->present->settings->pidfile;
    if (!path && m->pidfile >= 0) {
        close(m->pidfile);
        m->pidfile = -1;
    }
    if (!path)
        return 0;
    m->pidfile_path = strdup(path);
    if (!m->pidfile_path)
        return fail(m, EX_OSERR, "cannot start");
    if (m->pidfile >= 0) /* the old master's, and ours when we serve */
        return 0;
    m->pidfile = pidfile_open(path, &holder);
    if (m->pidfile >= 0)
        return 0;
    int cause = errno;
    if (cause == EWOULDBLOCK)
        return service_failx(m, EX_UNAVAILABLE, "--pidfile %s: is held by pid %d, which is running",
                             path, (int)holder);
    return service_failx(m, exit_status_of(cause), "--pidfile %s: %s", path, strerror(cause));
}

static int open_doors(struct master *m)
{
    char why[256];
    struct settings *s = m->present->settings;
    int status = slots_open(&m->present->doors, s->addresses, s->address_count, takeover_slots(m),
                            why, sizeof why);
    return status ? service_failx(m, status, "%s", why) : 0;
}

/* Before the workers: who asks hears that they are still to come. */
static int open_admin(struct master *m)
{
    char why[256];
    int status = admin_doors_open(m->present, NULL, &m->lent, why, sizeof why);
    if (status)
        return service_failx(m, status, "%s", why);
    admin_start(m);
    return 0;
}

static int open_loop(struct master *m)
{
    static const int signals[] = {SIGTERM, SIGQUIT, SIGINT,  SIGHUP,  SIGUSR1,
                                  SIGUSR2, SIGTTIN, SIGTTOU, SIGCHLD, 0};
    m->signals = sigfd_open(signals);
    m->loop = loop_open();
    if (m->signals < 0 || !m->loop)
        return -1;
    return loop_add(m->loop, m->signals, EPOLLIN, on_signal, m);
}

/* Until then, and where it fails, stderr has what there is to be said. */
static int open_logs(struct master *m)
{
    char why[512];
    int status = logs_open(m, m->present, why, sizeof why);
    if (status)
        return service_failx(m, status, "%s", why);
    logs_use(m->present);
    return 0;
}

static int start(struct master *m)
{
    struct generation *g = m->present;
    const struct settings *s = g->settings;
    if (sigfd_block(&m->mask) < 0)
        return fail(m, EX_OSERR, "sigprocmask");
    if (notify_open(&m->notify) < 0)
        log_warn("NOTIFY_SOCKET");
    service_open(m);
    store_open(&m->store, &m->notify);
    int status = takeover_begin(m);
    if (status || (status = open_logs(m)) != 0)
        return status;
    prepare_descriptors(g->settings);
    m->board = board_open(&m->board_fd);
    if (m->board && m->board_fd < 0)
        log_warn("drover status and drover top cannot look at this server: its board is no file");
    if (!m->board || open_loop(m) < 0)
        return fail(m, EX_OSERR, "cannot start");
    record_open(m);
    status = open_pidfile(m);
    if (status)
        return status;
    status = open_doors(m);
    if (status)
        return status;
    store_renew(&m->store, &g->doors);
    status = control_open(m);
    if (status)
        return status;
    m->now = clock_ms();
    status = open_admin(m);
    if (status)
        return status;
    for (int slot = 0; slot < g->doors.slot_count; slot++)
        plan_add_slot(&g->plan);
    for (int slot = 0; slot < s->workers; slot++)
        crew_step(m, g, PLAN_WANT, slot);
    return 0;
}

/* --------------------------------------------------------------------------------- the loop */

static void woken(void *context)
{
    struct master *m = context;
    m->now = clock_ms();
}

static void heed_plan(struct master *m, struct generation *g)
{
    int slot;
    while (plan_next(&g->plan, &slot) <= m->now)
        crew_step(m, g, PLAN_DUE, slot);
}

static void heed_deadlines(struct master *m)
{
    heed_plan(m, m->present);
    if (m->coming)
        heed_plan(m, m->coming);
    crew_end_late(m);
    succession_tick(m);
    standbys_tick(m);
    leavers_tick(m);
    if (!m->is_stopping && !m->is_handed_over) {
        reload_go_on(m);
        announce(m);
    }
    scale_tick(m);
    stop_tick(m);
    upgrade_tick(m);
    control_tick(m);
    logs_tick(m);
    admin_tick(m);
    pulse_tick(m);
    store_tick(&m->store, &m->present->doors);
    service_tick(m);
    reload_sweep(m);
    record_tick(m);
}

static int64_t next_deadline(struct master *m)
{
    int slot;
    int64_t next = clock_sooner(plan_next(plan_of(m), &slot), children_next(&m->children));
    if (m->coming)
        next = clock_sooner(next, plan_next(&m->coming->plan, &slot));
    if (!m->is_stopping && !m->is_handed_over)
        next = clock_sooner(next, m->pulse_at);
    next = clock_sooner(next, clock_sooner(service_next(m), record_next(m)));
    next = clock_sooner(next, clock_sooner(succession_next(m), standbys_next(m)));
    next = clock_sooner(next, leavers_next(m));
    next = clock_sooner(next, control_next(m));
    next = clock_sooner(next, logs_next(m));
    next = clock_sooner(next, admin_next(m));
    next = clock_sooner(next, store_next(&m->store, m->now));
    return clock_sooner(next, clock_sooner(m->stop_at, m->upgrade.deadline));
}

static bool is_over(const struct master *m)
{
    return (m->is_stopping || m->is_handed_over) && m->children.count == 0 &&
           admin_is_gone(&m->admin) && !service_is_awaited(m);
}

/* From here on nothing that can be recovered from may end the master. */
static void supervise(struct master *m)
{
    while (!is_over(m)) {
        if (loop_turn(m->loop, clock_until(next_deadline(m), m->now), woken, m) < 0)
            log_fatal("epoll_wait");
        heed_deadlines(m);
    }
}

static void say_goodbye(struct master *m)
{
    struct board_row sum = board_sum(m->board);
    char words[192];
    int n = snprintf(words, sizeof words,
                     "%llu requests were answered on %llu connections; %zu connections were closed "
                     "at the deadline",
                     (unsigned long long)sum.requests, (unsigned long long)sum.accepted, m->cut);
    if (m->is_handed_over) {
        log_info("upgrade: left to the new server: %s", words);
        return;
    }
    if (m->stop_begun > 0)
        snprintf(words + n, sizeof words - (size_t)n, "; the stop took %lld ms",
                 (long long)(clock_ms() - m->stop_begun));
    outcome_end(m, OUTCOME_STOP, 0, words);
}

static void clean_up(struct master *m)
{
    struct generation *g = m->present;
    if (m->is_handed_over || !takeover_is_done(m) || store_is_open(&m->store))
        slots_drop(&g->doors, NULL); /* the files of unix sockets are another master's */
    else
        slots_close(&g->doors, g->settings->addresses, NULL);
    if (m->is_handed_over || !takeover_is_done(m))
        slots_drop(&g->admin, NULL); /* the same */
    else
        admin_doors_close(g, NULL);
    admin_free(&m->admin);
    doors_close(&m->lent.doors);
    notify_close(&m->notify);
    command_free(&m->command);
    if (m->upgrade.channel >= 0)
        close(m->upgrade.channel);
    if (m->predecessor >= 0)
        close(m->predecessor);
    if (m->pidfile >= 0)
        pidfile_close(m->pidfile, m->pidfile_path);
    free(m->pidfile_path);
    children_free(&m->children);
    reload_sweep(m);
    logs_close_room(&m->logs);
    desks_close(&m->succession.desks);
    record_leave(m);
    board_close(m->board);
    control_close(m); /* who has asked for the stop sees that all is given back */
    loop_close(m->loop);
    if (m->signals >= 0)
        close(m->signals);
    log_set_output(&(struct log_output){.target = LOG_TO_STDERR, .fd = STDERR_FILENO});
    generation_free(g, m->source);
}

/* Before anything is opened or blocked: the application finds, and a child that it starts inherits,
 * what any process has, and a signal ends it as it would any. */
static int prepare(struct master *m)
{
    char why[DROVER_WHY_SIZE * 2];
    int status = prepare_app(m, m->present, why, sizeof why);
    return status ? service_failx(m, status, "%s", why) : 0;
}

int master_run(struct configuration *first, const struct configuration_source *source)
{
    struct master m = {.source = source,
                       .present = generation_new(first),
                       .pid = getpid(),
                       .signals = -1,
                       .pidfile = -1,
                       .board_fd = -1,
                       .predecessor = -1,
                       .notify = {.fd = -1},
                       .upgrade = {.channel = -1, .deadline = CLOCK_NEVER},
                       .stop_at = CLOCK_NEVER,
                       .logs = {.until = CLOCK_NEVER},
                       .on_ready = on_ready,
                       .on_refused = on_refused,
                       .on_leaving = on_leaving,
                       .on_give_up = on_give_up};
    service_init(&m.service);
    control_init(&m.control);
    admin_init(&m.admin);
    if (!m.present) {
        source->free(first);
        return fail(&m, EX_OSERR, "cannot start");
    }
    doors_init(&m.lent.doors);
    log_set_level(first->settings.log_level);
    if (command_read(&m.command) < 0)
        log_debug("how this server was started cannot be read");
    int status = prepare(&m);
    if (status == 0)
        status = start(&m);
    if (status == 0) {
        supervise(&m);
        say_goodbye(&m);
        status = m.status;
    }
    clean_up(&m);
    return status;
}
