#include "worker/services.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"

/* A descriptor of the application. */
struct watched {
    struct drover_worker *worker;
    struct watched *next;
    int fd;
    void (*fn)(void *argument, int fd, unsigned events);
    void *argument;
};

static void before_call(const struct drover_worker *worker)
{
    if (worker->before_call)
        worker->before_call(worker->before_context);
}

static void on_post(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct drover_worker *worker = context;
    (void)loop;
    (void)fd;
    (void)events;
    before_call(worker);
    mailbox_run(&worker->mailbox);
}

int services_open(struct drover_worker *worker)
{
    worker->main = worker;
    if (mailbox_open(&worker->mailbox) < 0)
        return -1;
    if (loop_add(worker->loop, worker->mailbox.fd, EPOLLIN, on_post, worker) == 0)
        return 0;
    mailbox_close(&worker->mailbox);
    return -1;
}

void services_close(struct drover_worker *worker)
{
    while (worker->watched)
        drover_unwatch(worker, worker->watched->fd);
    timers_free(&worker->timers);
    loop_delete(worker->loop, worker->mailbox.fd);
    mailbox_close(&worker->mailbox);
}

void drover_worker_attach(struct drover_worker *worker, void *state)
{
    worker->attached = state;
}

void *drover_worker_attached(const struct drover_worker *worker)
{
    return worker->attached;
}

uint64_t drover_turn(const struct drover_worker *worker)
{
    return worker->main->turn;
}

int64_t drover_now(const struct drover_worker *worker)
{
    return worker->main->now;
}

int drover_post(struct drover_worker *worker, void (*fn)(void *argument), void *argument)
{
    return mailbox_post(&worker->main->mailbox, fn, argument);
}

/* --------------------------------------------------------------------------------- timers */

struct drover_timer *drover_timer_start(struct drover_worker *worker, uint64_t milliseconds,
                                        void (*fn)(void *argument), void *argument)
{
    struct drover_worker *main = worker->main;
    uint64_t longest = (uint64_t)(INT64_MAX - 1 - main->now);
    int64_t wait = (int64_t)(milliseconds < longest ? milliseconds : longest);
    return timers_start(&main->timers, main->now + wait, fn, argument);
}

void drover_timer_stop(struct drover_timer *timer)
{
    if (timer)
        timers_stop(timer);
}

/* ----------------------------------------------------------------------------- descriptors */

static struct watched **find_watched(struct drover_worker *worker, int fd)
{
    struct watched **at = &worker->watched;
    while (*at && (*at)->fd != fd)
        at = &(*at)->next;
    return at;
}

static void on_ready(struct loop *loop, int fd, uint32_t events, void *context)
{
    const struct watched *watched = context;
    unsigned what = 0;
    (void)loop;
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP))
        what |= DROVER_READABLE;
    if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        what |= DROVER_WRITABLE;
    before_call(watched->worker);
    watched->fn(watched->argument, fd, what);
}

static uint32_t events_of(unsigned what)
{
    return (what & DROVER_READABLE ? EPOLLIN | EPOLLRDHUP : 0u) |
           (what & DROVER_WRITABLE ? (uint32_t)EPOLLOUT : 0u);
}

static int watch_anew(struct drover_worker *worker, const struct watched *wanted, unsigned events)
{
    struct watched *watched = malloc(sizeof *watched);
    if (!watched)
        return -1;
    *watched = *wanted;
    watched->next = worker->watched;
    if (loop_add(worker->loop, watched->fd, events_of(events), on_ready, watched) < 0) {
        free(watched);
        return -1;
    }
    worker->watched = watched;
    return 0;
}

int drover_watch(struct drover_worker *worker, int fd, unsigned events,
                 void (*fn)(void *argument, int fd, unsigned events), void *argument)
{
    struct drover_worker *main = worker->main;
    struct watched wanted = {.worker = main, .fd = fd, .fn = fn, .argument = argument};
    struct watched *present = *find_watched(main, fd);
    if (!present)
        return watch_anew(main, &wanted, events);
    if (loop_change(main->loop, fd, events_of(events)) < 0)
        return -1;
    present->fn = fn;
    present->argument = argument;
    return 0;
}

int drover_unwatch(struct drover_worker *worker, int fd)
{
    struct watched **at = find_watched(worker->main, fd);
    struct watched *gone = *at;
    if (!gone) {
        errno = ENOENT;
        return -1;
    }
    *at = gone->next;
    int result = loop_delete(worker->main->loop, fd);
    free(gone);
    return result;
}

/* -------------------------------------------------------------------------------- metrics */

/* Once a second at most. */
static void complain(struct drover_worker *worker, unsigned index, unsigned count)
{
    int64_t now = drover_now(worker);
    if (worker->warned_at && now < worker->warned_at + 1000)
        return;
    worker->warned_at = now;
    log_warnx("application %s: it has no metric %u: there are %u, from 0 on", worker->app->name,
              index, count);
}

static bool is_metric(struct drover_worker *worker, unsigned index)
{
    const struct drover_metric *metrics = worker->app->metrics;
    unsigned i = 0;
    for (; metrics && metrics[i].name && i < DROVER_METRICS_MAX; i++)
        if (i == index)
            return true;
    complain(worker, index, i);
    return false;
}

void drover_metric_add(struct drover_worker *worker, unsigned index, int64_t n)
{
    if (is_metric(worker, index))
        board_add(&worker->row->of_app[worker->metrics_at + index], n);
}

void drover_metric_set(struct drover_worker *worker, unsigned index, int64_t value)
{
    if (is_metric(worker, index))
        board_set(&worker->row->of_app[worker->metrics_at + index], (uint64_t)value);
}

void drover_metrics_each(const struct drover_worker *worker,
                         void (*fn)(void *argument, const struct drover_metric *metric,
                                    int64_t value),
                         void *argument)
{
    static const struct drover_metric ours[] = {
        {"drover_connections_accepted_total", DROVER_COUNTER, "Connections accepted."},
        {"drover_requests_total", DROVER_COUNTER, "Requests answered, refused ones too."},
        {"drover_connections", DROVER_GAUGE, "Connections that are open."},
    };
    const struct drover_metric *metrics = worker->metrics;
    struct board_row sum = board_sum(worker->board);
    fn(argument, &ours[0], (int64_t)sum.accepted);
    fn(argument, &ours[1], (int64_t)sum.requests);
    fn(argument, &ours[2], (int64_t)sum.connections);
    for (unsigned i = 0; metrics && metrics[i].name && i < DROVER_METRICS_MAX; i++)
        fn(argument, &metrics[i], (int64_t)sum.of_app[i]);
}
