/*
 * storm - many more clients at once than the backlog holds. Who finds the accept queue full is
 * dropped without a word, and tries again after a second (tcp(7), tcp_syn_retries): late, or lost.
 */
#include <sys/socket.h>

#include "lab/trial/trial.h"

#define CLIENTS       512
#define CLIENTS_QUICK 256

/* Of each listener, unless the settings say otherwise. */
#define BACKLOG 64

/* So that the workers are slower than the clients come. */
#define COST_US 100

/* Who is that late had to try again; the second try comes after 1 s, the third after 2 s. */
#define LATE_US           500000
#define PATIENCE_US       2400000
#define PATIENCE_QUICK_US 1400000

/* Between two looks at the queue: it empties within a few milliseconds. */
#define LOOK_MS 1

struct queue {
    double max;
    uint64_t drops;
};

/* A listener that workers share is there once. */
static unsigned count_doors(const struct trial *trial)
{
    return trial->strategy->doors == DOORS_OWN ? trial->workers : 1;
}

static int set_backlog(struct trial *trial)
{
    for (unsigned i = 0; trial->settings.backlog == 0 && i < count_doors(trial); i++)
        if (listen(trial->arena.doors[i], BACKLOG) < 0)
            return trial_fail(trial, "the backlog cannot be set");
    return 0;
}

/* Returns the drops so far, of all listeners; the longest queue is remembered. */
static uint64_t look(const struct trial *trial, struct queue *queue)
{
    uint64_t drops = 0;
    for (unsigned i = 0; i < count_doors(trial); i++) {
        struct net_queue now;
        if (net_queue(trial->arena.doors[i], &now) < 0)
            continue;
        drops += now.drops;
        if (now.queued > queue->max)
            queue->max = now.queued;
    }
    return drops;
}

static int watch(struct trial *trial, struct client *client, void *context)
{
    struct queue *queue = context;
    uint64_t before = look(trial, queue);
    client_go(client);
    while (!client_is_through(client, LOOK_MS))
        look(trial, queue);
    queue->drops = look(trial, queue) - before;
    return 0;
}

static int run(struct trial *trial)
{
    struct queue queue = {.max = 0};
    struct client_plan plan;
    struct measurement m;
    trial_plan(trial, &plan);
    plan.connections = trial->is_quick ? CLIENTS_QUICK : CLIENTS;
    plan.seats = (unsigned)plan.connections;
    plan.at_once = true;
    plan.cost_us = COST_US;
    plan.late_us = LATE_US;
    plan.patience_us = trial->is_quick ? PATIENCE_QUICK_US : PATIENCE_US;
    if (set_backlog(trial) < 0 || trial_load_while(trial, &plan, watch, &queue, &m) < 0)
        return -1;
    m.queue_max = queue.max;
    m.drops = (double)queue.drops;
    if (trial->settings.backlog == 0)
        m.settings.backlog = BACKLOG;
    trial_emit(trial, &m);
    return 0;
}

const struct workload workload_storm = {
    .name = "storm",
    .teaches = "many more clients at once than the backlog holds: dropped, late by a second, lost",
    .asks = true,
    .min_workers = 1,
    .run = run,
};
