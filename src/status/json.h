/*
 * json - a snapshot as one JSON object: what `drover status --json` prints, and the admin process
 * serves at /status.json.
 *
 * Names are in snake case and carry their unit; a count is of the server's life. What is not known
 * is null. Members may be added; none is renamed or changes its meaning.
 *
 *   date, uptime_seconds, version, pid, phase, is_ready, is_stopped, is_reloading, is_upgrading,
 *   generation, reloads, reload_failures, looked_seconds_ago, app, root, addresses [..], admin
 *   serves: what, in words: the root or the application, and how many sites
 *   troubles [..]: what is wrong, in words; empty for a server that is well
 *   workers_wanted, workers_ready, workers_stalled, slot_count
 *   totals: connections_open, connections_accepted, requests, wakeups, wasted_wakeups, bytes_sent,
 *      connections_taken, log_lines_lost, answers {1xx..5xx}, request_time_us, cpu_us,
 *      context_switches_voluntary, context_switches_involuntary, rss_bytes
 *   wakeups_per_connection, jain_index
 *   rates: 1s, 10s, 60s: null, or requests, connections, wakeups, bytes a second
 *   latency_us: p50, p90, p99, p999, null without a request
 *   request_times_us [[from, below, count], ..]: requests by time, where there were any; the
 *      longest are below null
 *   ended: workers by cause: exited, crashed, hung, failed, recycled, asked, replaced, surplus,
 *      late, stopped
 *   standbys: is_on, asleep, successions {end, hang}: successors that standbys have made, by what
 *      befell the worker; connections_kept, by these
 *   queue: length, drops, depths [{at_least, seen}]
 *   workers [..]: slot, pid, standby (pid, or null), generation, is_ready, is_leaving, is_stalled,
 * is_stopped, is_paused, age_seconds, busy_ms; the totals' members of its row, and of its process
 *   slots [..]: slot, state, is_served, adopter, is_steered_around, worker (pid), queued, drops,
 *      ends, crashes_in_a_row: 0, or workers that signals have ended, the last not long ago, while
 *      it was at crashed_request
 *   metrics: the application's, by name
 *   events [..]: number, date, level, text; the oldest first
 */
#ifndef DROVER_STATUS_JSON_H
#define DROVER_STATUS_JSON_H

#include "base/buf.h"
#include "status/snapshot.h"

/* Appends it, in one line, without its end. Valid whatever bytes are in a name. */
void status_json(struct buf *to, const struct snapshot *snapshot);

#endif
