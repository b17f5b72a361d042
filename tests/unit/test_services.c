#include "worker/services.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "support.h"

static const struct drover_metric metrics[] = {
    {"test_total", DROVER_COUNTER, "A counter."},
    {"test_now", DROVER_GAUGE, "A gauge."},
    {0},
};

struct rig {
    struct drover_app app;
    struct board *board;
    struct drover_worker worker;
};

static void open_rig(struct rig *rig)
{
    *rig = (struct rig){.app = {.name = "test", .metrics = metrics}};
    rig->board = board_open(NULL);
    cr_assert_not_null(rig->board);
    rig->worker = (struct drover_worker){.loop = loop_open(),
                                         .app = &rig->app,
                                         .metrics = metrics,
                                         .board = rig->board,
                                         .row = &rig->board->rows[3],
                                         .now = 1000};
    cr_assert_not_null(rig->worker.loop);
    cr_assert_eq(services_open(&rig->worker), 0);
}

static void close_rig(struct rig *rig)
{
    services_close(&rig->worker);
    loop_close(rig->worker.loop);
    board_close(rig->board);
}

static int turn(struct rig *rig)
{
    int n = loop_turn(rig->worker.loop, 0, NULL, NULL);
    cr_assert_geq(n, 0);
    return n;
}

/* ----------------------------------------------------------------------------- descriptors */

struct seen {
    struct rig *rig;
    int fd;
    unsigned events;
    int calls;
};

static void note(void *argument, int fd, unsigned events)
{
    struct seen *seen = argument;
    cr_expect_eq(fd, seen->fd);
    seen->events = events;
    seen->calls++;
}

static void open_pair(int ends[2])
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

Test(services, a_watch_sees_what_it_asked_for)
{
    struct rig rig;
    int ends[2];
    open_rig(&rig);
    open_pair(ends);
    struct seen seen = {.fd = ends[0]};
    cr_assert_eq(drover_watch(&rig.worker, ends[0], DROVER_READABLE, note, &seen), 0);
    turn(&rig);
    cr_expect_eq(seen.calls, 0);
    cr_assert_eq(write(ends[1], "a", 1), 1);
    for (int i = 1; i <= 3; i++) {
        turn(&rig);
        cr_expect_eq(seen.calls, i, "level-triggered");
        cr_expect_eq(seen.events, DROVER_READABLE);
    }
    cr_assert_eq(drover_watch(&rig.worker, ends[0], DROVER_WRITABLE, note, &seen), 0);
    turn(&rig);
    cr_expect_eq(seen.events, DROVER_WRITABLE);
    cr_assert_eq(drover_watch(&rig.worker, ends[0], DROVER_READABLE | DROVER_WRITABLE, note, &seen),
                 0);
    turn(&rig);
    cr_expect_eq(seen.events, DROVER_READABLE | DROVER_WRITABLE);
    int calls = seen.calls;
    cr_expect_eq(drover_unwatch(&rig.worker, ends[0]), 0);
    turn(&rig);
    cr_expect_eq(seen.calls, calls);
    cr_expect_eq(drover_unwatch(&rig.worker, ends[0]), -1);
    cr_expect_eq(errno, ENOENT);
    close_pair(ends);
    close_rig(&rig);
}

Test(services, an_end_is_readable)
{
    struct rig rig;
    int ends[2];
    open_rig(&rig);
    open_pair(ends);
    struct seen seen = {.fd = ends[0]};
    drover_watch(&rig.worker, ends[0], DROVER_READABLE, note, &seen);
    shutdown(ends[1], SHUT_WR);
    turn(&rig);
    cr_expect_eq(seen.events, DROVER_READABLE);
    close(ends[1]);
    turn(&rig);
    cr_expect(seen.events & DROVER_READABLE);
    drover_unwatch(&rig.worker, ends[0]);
    close(ends[0]);
    close_rig(&rig);
}

Test(services, what_cannot_be_watched)
{
    struct rig rig;
    struct seen seen = {0};
    int fd = make_file(1);
    open_rig(&rig);
    cr_expect_eq(drover_watch(&rig.worker, -1, DROVER_READABLE, note, &seen), -1);
    cr_expect_eq(errno, EBADF);
    cr_expect_eq(drover_watch(&rig.worker, fd, DROVER_READABLE, note, &seen), -1);
    cr_expect_eq(errno, EPERM);
    cr_expect_null(rig.worker.watched);
    close(fd);
    close_rig(&rig);
}

static void replace(void *argument, int fd, unsigned events)
{
    struct seen *seen = argument;
    note(argument, fd, events);
    cr_assert_eq(drover_watch(&seen->rig->worker, fd, DROVER_READABLE, note, argument), 0);
}

static void end(void *argument, int fd, unsigned events)
{
    struct seen *seen = argument;
    note(argument, fd, events);
    cr_assert_eq(drover_unwatch(&seen->rig->worker, fd), 0);
    cr_assert_eq(close(fd), 0);
}

static int both[2];

static void end_both(void *argument, int fd, unsigned events)
{
    struct seen *seen = argument;
    (void)fd;
    (void)events;
    seen->calls++;
    for (int i = 0; i < 2; i++)
        cr_assert_eq(drover_unwatch(&seen->rig->worker, both[i]), 0);
    close_pair(both);
}

Test(services, replaced_and_ended_within_a_call)
{
    struct rig rig;
    int ends[2];
    open_rig(&rig);
    open_pair(ends);
    cr_assert_eq(write(ends[1], "a", 1), 1);
    struct seen seen = {.rig = &rig, .fd = ends[0]};
    drover_watch(&rig.worker, ends[0], DROVER_READABLE, replace, &seen);
    turn(&rig);
    turn(&rig);
    cr_expect_eq(seen.calls, 2);
    drover_watch(&rig.worker, ends[0], DROVER_READABLE, end, &seen);
    turn(&rig);
    turn(&rig);
    cr_expect_eq(seen.calls, 3);
    close(ends[1]);
    close_rig(&rig);
}

/* Both are ready in the same turn, and the first that is called ends both. */
Test(services, one_ends_another_that_is_due)
{
    struct rig rig;
    open_rig(&rig);
    open_pair(both);
    struct seen seen = {.rig = &rig};
    for (int i = 0; i < 2; i++)
        drover_watch(&rig.worker, both[i], DROVER_WRITABLE, end_both, &seen);
    turn(&rig);
    cr_expect_eq(seen.calls, 1);
    cr_expect_null(rig.worker.watched);
    close_rig(&rig);
}

Test(services, what_is_still_watched_is_given_back)
{
    struct rig rig;
    int ends[2];
    struct seen seen = {0};
    open_rig(&rig);
    open_pair(ends);
    for (int i = 0; i < 2; i++)
        drover_watch(&rig.worker, ends[i], DROVER_READABLE, note, &seen);
    close_rig(&rig);
    cr_expect_geq(fcntl(ends[0], F_GETFD), 0, "it stays the application's");
    close_pair(ends);
}

/* --------------------------------------------------------------------- timers and the posts */

static void count(void *argument)
{
    ++*(int *)argument;
}

Test(services, timers_and_posts)
{
    struct rig rig;
    int calls = 0;
    open_rig(&rig);
    cr_expect_eq(drover_now(&rig.worker), 1000);
    cr_assert_eq(drover_post(&rig.worker, count, &calls), 0);
    turn(&rig);
    cr_expect_eq(calls, 1);
    struct drover_timer *timer = drover_timer_start(&rig.worker, 50, count, &calls);
    cr_assert_not_null(timer);
    cr_expect_eq(timers_next(&rig.worker.timers), 1050);
    drover_timer_stop(timer);
    cr_expect_eq(timers_next(&rig.worker.timers), CLOCK_NEVER);
    drover_timer_stop(NULL);
    timer = drover_timer_start(&rig.worker, UINT64_MAX, count, &calls);
    cr_expect_lt(timers_next(&rig.worker.timers), CLOCK_NEVER, "far away, and no overflow");
    cr_expect_gt(timers_next(&rig.worker.timers), INT64_MAX / 2);
    drover_timer_start(&rig.worker, 0, count, &calls);
    timers_run(&rig.worker.timers, 1000);
    cr_expect_eq(calls, 2);
    close_rig(&rig);
}

/* -------------------------------------------------------------------------------- metrics */

struct sums {
    int count;
    int64_t values[8];
    const char *names[8];
};

static void note_metric(void *argument, const struct drover_metric *metric, int64_t value)
{
    struct sums *sums = argument;
    cr_assert_lt(sums->count, 8);
    sums->names[sums->count] = metric->name;
    sums->values[sums->count++] = value;
}

static struct sums sum(const struct rig *rig)
{
    struct sums sums = {0};
    drover_metrics_each(&rig->worker, note_metric, &sums);
    return sums;
}

Test(services, metrics_of_all_workers)
{
    struct rig rig;
    open_rig(&rig);
    struct drover_worker other = rig.worker;
    other.row = &rig.board->rows[4];
    board_add(&rig.worker.row->accepted, 2);
    board_add(&other.row->requests, 5);
    board_add(&other.row->connections, 1);
    drover_metric_add(&rig.worker, 0, 7);
    drover_metric_add(&other, 0, 4);
    drover_metric_set(&rig.worker, 1, 10);
    drover_metric_set(&rig.worker, 1, 3);
    drover_metric_add(&rig.worker, 1, -5);
    drover_metric_set(&other, 1, -1);
    struct sums sums = sum(&rig);
    static const int64_t wanted[] = {2, 5, 1, 11, -3};
    cr_assert_eq(sums.count, LENGTH(wanted));
    for (size_t i = 0; i < LENGTH(wanted); i++)
        cr_expect_eq(sums.values[i], wanted[i], "%s: %lld", sums.names[i],
                     (long long)sums.values[i]);
    cr_expect_str_eq(sums.names[3], "test_total");
    board_leave(other.row, metrics);
    sums = sum(&rig);
    cr_expect_eq(sums.values[3], 11, "a counter outlives its worker");
    cr_expect_eq(sums.values[4], -2, "a gauge does not");
    close_rig(&rig);
}

Test(services, metrics_that_are_not_there)
{
    struct rig rig;
    open_rig(&rig);
    static const unsigned indexes[] = {
        2, 3, DROVER_METRICS_MAX - 1, DROVER_METRICS_MAX, 1000, (unsigned)-1};
    struct board_row before = *rig.worker.row, after_row = rig.board->rows[4];
    for (size_t i = 0; i < LENGTH(indexes); i++) {
        drover_metric_add(&rig.worker, indexes[i], 1);
        drover_metric_set(&rig.worker, indexes[i], 1);
    }
    cr_expect_eq(memcmp(&before, rig.worker.row, sizeof before), 0);
    cr_expect_eq(memcmp(&after_row, &rig.board->rows[4], sizeof after_row), 0);
    rig.app.metrics = NULL;
    rig.worker.metrics = NULL;
    drover_metric_add(&rig.worker, 0, 1);
    cr_expect_eq(memcmp(&before, rig.worker.row, sizeof before), 0);
    cr_expect_eq(sum(&rig).count, 3);
    close_rig(&rig);
}

/* As many as there is room for, in a list that says more. */
Test(services, as_many_metrics_as_allowed)
{
    static struct drover_metric many[DROVER_METRICS_MAX + 2];
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i <= DROVER_METRICS_MAX; i++)
        many[i] = (struct drover_metric){"many", DROVER_COUNTER, ""};
    rig.app.metrics = many;
    struct board_row next = rig.board->rows[4];
    drover_metric_add(&rig.worker, DROVER_METRICS_MAX - 1, 3);
    drover_metric_add(&rig.worker, DROVER_METRICS_MAX, 3);
    cr_expect_eq(rig.worker.row->of_app[DROVER_METRICS_MAX - 1], 3);
    cr_expect_eq(memcmp(&next, &rig.board->rows[4], sizeof next), 0);
    close_rig(&rig);
}
