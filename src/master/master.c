#include "master/master.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/reload.h"
#include "master/slots.h"
#include "master/state.h"
#include "os/pidfile.h"
#include "os/sigfd.h"

/* ------------------------------------------------------------------------------ the signals */

static void stop(struct master *m, int signal)
{
    struct board_row sum = board_sum(m->board);
    char limit[64] = "";
    if (m->plan.is_stopping) {
        log_info("stopping at once on a second %s, with %llu connections open", sigfd_name(signal),
                 (unsigned long long)sum.connections);
        crew_kill(m);
        return;
    }
    if (m->settings->drain_timeout)
        snprintf(limit, sizeof limit, " for %lld ms to end", (long long)m->settings->drain_timeout);
    if (sum.connections > 0)
        log_info("stopping on %s: %llu connections are open, and have time%s; once more stops at "
                 "once",
                 sigfd_name(signal), (unsigned long long)sum.connections, limit);
    else
        log_info("stopping on %s", sigfd_name(signal));
    m->renewing = -1;
    m->plan.is_stopping = true;
    for (int slot = 0; slot < m->plan.slot_count; slot++)
        crew_step(m, PLAN_UNWANT, slot);
}

static void one_more(struct master *m)
{
    int slot = 0;
    while (slot < m->plan.slot_count && m->plan.slots[slot].state != SLOT_EMPTY)
        slot++;
    if (slot == m->plan.slot_count && (slot = crew_add_slot(m)) < 0) {
        log_warn("cannot add a worker to the %d there are", m->plan.slot_count);
        return;
    }
    crew_step(m, PLAN_WANT, slot);
    log_info("one worker more: %d", crew_size(m));
}

static void one_less(struct master *m)
{
    int slot = m->plan.slot_count - 1;
    if (crew_size(m) <= 1) {
        log_warnx("the last worker stays");
        return;
    }
    while (m->plan.slots[slot].state == SLOT_EMPTY)
        slot--;
    crew_step(m, PLAN_UNWANT, slot);
    reload_go_on(m, slot);
    log_info("one worker less: %d", crew_size(m));
    announce(m); /* it may have been the one that was waited for */
}

static void heed_signal(struct master *m, int signal)
{
    switch (signal) {
    case SIGCHLD: crew_reap(m); break;
    case SIGTERM:
    case SIGQUIT:
    case SIGINT: stop(m, signal); break;
    case SIGHUP: reload_begin(m); break;
    case SIGTTIN:
        if (!m->plan.is_stopping)
            one_more(m);
        break;
    case SIGTTOU:
        if (!m->plan.is_stopping)
            one_less(m);
        break;
    default: log_info("%s has no meaning here", sigfd_name(signal)); break;
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
    crew_step(m, PLAN_LEAVING, slot);
}

/* No worker can run with this configuration, and none ever has: somebody has just started it, and
 * waits to hear that. */
static void give_up_start(struct master *m)
{
    if (m->is_announced || m->plan.is_stopping ||
        plan_count(&m->plan, SLOT_REFUSED) < m->plan.slot_count)
        return;
    log_fatalx("no worker can start");
    m->plan.is_stopping = true;
    m->status = EX_CONFIG;
}

static void on_start(struct master *m, int slot, bool accepts)
{
    if (!accepts) {
        reload_give_up(m, slot);
        give_up_start(m);
        return;
    }
    announce(m);
    reload_go_on(m, slot);
}

static int fail(int status, const char *what)
{
    log_fatal("%s", what);
    return status;
}

/* A worker needs as many descriptors as its connections may come to hold, all at once: without one
 * it could not accept, or not open what it is asked for. */
static void fit_descriptors(struct settings *s)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    int64_t room = (int64_t)limit.rlim_cur - s->workers * s->address_count - SPARE_FDS;
    if (limit.rlim_cur == RLIM_INFINITY || s->max_connections <= room / CONN_FDS_MAX)
        return;
    int64_t fit = room >= 2 * CONN_FDS_MAX ? room / CONN_FDS_MAX : 1;
    /* Half of it at least is there: no reason to stand in the log of every start. */
    void (*tell)(const char *format, ...) = s->max_connections <= room ? log_debug : log_warnx;
    tell("--max-connections %lld: a process may have only %llu descriptors open (ulimit -n), so a "
         "worker takes %lld connections, each with a file to send",
         (long long)s->max_connections, (unsigned long long)limit.rlim_cur, (long long)fit);
    s->max_connections = fit;
}

static int open_pidfile(struct master *m)
{
    pid_t holder;
    const char *path = m->settings->pidfile;
    if (!path)
        return 0;
    m->pidfile = pidfile_open(path, &holder);
    if (m->pidfile >= 0)
        return 0;
    if (errno == EWOULDBLOCK) {
        log_fatalx("--pidfile %s: is held by pid %d, which is running", path, (int)holder);
        return EX_UNAVAILABLE;
    }
    log_fatal("--pidfile %s", path);
    return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_OSERR;
}

static int open_doors(struct master *m)
{
    char why[256];
    struct settings *s = m->settings;
    int status = slots_open(&m->doors, s->addresses, s->address_count, (int)s->workers, why,
                            sizeof why);
    if (status)
        log_fatalx("%s", why);
    return status;
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

static int start(struct master *m)
{
    struct settings *s = m->settings;
    if (sigfd_block(NULL) < 0)
        return fail(EX_OSERR, "sigprocmask");
    fit_descriptors(s);
    m->board = board_open();
    if (!m->board || open_loop(m) < 0)
        return fail(EX_OSERR, "cannot start");
    int status = open_pidfile(m);
    if (status)
        return status;
    status = open_doors(m);
    if (status)
        return status;
    plan_init(&m->plan, s->start_timeout);
    m->now = clock_ms();
    for (int64_t i = 0; i < s->workers; i++)
        plan_add_slot(&m->plan);
    for (int slot = 0; slot < m->plan.slot_count; slot++)
        crew_step(m, PLAN_WANT, slot);
    return 0;
}

/* --------------------------------------------------------------------------------- the loop */

static void woken(void *context)
{
    struct master *m = context;
    m->now = clock_ms();
}

static void heed_deadlines(struct master *m)
{
    int slot;
    while (plan_next(&m->plan, &slot) <= m->now)
        crew_step(m, PLAN_DUE, slot);
    crew_end_late(m);
}

/* From here on nothing that can be recovered from may end the master. */
static void supervise(struct master *m)
{
    while (!(m->plan.is_stopping && m->children.count == 0)) {
        int slot;
        int64_t next = plan_next(&m->plan, &slot);
        int64_t leavers = children_next(&m->children);
        if (leavers < next)
            next = leavers;
        if (loop_turn(m->loop, clock_until(next, m->now), woken, m) < 0)
            log_fatal("epoll_wait");
        heed_deadlines(m);
    }
}

static void say_goodbye(const struct master *m)
{
    struct board_row sum = board_sum(m->board);
    log_info("stopped: %llu requests were answered on %llu connections; %zu connections were "
             "closed at the deadline",
             (unsigned long long)sum.requests, (unsigned long long)sum.accepted, m->cut);
}

static void clean_up(struct master *m)
{
    slots_close(&m->doors, m->settings->addresses);
    if (m->pidfile >= 0)
        pidfile_close(m->pidfile, m->settings->pidfile);
    children_free(&m->children);
    board_close(m->board);
    loop_close(m->loop);
    if (m->signals >= 0)
        close(m->signals);
}

/* Before anything is opened or blocked: the application finds, and a child that it starts inherits,
 * what any process has, and a signal ends it as it would any. */
static int prepare_app(const struct drover_app *app)
{
    char why[DROVER_WHY_SIZE] = "it gave no reason";
    int status = app->before_fork ? app->before_fork(app->context, why) : 0;
    if (status == 0)
        return 0;
    why[DROVER_WHY_SIZE - 1] = '\0';
    log_fatalx("application %s: %s", app->name, why);
    return status > 0 && status <= UINT8_MAX ? status : EX_SOFTWARE;
}

int master_run(struct configuration *first, const struct configuration_source *source)
{
    struct master m = {.settings = &first->settings,
                       .app = first->app,
                       .pid = getpid(),
                       .signals = -1,
                       .pidfile = -1,
                       .on_start = on_start,
                       .on_leaving = on_leaving,
                       .renewing = -1};
    doors_init(&m.doors);
    log_set_level(m.settings->log_level);
    int status = prepare_app(m.app);
    if (status == 0)
        status = start(&m);
    if (status == 0) {
        supervise(&m);
        say_goodbye(&m);
        status = m.status;
    }
    clean_up(&m);
    source->free(first);
    return status;
}
