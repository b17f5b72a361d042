#include "master/reaper.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/record.h"
#include "master/standbys.h"
#include "master/succession.h"
#include "master/upgrade.h"
#include "os/child.h"

static void describe_succession(const struct plan_slot *slot, int64_t now, bool is_handed_over,
                                char *text, size_t size)
{
    const char *how = is_handed_over ? "hands over what it has; the next one comes" : "goes on";
    if (slot->state == SLOT_WAITING)
        snprintf(text, size, "its standby %s in %lld ms (%d ends in a row)", how,
                 (long long)(slot->deadline - now), slot->ends);
    else
        snprintf(text, size, "its standby goes on");
}

static void describe_return(const struct plan_slot *slot, int64_t now, char *text, size_t size)
{
    if (slot->state == SLOT_RELIEVED || slot->state == SLOT_LIVE)
        snprintf(text, size, "the present one goes on");
    else if (slot->state == SLOT_WAITING)
        snprintf(text, size, "the next one comes in %lld ms (%d ends in a row)",
                 (long long)(slot->deadline - now), slot->ends);
    else if (slot->state == SLOT_REFUSED)
        snprintf(text, size, "it is not tried again until a reload");
    else
        snprintf(text, size, "the next one comes at once");
}

/* It is forgotten before anything is made of its end. */
static struct child forget(struct master *m, struct child *child)
{
    standbys_dismiss(m, child);
    struct child copy = *child;
    board_leave(&m->board->rows[copy.row], copy.generation->configuration->sites->metrics);
    loop_delete(m->loop, copy.channel);
    children_remove(&m->children, child);
    copy.generation->children--;
    return copy;
}

/* Would the next one end the same? With EX_CONFIG, yes. What is not there, or not permitted, may be
 * so later, for which a server that serves waits; one that has just been started does not, since
 * somebody waits to hear of it. */
static bool is_misfit(const struct master *m, int status)
{
    if (!WIFEXITED(status))
        return false;
    switch (WEXITSTATUS(status)) {
    case EX_CONFIG: return true;
    case EX_USAGE:
    case EX_NOINPUT:
    case EX_NOPERM: return !m->is_announced;
    default: return false;
    }
}

/* What a worker was at, and how it ended. */
struct last {
    char request[DESK_LINE_MAX]; /* its first line; "": none */
    char how[64 + DESK_LINE_MAX];
};

static struct last find_last(const struct master *m, const struct child *child, int status)
{
    struct last last = {.request = ""};
    const struct desk *desk = standbys_desk(m, child->row);
    if (desk)
        desk_request(desk, last.request, sizeof last.request);
    child_describe(status, last.how, sizeof last.how);
    size_t n = strlen(last.how);
    if (last.request[0])
        snprintf(last.how + n, sizeof last.how - n, ", in \"%s\"", last.request);
    return last;
}

/* A standby takes the place of one that crashed or was killed, not of one that knows that it is of
 * no use. */
static bool is_to_be_succeeded(const struct master *m, const struct child *child, int status)
{
    bool is_clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return !child->is_heir && !is_clean && !is_misfit(m, status);
}

/* The end of the slot's own worker, or of its successor. */
static void end_of_worker(struct master *m, const struct child *child, int status,
                          bool is_succeeded)
{
    char next[96];
    struct last last = find_last(m, child, status);
    struct generation *g = child->generation;
    bool is_refused = !child->is_heir && is_misfit(m, status);
    int slot = child->slot;
    struct child *heir = children_heir_of_slot(&m->children, g, slot);
    g->plan.healthy = is_succeeded ? STANDBY_HEALTHY_MS : RESPAWN_HEALTHY_MS;
    if (heir && !child->is_heir)
        heir->is_heir = false;
    if (child->is_heir)
        crew_step(m, g, PLAN_HEIR_ENDED, slot);
    else
        crew_step(m, g, is_refused ? PLAN_MISFIT : PLAN_ENDED, slot);
    if (g != m->present)
        crew_wake_others(
            m, child); /* the plan of a coming generation thinks of its own workers alone */
    if (is_succeeded)
        describe_succession(&g->plan.slots[slot], m->now, succession_hand_over(m, child), next,
                            sizeof next);
    else
        describe_return(&g->plan.slots[slot], m->now, next, sizeof next);
    log_warnx("worker %d (pid %d) %s: %s%s%s; %s", slot, (int)child->pid,
              child->is_ready ? "ended" : "did not start", child->why, child->why[0] ? "; " : "",
              last.how, next);
    if (record_is_crash(child, status))
        record_crash(m, slot, last.request);
    if (is_refused)
        m->on_refused(m, child, WEXITSTATUS(status));
}

/* The end of one that was dismissed. */
static void end_of_leaver(struct master *m, const struct child *child, int status,
                          bool is_succeeded)
{
    struct last last = find_last(m, child, status);
    if (child->is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        log_debug("worker %d (pid %d) has left: %s", child->slot, (int)child->pid, last.how);
    else
        log_warnx("worker %d (pid %d) was leaving: %s%s", child->slot, (int)child->pid, last.how,
                  is_succeeded ? "; its standby hands over what it has" : "");
    if (is_succeeded)
        succession_hand_over(m, child);
    if (record_is_crash(child, status)) {
        record_crash(m, child->slot, last.request);
        crew_step(m, child->generation, PLAN_LOST, child->slot);
    }
    if (WIFSIGNALED(status))
        crew_wake_others(m, child); /* it may have ended before it heard that it should leave */
}

static void note_stop(struct master *m, struct child *child, bool is_stopped)
{
    child->is_stopped = is_stopped;
    succession_stopped(m, child);
    if (!is_stopped && !child->is_hung)
        child->pulse = (struct pulse){.still_since = CLOCK_NEVER}; /* that time was not its own */
    if (!child->is_leaving && !child->is_heir && !child->is_hung)
        crew_step(m, child->generation, is_stopped ? PLAN_STALLED : PLAN_RECOVERED, child->slot);
}

static void stopped_or_continued(struct master *m, struct child *child, int status)
{
    char how[64];
    pid_t pid = child->pid;
    child_describe(status, how, sizeof how);
    log_warnx("worker %d (pid %d) was %s", child->slot, (int)pid, how);
    /* Stopped again before its being continued was told, which the kernel then never tells: a
     * wake-up may have been lost with it once more. */
    if (child->is_stopped && WIFSTOPPED(status))
        note_stop(m, child, false);
    child = children_by_pid(&m->children, pid); /* a step may add children */
    note_stop(m, child, WIFSTOPPED(status));
    if (WIFSTOPPED(status))
        succession_supersede(m, pid);
}

static void child_changed(struct master *m, struct child *child, int status,
                          const struct rusage *used)
{
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
        stopped_or_continued(m, child, status);
        return;
    }
    pid_t pid = child->pid;
    record_end(m, child, status, used);
    standbys_doubt(m, child);
    bool is_succeeded = is_to_be_succeeded(m, child, status) && succession_begin(m, child);
    struct child gone = forget(m, children_by_pid(&m->children, pid));
    if (!is_succeeded) /* its successor waits for nothing, and its row stays as it is */
        logs_rescue(m, &gone);
    succession_forget(m, &gone);
    if (gone.is_leaving)
        end_of_leaver(m, &gone, status, is_succeeded);
    else
        end_of_worker(m, &gone, status, is_succeeded);
    if (is_succeeded)
        logs_rescue(m, &gone);
    logs_look(m);
}

/* One that is told of only now, perhaps: it, or who made it, was quicker than its word. */
static struct child *find(struct master *m, pid_t pid)
{
    struct child *child = children_by_pid(&m->children, pid);
    if (child)
        crew_hear(m, child->channel); /* its last words */
    else
        succession_ask(m, pid);
    return children_by_pid(&m->children, pid);
}

/* Until nothing is left: one SIGCHLD may stand for many. As PID 1 others' children come too. */
void reaper_reap(struct master *m)
{
    int status;
    pid_t pid;
    struct rusage used;
    while ((pid = wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, &used)) > 0) {
        if (standbys_reaped(m, pid, status) || admin_reaped(m, pid, status))
            continue;
        struct child *child = find(m, pid);
        if (child)
            child_changed(m, child, status, &used);
        else if (!standbys_reaped(m, pid, status) && (WIFEXITED(status) || WIFSIGNALED(status)))
            upgrade_reaped(m, pid, status);
    }
}
