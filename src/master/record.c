#include "master/record.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/announce.h"
#include "master/crew.h"
#include "master/upgrade.h"

/* ------------------------------------------------------------------------------- the events */

static void witness(void *context, enum log_level level, const char *words)
{
    struct board *board = context;
    board_tell(board, clock_date_ms(), level, words);
}

/* -------------------------------------------------------------------- what the server is */

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

void record_open(struct master *m)
{
    struct board *board = m->board;
    board->row_count = 0;
    board->pid = (uint64_t)m->pid;
    board->date = clock_date_ms();
    board->begun_ms = board->looked_ms = clock_ms();
    copy_text(board->version, sizeof board->version, DROVER_VERSION);
    log_set_witness(witness, board);
}

void record_leave(struct master *m)
{
    log_set_witness(NULL, NULL);
    if (m->board_fd >= 0)
        close(m->board_fd);
    m->board_fd = -1;
}

static void copy_metrics(struct board *board, const struct drover_metric *metrics)
{
    memset(board->metric_names, 0, sizeof board->metric_names);
    for (int i = 0; metrics && i < DROVER_METRICS_MAX && metrics[i].name; i++) {
        copy_text(board->metric_names[i], sizeof board->metric_names[i], metrics[i].name);
        copy_text(board->metric_helps[i], sizeof board->metric_helps[i], metrics[i].help);
        board_set(&board->metric_is_gauge[i], metrics[i].type == DROVER_GAUGE);
    }
}

/* What a reload may change. */
static void copy_configuration(struct board *board, const struct generation *g)
{
    char root[PATH_MAX];
    const char *at = g->settings->root ? realpath(g->settings->root, root) : "";
    copy_text(board->app, sizeof board->app, g->app->name);
    copy_text(board->root, sizeof board->root, at ? at : g->settings->root);
    announce_what(g, board->serves, sizeof board->serves);
    announce_places(g, " ", board->addresses, sizeof board->addresses);
    copy_metrics(board, g->configuration->sites->metrics);
}

/* ------------------------------------------------------------------------- how things are */

static enum board_phase phase_of(const struct master *m)
{
    if (m->is_handed_over)
        return BOARD_LEFT;
    if (m->is_stopping)
        return BOARD_STOPPING;
    if (m->stop_at != CLOCK_NEVER)
        return BOARD_LAME;
    return m->is_announced ? BOARD_SERVING : BOARD_STARTING;
}

static void copy_slots(struct board *board, const struct plan *plan)
{
    for (int i = 0; i < plan->slot_count; i++) {
        const struct plan_slot *from = &plan->slots[i];
        struct board_slot *to = &board->slots[i];
        board_set(&to->state, from->state);
        board_set(&to->adopter, (uint64_t)from->adopter + 1);
        board_set(&to->is_away, from->is_away);
    }
    board_set(&board->slot_count, (uint64_t)plan->slot_count);
}

static void copy_worker(struct board *board, const struct child *child)
{
    struct board_worker *to = &board->workers_of[child->row];
    board_set(&to->slot, (uint64_t)child->slot);
    board_set(&to->generation, child->generation->number);
    board_set(&to->is_ready, child->is_ready);
    board_set(&to->is_leaving, child->is_leaving);
    board_set(&to->is_stalled, child->is_stopped || child->is_hung);
    board_set(&to->begun_ms, (uint64_t)child->begun);
    board_set(&to->standby, (uint64_t)child->standby.pid);
    __atomic_store_n(&to->pid, (uint64_t)child->pid, __ATOMIC_RELEASE);
}

static void take_sample(struct master *m)
{
    struct board *board = m->board;
    struct board_row sum = board_sum(board);
    struct board_sample *to = &board->samples[board->sample_count % BOARD_SAMPLES];
    board_set(&to->accepted, sum.accepted);
    board_set(&to->requests, sum.requests);
    board_set(&to->wakeups, sum.wakeups);
    board_set(&to->bytes, sum.bytes);
    __atomic_store_n(&to->at_ms, m->now, __ATOMIC_RELAXED);
    __atomic_store_n(&board->sample_count, board->sample_count + 1, __ATOMIC_RELEASE);
    m->record.sample_at = m->now + RECORD_SAMPLE_MS;
}

void record_tick(struct master *m)
{
    struct board *board = m->board;
    const struct generation *g = m->present;
    if (m->record.generation != g->number)
        copy_configuration(board, g);
    m->record.generation = g->number;
    board_set(&board->generation, g->number);
    board_set(&board->phase, phase_of(m));
    board_set(&board->is_reloading, m->coming || m->is_under_way[OUTCOME_RELOAD]);
    board_set(&board->is_upgrading, upgrade_is_under_way(m));
    board_set(&board->workers, (uint64_t)crew_size(g));
    board_set(&board->has_standbys, g->settings->standby);
    copy_slots(board, &g->plan);
    for (size_t i = 0; i < m->children.count; i++)
        copy_worker(board, &m->children.list[i]);
    if (m->now >= m->record.sample_at)
        take_sample(m);
    __atomic_store_n(&board->looked_ms, m->now, __ATOMIC_RELAXED);
}

int64_t record_next(const struct master *m)
{
    return m->is_stopping || m->is_handed_over ? m->record.sample_at : CLOCK_NEVER;
}

/* ------------------------------------------------------------------------------ the moments */

/* It was killed for its cause. One that is superseded since it hangs is not, before its time is up.
 */
static bool was_ended(const struct child *child)
{
    switch (child->cause) {
    case BOARD_END_HUNG: return !child->is_superseded || child->is_aborted;
    case BOARD_END_START:
    case BOARD_END_LATE: return true;
    default: return false;
    }
}

enum board_end record_cause(const struct child *child, int status)
{
    bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (was_ended(child))
        return child->cause;
    if (child->is_leaving && (is_clean || child->is_killed))
        return child->cause;
    if (!child->is_leaving && !child->is_ready)
        return BOARD_END_START;
    return WIFSIGNALED(status) ? BOARD_END_SIGNAL : BOARD_END_EXIT;
}

bool record_is_crash(const struct child *child, int status)
{
    return child->is_ready && (!child->is_leaving || child->is_superseded) &&
           record_cause(child, status) == BOARD_END_SIGNAL;
}

static uint64_t in_us(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void record_end(struct master *m, const struct child *child, int status, const struct rusage *used)
{
    struct board *board = m->board;
    board_add(&board->ended[record_cause(child, status)], 1);
    if (!child->is_leaving || record_is_crash(child, status))
        board_add(&board->slots[child->slot].ends, 1);
    board_add(&board->ended_cpu_us, (int64_t)(in_us(&used->ru_utime) + in_us(&used->ru_stime)));
    board_add(&board->ended_voluntary, used->ru_nvcsw);
    board_add(&board->ended_involuntary, used->ru_nivcsw);
    board_set(&board->workers_of[child->row].pid, 0);
}

void record_outcome(struct master *m, enum outcome_kind kind, int status)
{
    if (kind == OUTCOME_RELOAD)
        board_add(status ? &m->board->reload_failures : &m->board->reloads, 1);
    record_tick(m); /* who has asked for it may look at once */
}

/* In its slot's part a reader finds the newest alone; the rows are the master's own. */
void record_crash(struct master *m, int slot, const char *request)
{
    char text[512];
    struct board_slot *to = &m->board->slots[slot];
    bool is_told = crashes_note(&m->crashes, slot, m->now, request, text, sizeof text);
    board_set(&to->crashes, crashes_count(&m->crashes, slot));
    copy_text(to->crashed_request, sizeof to->crashed_request, request);
    __atomic_store_n(&to->crashed_ms, m->now, __ATOMIC_RELAXED);
    if (is_told)
        log_warnx("slot %d: %s", slot, text);
}

void record_succession(struct master *m, bool is_hang)
{
    enum board_succession how = is_hang ? BOARD_SUCCESSION_HANG : BOARD_SUCCESSION_END;
    board_add(&m->board->successions[how], 1);
}

void record_kept(struct master *m, int count)
{
    board_add(&m->board->kept_connections, count);
}

static unsigned depth_of(uint64_t queued)
{
    unsigned depth = queued ? 64 - (unsigned)__builtin_clzll(queued) : 0;
    return depth < BOARD_DEPTHS ? depth : BOARD_DEPTHS - 1;
}

void record_queue(struct master *m, int slot, uint64_t queued, uint64_t drops)
{
    struct board_slot *to = &m->board->slots[slot];
    board_set(&to->queued, queued);
    board_set(&to->drops, drops);
    board_add(&to->depths[depth_of(queued)], 1);
    board_add(&to->depth_sum, (int64_t)queued);
}
