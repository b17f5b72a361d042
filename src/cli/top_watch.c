#include "cli/top_watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/proc.h"

int watch_open(struct watch *watch, const struct request *request)
{
    *watch = (struct watch){.request = *request, .search = {.fd = -1, .given = -1}};
    return look_open(request, &watch->board);
}

void watch_close(struct watch *watch)
{
    errand_stop(&watch->search);
    board_unmap(watch->board);
    watch->board = NULL;
}

static int search(const void *context, int *give)
{
    return look_fd(context, give);
}

/* Ended, and not yet waited for by its parent. */
static bool is_zombie(pid_t pid)
{
    char stat[256];
    const char *end = proc_file(pid, "stat", stat, sizeof stat) == 0 ? strrchr(stat, ')') : NULL;
    return end && (strncmp(end, ") Z", 3) == 0 || strncmp(end, ") X", 3) == 0);
}

static bool is_gone(const struct snapshot *snapshot)
{
    pid_t pid = (pid_t)snapshot->pid;
    return snapshot->phase == BOARD_LEFT || (kill(pid, 0) < 0 && errno == ESRCH) || is_zombie(pid);
}

/* A server that has no processes any more has its board's last state for ever. */
static void bury(struct snapshot *snapshot)
{
    snapshot->worker_count = snapshot->ready_count = snapshot->stalled_count = 0;
    snapshot->slot_count = 0;
    snapshot->queued = snapshot->sum.row.connections = 0;
    for (int i = 0; i < SNAPSHOT_RATES; i++)
        snapshot->rates[i].is_known = false;
}

void watch_look(struct watch *watch, int64_t now, struct snapshot *snapshot)
{
    snapshot_take(snapshot, watch->board);
    watch->is_gone = is_gone(snapshot);
    if (*watch->absence)
        bury(snapshot);
    if (!watch->is_gone && snapshot->looked_ms_ago <= TOP_SILENT_MS)
        *watch->absence = '\0';
    else if (watch->search.pid == 0 && now >= watch->search_at) {
        watch->search_at = now + TOP_SEARCH_MS;
        errand_begin(&watch->search, search, &watch->request);
    }
}

static void note_absence(struct watch *watch)
{
    const char *words = watch->search.words;
    size_t program = strlen(watch->request.program);
    if (strncmp(words, watch->request.program, program) == 0)
        words += program + strspn(words + program, ": ");
    if (watch->search.status == EX_UNAVAILABLE || !*words)
        words = "waiting for a server";
    bool has_left = board_get(&watch->board->phase) == BOARD_LEFT;
    snprintf(watch->absence, sizeof watch->absence, "pid %d has %s: %.*s",
             (int)board_get(&watch->board->pid), has_left ? "left" : "ended",
             (int)strcspn(words, "\n"), words);
}

/* The same one is found where it is only slow. */
static bool is_same(const struct board *one, const struct board *other)
{
    return one->pid == other->pid && one->begun_ms == other->begun_ms;
}

static bool replace(struct watch *watch, const struct board *board)
{
    bool same = is_same(board, watch->board);
    board_unmap(same ? board : watch->board);
    if (!same)
        watch->board = board;
    return !same;
}

bool watch_found(struct watch *watch)
{
    const struct board *board = NULL;
    if (!errand_turn(&watch->search))
        return false;
    if (watch->search.given >= 0) {
        board = board_map(watch->search.given);
        close(watch->search.given);
        watch->search.given = -1;
        if (!board)
            snprintf(watch->search.words, sizeof watch->search.words,
                     "the one that is there now is of another version; leave, and look with its "
                     "own drover top");
    }
    if (!board) {
        if (watch->is_gone) /* one that is stopped, and cannot be found, is still there */
            note_absence(watch);
        return false;
    }
    *watch->absence = '\0';
    watch->search_at = 0; /* should that one go, it is missed at once */
    return replace(watch, board);
}
