#include "worker/board.h"

#include <stddef.h>
#include <sys/mman.h>

struct board *board_open(void)
{
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return board == MAP_FAILED ? NULL : board;
}

void board_close(struct board *board)
{
    if (board)
        munmap(board, sizeof *board);
}

void board_leave(struct board_row *row)
{
    __atomic_store_n(&row->connections, 0, __ATOMIC_RELAXED);
}

struct board_row board_sum(const struct board *board)
{
    struct board_row sum = {0};
    for (int i = 0; i < BOARD_ROWS; i++) {
        const struct board_row *row = &board->rows[i];
        sum.accepted += __atomic_load_n(&row->accepted, __ATOMIC_RELAXED);
        sum.requests += __atomic_load_n(&row->requests, __ATOMIC_RELAXED);
        sum.connections += __atomic_load_n(&row->connections, __ATOMIC_RELAXED);
    }
    return sum;
}
