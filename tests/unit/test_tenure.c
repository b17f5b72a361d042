#include "worker/tenure.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/pass.h"
#include "support.h"

/* A worker with what it needs for that alone, its master, and clients. */
#define CLIENTS 3

static struct desks desks;
static struct worker_job job;
static struct worker *w;
static int master;
static int sockets[CLIENTS], clients[CLIENTS];
static int ended;

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    drover_response_body(response, "x", 1);
}

static const struct drover_app app = {.name = "test", .handle = handle, .when = DROVER_AT_HEAD};

static void on_end(void *context)
{
    (void)context;
    ended++;
}

static void setup(void)
{
    int channel[2], standby[2];
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    cr_assert_eq(desks_open(&desks, false), 0);
    cr_assert_eq(pass_pair(channel), 0);
    cr_assert_eq(pass_pair(standby), 0);
    close(standby[0]);
    master = channel[0];
    job = (struct worker_job){.channel = channel[1],
                              .board = board,
                              .row = &board->rows[5],
                              .desks = &desks,
                              .standby = standby[1]};
    w = calloc(1, sizeof *w);
    cr_assert_not_null(w);
    w->job = &job;
    w->spare = dup(standby[1]);
    w->loop = loop_open();
    desk_clear(&desks.of[5]);
    tenure_begin(w);
    cr_assert_eq(conn_env_open(&w->env, &app, NULL, job.row), 0);
    cr_assert_eq(conn_env_put_desk(&w->env, w->desk, NULL), 0);
    cr_assert_eq(conns_open(&w->conns, w->loop, &w->env, 0, on_end, NULL), 0);
}

static void teardown(void)
{
    conns_end_all(&w->conns);
    conns_close(&w->conns);
    conn_env_free(&w->env);
    loop_close(w->loop);
    free(w);
    close(master);
    close(job.channel);
    desks_close(&desks);
    board_close(job.board);
}

TestSuite(tenure, .init = setup, .fini = teardown);

static void connect_all(void)
{
    for (int i = 0; i < CLIENTS; i++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        sockets[i] = ends[0];
        clients[i] = ends[1];
        conns_start(&w->conns, ends[0], false);
    }
}

static void pass(enum tenure to)
{
    cr_assert(desk_step(w->desk, TENURE_OWN, TENURE_PASSING));
    desk_take(w->desk);
    cr_assert(desk_step(w->desk, TENURE_PASSING, to));
}

/* The one report that the master has; -1: none. */
static int heard(void)
{
    struct report report;
    if (pass_receive(master, &report, sizeof report, NULL, NULL) < 0)
        return -1;
    cr_expect_eq(report.kind, REPORT_BACK);
    cr_expect_lt(pass_receive(master, &(struct report){0}, sizeof report, NULL, NULL), 0, "once");
    return report.count;
}

Test(tenure, nothing_has_happened)
{
    connect_all();
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), -1);
    cr_expect_eq(w->conns.count, CLIENTS);
}

Test(tenure, without_a_standby_there_is_none)
{
    w->desk = NULL;
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), -1);
}

Test(tenure, what_was_given_back_is_told)
{
    connect_all();
    pass(TENURE_RETURNED);
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), CLIENTS);
    cr_expect_eq(desk_tenure(w->desk), TENURE_OWN);
    cr_expect_eq(desk_taken(w->desk, sockets[0]), CUSTODY_NONE);
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), -1);
}

/* A claim in the midst of the turn waits for the same. */
Test(tenure, what_was_settled_before_is_told)
{
    connect_all();
    pass(TENURE_RETURNED);
    cr_expect(desk_claim(w->desk, sockets[0]));
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), CLIENTS);
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), -1);
}

Test(tenure, a_superseded_worker_keeps_what_it_is_at)
{
    const struct order order = {.kind = ORDER_ALONE};
    int standby = job.standby, spare = w->spare;
    connect_all();
    cr_assert(desk_claim(w->desk, sockets[1]));
    pass(TENURE_PASSED);
    w->env.is_twinned = true;
    cr_assert_eq(pass_send(master, &order, sizeof order, NULL, 0), 0);
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), 1);
    cr_expect_eq(w->conns.count, 1);
    cr_expect_eq(ended, CLIENTS - 1);
    cr_expect_geq(fcntl(sockets[1], F_GETFD), 0);
    cr_expect_lt(fcntl(sockets[0], F_GETFD), 0, "its copy is closed");
    cr_expect_lt(fcntl(standby, F_GETFD), 0);
    cr_expect_lt(fcntl(spare, F_GETFD), 0);
    cr_expect_null(w->desk);
    cr_expect_null(w->env.desk);
    cr_expect_not(w->env.is_twinned, "what it was told meanwhile is read at once");
    cr_expect(tenure_look(w));
    cr_expect_eq(heard(), -1);
}
