/*
 * board - prints what a running server's board says.
 *
 *   board MASTER
 *
 * MASTER is the pid of the server, whose memory is read; or the path of its control socket, at
 * which it is asked for the board. A line each, of rows that have ever been used, of slots, and of
 * what the server as a whole is:
 *
 *   server pid P phase P generation G reloads R failures F workers W slots S samples N
 *   ended exit N signal N hung N start N spent N asked N reload N scale N late N stop N cpu US
 *   row N accepted A requests R connections C busy MS paused P wakeups W wasted W bytes B taken T
 *         answers N times N time US lost N 1xx N 2xx N 3xx N 4xx N 5xx N
 *   worker ROW pid P slot S generation G ready R leaving L stalled S
 *   slot N queued Q drops D state S adopter A away A ends E depths N
 *   event N LEVEL TEXT
 *
 * busy is 0, or since how many milliseconds the worker's turn lasts. A row is its slot's, as long
 * as no worker of the slot was leaving when the next one started. answers, times and depths are the
 * sums of their parts; adopter is -1 where there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/pass.h"
#include "os/peer.h"
#include "worker/board.h"

/* What is mapped for the board is whole pages. */
static int is_board(unsigned long from, unsigned long to)
{
    return to - from >= sizeof(struct board) && to - from < sizeof(struct board) + 65536;
}

/* Where it is in the master; 0: nowhere. */
static unsigned long find(const char *pid)
{
    char path[64], line[512];
    unsigned long from, to, found = 0;
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return 0;
    while (!found && fgets(line, sizeof line, maps))
        if (strstr(line, " rw-s ") && strstr(line, "/memfd:drover-board") &&
            sscanf(line, "%lx-%lx", &from, &to) == 2 && is_board(from, to))
            found = from;
    fclose(maps);
    return found;
}

static int copy(const char *pid, struct board *board)
{
    char path[64];
    unsigned long at = find(pid);
    if (!at) {
        errno = ENOENT;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/%s/mem", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = pread(fd, board, sizeof *board, (off_t)at);
    close(fd);
    return n == (ssize_t)sizeof *board ? 0 : -1;
}

/* At the control socket. NULL with errno set. */
static const struct board *ask(const char *path)
{
    char answer[64];
    int memory = -1;
    size_t count = 1;
    int fd = peer_connect(path, CONTROL_CONNECT_MS);
    if (fd < 0 || pass_send(fd, "board", strlen("board"), NULL, 0) < 0)
        return NULL;
    ssize_t n = pass_receive(fd, answer, sizeof answer - 1, &memory, &count);
    close(fd);
    if (n <= 0 || count != 1) {
        if (n > 0)
            fprintf(stderr, "board: %.*s\n", (int)n, answer);
        errno = EPROTO;
        return NULL;
    }
    const struct board *board = board_map(memory);
    close(memory);
    return board;
}

static uint64_t sum_of(const uint64_t *numbers, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += board_get(&numbers[i]);
    return sum;
}

static void print(const char *name, uint64_t number)
{
    printf(" %s %llu", name, (unsigned long long)number);
}

static void print_server(const struct board *board)
{
    static const char *const ends[] = {"exit",  "signal", "hung",  "start", "spent",
                                       "asked", "reload", "scale", "late",  "stop"};
    _Static_assert(sizeof ends / sizeof *ends == BOARD_ENDS, "a word a cause");
    printf("server");
    print("pid", board->pid);
    print("phase", board->phase);
    print("generation", board->generation);
    print("reloads", board->reloads);
    print("failures", board->reload_failures);
    print("workers", board->workers);
    print("slots", board->slot_count);
    print("samples", board->sample_count);
    printf("\nended");
    for (size_t i = 0; i < BOARD_ENDS; i++)
        print(ends[i], board_get(&board->ended[i]));
    print("cpu", board->ended_cpu_us);
    printf("\n");
}

static void print_row(int number, const struct board_row *row)
{
    if (row->accepted == 0 && row->requests == 0 && row->connections == 0 && row->wakeups == 0)
        return;
    int64_t busy = (int64_t)board_get(&row->busy_since);
    printf("row %d", number);
    print("accepted", row->accepted);
    print("requests", row->requests);
    print("connections", row->connections);
    print("busy", busy ? (uint64_t)(clock_ms() - busy) : 0);
    print("paused", row->is_paused);
    print("wakeups", row->wakeups);
    print("wasted", row->wasted);
    print("bytes", row->bytes);
    print("taken", row->taken);
    print("answers", sum_of(row->answers, BOARD_CLASSES));
    print("times", sum_of(row->times, BOARD_BUCKETS));
    print("time", row->time_us);
    print("lost", row->log_lost);
    for (int i = 0; i < BOARD_CLASSES; i++) {
        char class[] = {(char)('1' + i), 'x', 'x', '\0'};
        print(class, row->answers[i]);
    }
    printf("\n");
}

static void print_worker(int row, const struct board_worker *worker)
{
    if (worker->pid == 0)
        return;
    printf("worker %d", row);
    print("pid", worker->pid);
    print("slot", worker->slot);
    print("generation", worker->generation);
    print("ready", worker->is_ready);
    print("leaving", worker->is_leaving);
    print("stalled", worker->is_stalled);
    printf("\n");
}

static void print_slot(int number, const struct board_slot *slot)
{
    printf("slot %d", number);
    print("queued", slot->queued);
    print("drops", slot->drops);
    print("state", slot->state);
    printf(" adopter %d", (int)slot->adopter - 1);
    print("away", slot->is_away);
    print("ends", slot->ends);
    print("depths", sum_of(slot->depths, BOARD_DEPTHS));
    printf("\n");
}

static void print_events(const struct board *board)
{
    struct board_event event;
    uint64_t count = board_get(&board->event_count);
    for (uint64_t i = count > BOARD_EVENTS ? count - BOARD_EVENTS + 1 : 1; i <= count; i++)
        if (board_event(board, i, &event))
            printf("event %llu %llu %s\n", (unsigned long long)i, (unsigned long long)event.level,
                   event.text);
}

int main(int argc, char **argv)
{
    static struct board copied;
    const struct board *board = &copied;
    if (argc != 2) {
        fprintf(stderr, "usage: board MASTER\n");
        return EX_USAGE;
    }
    if (strchr(argv[1], '/'))
        board = ask(argv[1]);
    else if (copy(argv[1], &copied) < 0)
        board = NULL;
    if (!board) {
        fprintf(stderr, "board %s: %s\n", argv[1], strerror(errno));
        return EX_UNAVAILABLE;
    }
    print_server(board);
    for (int i = 0; i < BOARD_ROWS; i++) {
        print_row(i, &board->rows[i]);
        print_worker(i, &board->workers_of[i]);
    }
    for (uint64_t i = 0; i < board_get(&board->slot_count) && i < SLOTS_MAX; i++)
        print_slot((int)i, &board->slots[i]);
    print_events(board);
    return EX_OK;
}
