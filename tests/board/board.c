/*
 * board - prints what a running server's board says, which only its processes can read.
 *
 *   board MASTER
 *
 * MASTER is the pid of the server. A line each, of rows that have ever been used and of slots whose
 * queues were ever seen with something in them:
 *
 *   row N accepted A requests R connections C busy MS paused P
 *   slot N queued Q drops D
 *
 * busy is 0, or since how many milliseconds the worker's turn lasts. A row is its slot's, as long
 * as no worker of the slot was leaving when the next one started.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
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

static void print_row(int number, const struct board_row *row)
{
    if (row->accepted == 0 && row->requests == 0 && row->connections == 0)
        return;
    long long busy = row->busy_since ? (long long)clock_ms() - (long long)row->busy_since : 0;
    printf("row %d accepted %llu requests %llu connections %llu busy %lld paused %llu\n", number,
           (unsigned long long)row->accepted, (unsigned long long)row->requests,
           (unsigned long long)row->connections, busy, (unsigned long long)row->is_paused);
}

static void print_slot(int number, const struct board_slot *slot)
{
    if (slot->queued || slot->drops)
        printf("slot %d queued %llu drops %llu\n", number, (unsigned long long)slot->queued,
               (unsigned long long)slot->drops);
}

int main(int argc, char **argv)
{
    static struct board board;
    if (argc != 2) {
        fprintf(stderr, "usage: board MASTER\n");
        return EX_USAGE;
    }
    if (copy(argv[1], &board) < 0) {
        fprintf(stderr, "board %s: %s\n", argv[1], strerror(errno));
        return EX_UNAVAILABLE;
    }
    for (int i = 0; i < BOARD_ROWS; i++)
        print_row(i, &board.rows[i]);
    for (int i = 0; i < SLOTS_MAX; i++)
        print_slot(i, &board.slots[i]);
    return EX_OK;
}
