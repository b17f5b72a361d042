#include "cli/top_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Milliseconds between two searches. */
#define SEARCH_MS 1000

/* A master looks at its board once in 1,100 ms: one that has not for so long is gone, or hangs. */
#define SILENT_MS 3000

int server_open(struct server *server, const struct request *request)
{
    *server = (struct server){.request = *request, .search = {.fd = -1, .given = -1}};
    return look_open(request, &server->board);
}

void server_close(struct server *server)
{
    errand_stop(&server->search);
    board_unmap(server->board);
    server->board = NULL;
}

static int search(const void *context, int *give)
{
    return look_fd(context, give);
}

static bool is_gone(const struct snapshot *snapshot)
{
    return snapshot->phase == BOARD_LEFT || (kill((pid_t)snapshot->pid, 0) < 0 && errno == ESRCH);
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

void server_look(struct server *server, int64_t now, struct snapshot *snapshot)
{
    snapshot_take(snapshot, server->board);
    server->is_gone = is_gone(snapshot);
    if (*server->absence)
        bury(snapshot);
    if (!server->is_gone && snapshot->looked_ms_ago <= SILENT_MS)
        *server->absence = '\0';
    else if (server->search.pid == 0 && now >= server->search_at) {
        server->search_at = now + SEARCH_MS;
        errand_begin(&server->search, search, &server->request);
    }
}

static void note_absence(struct server *server)
{
    const char *words = server->search.words;
    size_t program = strlen(server->request.program);
    if (strncmp(words, server->request.program, program) == 0)
        words += program + strspn(words + program, ": ");
    if (server->search.status == EX_UNAVAILABLE || !*words)
        words = "waiting for a server";
    bool has_left = board_get(&server->board->phase) == BOARD_LEFT;
    snprintf(server->absence, sizeof server->absence, "pid %d has %s: %.*s",
             (int)board_get(&server->board->pid), has_left ? "left" : "ended",
             (int)strcspn(words, "\n"), words);
}

/* The same one is found where it is only slow. */
static bool is_same(const struct board *one, const struct board *other)
{
    return one->pid == other->pid && one->begun_ms == other->begun_ms;
}

static bool replace(struct server *server, const struct board *board)
{
    bool same = is_same(board, server->board);
    board_unmap(same ? board : server->board);
    if (!same)
        server->board = board;
    return !same;
}

bool server_found(struct server *server)
{
    const struct board *board = NULL;
    if (!errand_turn(&server->search))
        return false;
    if (server->search.given >= 0) {
        board = board_map(server->search.given);
        close(server->search.given);
        server->search.given = -1;
        if (!board)
            snprintf(server->search.words, sizeof server->search.words,
                     "the one that is there now is of another version; leave, and look with its "
                     "own drover top");
    }
    if (!board) {
        if (server->is_gone) /* one that is stopped, and cannot be found, is still there */
            note_absence(server);
        return false;
    }
    *server->absence = '\0';
    return replace(server, board);
}
