#include "worker/orders.h"

#include <errno.h>

#include "base/clock.h"
#include "os/pass.h"
#include "worker/logging.h"
#include "worker/self.h"

/* ----------------------------------------------------------------------------- the leaving */

/* What runs has so long, from now on or from before. */
static void limit_drain(struct worker *w, const struct order *order)
{
    if (w->leave_by == CLOCK_NEVER && w->job->drain_timeout && !order->is_unhurried)
        w->leave_by = w->env.now + w->job->drain_timeout;
}

static void begin_to_leave(struct worker *w, const struct order *order)
{
    conn_before_call(&w->env);
    w->is_leaving = true;
    w->env.leaving = true;
    conns_leave(&w->conns);
    sites_leave(&w->env.exchanges);
    w->leave_by = CLOCK_NEVER;
    limit_drain(w, order);
}

/* Others accept for its slots, and go on with its connections where they can. It may be told so
 * again when the heirs are others. */
static void leave(struct worker *w, const struct order *order)
{
    if (w->is_stopping)
        return;
    conns_give(&w->conns, w->job->doors, &order->heirs, w->job->slot);
    if (w->is_leaving) {
        limit_drain(w, order);
        return;
    }
    begin_to_leave(w, order);
    inbox_leave(&w->inbox);
    if (order->closing)
        acceptor_shut(&w->acceptor, order->closing, order->kept, order->is_filtered);
    else
        acceptor_leave(&w->acceptor);
}

/* Nobody does. What others have handed over by now is served to its end here. */
static void stop(struct worker *w, const struct order *order)
{
    if (w->is_stopping)
        return;
    w->is_stopping = true;
    conns_keep(&w->conns);
    if (w->is_leaving) {
        limit_drain(w, order);
        return;
    }
    begin_to_leave(w, order);
    inbox_read(&w->inbox);
    acceptor_shut(&w->acceptor, EVERY_ADDRESS, order->kept, order->is_filtered);
}

/* --------------------------------------------------------------- what it is told to be done */

void orders_adopt(struct worker *w, int slot)
{
    slot_set_add(&w->slots, slot);
    if (w->is_held)
        return;
    acceptor_add(&w->acceptor, slot);
    inbox_add(&w->inbox, slot);
}

static void release(struct worker *w, int slot)
{
    slot_set_remove(&w->slots, slot);
    acceptor_remove(&w->acceptor, slot);
    inbox_remove(&w->inbox, slot);
}

void orders_rearm(struct worker *w)
{
    if (!w->is_held)
        acceptor_rearm(&w->acceptor);
}

static void begin(struct worker *w)
{
    w->is_held = false;
    for (int slot = 0; slot < w->job->doors->slot_count && !w->is_leaving; slot++)
        if (slot_set_has(&w->slots, slot))
            orders_adopt(w, slot);
    if (!w->is_leaving)
        orders_rearm(w);
}

static void obey(struct worker *w, const struct order *order, const int *fds, size_t fd_count)
{
    switch (order->kind) {
    case ORDER_ADOPT: orders_adopt(w, order->slot); break;
    case ORDER_RELEASE: release(w, order->slot); break;
    case ORDER_DOORS: doors_learn(w->job->doors, order->slot, fds, fd_count); break;
    case ORDER_REARM: orders_rearm(w); break;
    case ORDER_BEGIN: begin(w); break;
    case ORDER_LOGS:
        logging_change(&w->env, w->job, order, fds, fd_count);
        self_report(w, REPORT_LOGS, order->number, "");
        break;
    case ORDER_ALONE: w->env.is_twinned = false; break;
    case ORDER_LEAVE: leave(w, order); break;
    case ORDER_STOP: stop(w, order); break;
    }
}

void orders_read(struct worker *w)
{
    struct order order;
    int fds[PASS_FDS_MAX];
    for (;;) {
        size_t fd_count = PASS_FDS_MAX;
        ssize_t n = pass_receive(w->job->channel, &order, sizeof order, fds, &fd_count);
        if (n == (ssize_t)sizeof order && order.slot >= 0 && order.slot < SLOTS_MAX) {
            obey(w, &order, fds, fd_count);
            continue;
        }
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
            w->is_orphan = true; /* the master would not close it while it lives */
            return;
        }
        if (n < 0 && errno != EMSGSIZE)
            return; /* there is no more, or no memory for it now */
        /* It could not serve that slot if it had to adopt it. */
        self_report(w, REPORT_LEAVING, 0, "has no descriptors left for a new slot's sockets");
    }
}

void orders_hear(struct worker *w)
{
    if (w->seat && board_get(&w->seat->is_leaving) && !w->is_leaving)
        orders_read(w);
}
