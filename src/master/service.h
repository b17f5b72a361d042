/*
 * service - what the service manager is told, and when, as sd_notify(3) has it: READY=1 once every
 * worker accepts, STATUS=, RELOADING=1 and READY=1 around a reload, STOPPING=1, WATCHDOG=1 for as
 * long as enough workers make progress, and at an upgrade MAINPID=.
 *
 * Nothing of it waits, and nothing of it ends the master: what finds no room in the manager's queue
 * is sent again, in its order. Without a manager ($NOTIFY_SOCKET) all of it does nothing.
 *
 * STATUS= is one line, renewed once a second at most and only when it has changed, in turns that
 * the master's loop makes anyhow; a server that drains makes one a second for it. What tells a
 * state carries the line, too, whenever that is.
 *
 * At an upgrade only the main process is believed (NotifyAccess=main). The old master says who that
 * is from now on, and says and ends nothing before the manager has read it (BARRIER=1); then it
 * releases the new one, which says READY=1. It has written the pid file by then.
 *
 * What an operator sets: TimeoutStartSec= above the time in which the application gets ready, since
 * READY=1 waits for every worker, however often it is started anew, and no more time is asked for
 * (EXTEND_TIMEOUT_USEC); a reload has as long. TimeoutStopSec= above --lame-duck and
 * --drain-timeout together, and DRAIN_GRACE_MS. WatchdogSec= above --hang-timeout, so that a worker
 * which hangs is replaced before all of the server is, and above twice what the application's
 * before_fork takes at a reload, since the master does nothing else meanwhile.
 */
#ifndef DROVER_MASTER_SERVICE_H
#define DROVER_MASTER_SERVICE_H

#include "master/state.h"

/* Nothing was told. */
void service_init(struct service *service);

/* The server starts: m->notify is open, or there is no manager. */
void service_open(struct master *m);

/* A start that fails, for this reason, one line or more: that is the last that STATUS= says. Opens
 * what it needs. `m` is NULL before there is a master. Nothing in a new master of an upgrade: the
 * old one tells. */
void service_failed(struct master *m, const char *why);

/* The same for a reason of one line, which the log has, too. Returns the status. */
int service_failx(struct master *m, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Every worker accepts. In a new master it is told when the old one has released it. */
void service_ready(struct master *m);

/* The begin and the end of what was asked: see outcome.h. */
void service_begin(struct master *m, enum outcome_kind kind);
void service_end(struct master *m, enum outcome_kind kind, int status, const char *words);

/* The new master serves: calls upgrade_release() once the manager knows it, SERVICE_BARRIER_MS from
 * now at the latest; at once without one. */
void service_hand_over(struct master *m);

/* Is that still to come? Then this process must not end. */
bool service_is_awaited(const struct master *m);

/* To be called every turn, and when the next is to be at the latest (CLOCK_NEVER). */
void service_tick(struct master *m);
int64_t service_next(const struct master *m);

#endif
