#include "worker/tenure.h"

#include <unistd.h>

#include "base/log.h"
#include "worker/orders.h"

/* Its table was parted from the standby's: these are copies of its own, and mean nothing here. */
static void close_standby(struct worker *w)
{
    close(w->job->standby);
    w->job->standby = -1;
    if (w->spare >= 0)
        close(w->spare);
    w->spare = -1;
}

/* The successor has all that was at rest. What was in the middle of something is still this one's,
 * which serves it as any worker does that leaves. */
static bool be_superseded(struct worker *w)
{
    int gone = conns_forget_taken(&w->conns);
    w->desk = NULL;
    if (conn_env_put_desk(&w->env, NULL, NULL) < 0) {
        log_warn("cannot go on");
        return false;
    }
    close_standby(w);
    log_info("was superseded; %d connections are its successor's, %d its own", gone,
             w->conns.count);
    self_report(w, REPORT_BACK, w->conns.count, "");
    orders_read(w); /* to leave, most likely: nobody is to be accepted here before */
    return true;
}

void tenure_begin(struct worker *w)
{
    w->desk = &w->job->desks->of[w->job->row - w->job->board->rows];
    w->round = desk_round(w->desk);
}

bool tenure_heed(struct worker *w)
{
    if (!desk_settle(w->desk))
        return be_superseded(w);
    w->round = desk_round(w->desk);
    self_report(w, REPORT_BACK, w->conns.count, ""); /* with all that it had */
    return true;
}
