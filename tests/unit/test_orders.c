#include "worker/orders.h"

#include <unistd.h>

#include "base/clock.h"
#include "os/pass.h"
#include "support.h"
#include "worker/self.h"

#define NOW   100000
#define DRAIN 5000

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    drover_response_body(response, "x", 1);
}

static const struct drover_app app = {.name = "test", .handle = handle, .when = DROVER_AT_HEAD};
static struct site_app site = {.app = &app};
static const struct sites sites = {.count = 1, .apps = &site};

static struct doors doors;
static struct worker_job job;
static struct worker *w;
static int master;

static void setup(void)
{
    int channel[2];
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    cr_assert_eq(pass_pair(channel), 0);
    master = channel[0];
    doors_init(&doors);
    job = (struct worker_job){.channel = channel[1],
                              .board = board,
                              .row = &board->rows[0],
                              .doors = &doors,
                              .drain_timeout = DRAIN};
    w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    w->job = &job;
    w->loop = loop_open();
    cr_assert_eq(conn_env_open(&w->env, &app, NULL, job.row), 0);
    w->env.exchanges.sites = &sites;
    w->env.now = NOW;
    cr_assert_eq(conns_open(&w->conns, w->loop, &w->env, 0, NULL, NULL), 0);
    acceptor_init(&w->acceptor, w->loop, &doors, 10, NULL, NULL);
    inbox_init(&w->inbox, w->loop, &doors, NULL, NULL, NULL);
}

static void teardown(void)
{
    acceptor_free(&w->acceptor);
    conns_close(&w->conns);
    conn_env_free(&w->env);
    loop_close(w->loop);
    free(w);
    close(master);
    close(job.channel);
    board_close(job.board);
}

TestSuite(orders, .init = setup, .fini = teardown);

static void tell(enum order_kind kind, bool is_unhurried, int64_t now)
{
    const struct order order = {.kind = kind, .is_unhurried = is_unhurried};
    w->env.now = now;
    cr_assert_eq(pass_send(master, &order, sizeof order, NULL, 0), 0);
    orders_read(w);
    cr_assert(w->is_leaving);
}

Test(orders, one_that_leaves_has_the_drains_time)
{
    tell(ORDER_LEAVE, false, NOW);
    cr_expect_eq(w->leave_by, NOW + DRAIN);
    cr_expect_not(w->acceptor.is_open);
    tell(ORDER_LEAVE, false, NOW + 100);
    cr_expect_eq(w->leave_by, NOW + DRAIN, "told again, it has no more");
    tell(ORDER_STOP, false, NOW + 200);
    cr_expect_eq(w->leave_by, NOW + DRAIN);
    cr_expect(w->is_stopping);
}

Test(orders, one_that_is_unhurried_has_as_long_as_it_takes)
{
    tell(ORDER_LEAVE, true, NOW);
    cr_expect_eq(w->leave_by, CLOCK_NEVER);
    cr_expect_not(w->acceptor.is_open);
    tell(ORDER_LEAVE, true, NOW + 100);
    cr_expect_eq(w->leave_by, CLOCK_NEVER, "other heirs");
    tell(ORDER_LEAVE, false, NOW + 200);
    cr_expect_eq(w->leave_by, NOW + 200 + DRAIN);
    tell(ORDER_LEAVE, true, NOW + 300);
    cr_expect_eq(w->leave_by, NOW + 200 + DRAIN, "that stays");
}

Test(orders, a_stop_hurries_it)
{
    tell(ORDER_LEAVE, true, NOW);
    tell(ORDER_STOP, false, NOW + 200);
    cr_expect_eq(w->leave_by, NOW + 200 + DRAIN);
}

Test(orders, without_a_drain_timeout_nothing_does)
{
    job.drain_timeout = 0;
    tell(ORDER_LEAVE, true, NOW);
    tell(ORDER_LEAVE, false, NOW + 100);
    tell(ORDER_STOP, false, NOW + 200);
    cr_expect_eq(w->leave_by, CLOCK_NEVER);
}

Test(orders, the_end_of_the_channel)
{
    close(master);
    master = dup(job.channel);
    orders_read(w);
    cr_expect(w->is_orphan);
}
