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

void board_leave(struct board_row *row, const struct drover_metric *metrics)
{
    board_set(&row->connections, 0);
    board_set(&row->busy_since, 0);
    board_set(&row->is_paused, 0);
    for (int i = 0; metrics && metrics[i].name && i < DROVER_METRICS_MAX; i++)
        if (metrics[i].type == DROVER_GAUGE)
            board_set(&row->of_app[i], 0);
}

struct board_row board_sum(const struct board *board)
{
    struct board_row sum = {0};
    for (int i = 0; i < BOARD_ROWS; i++) {
        const struct board_row *row = &board->rows[i];
        sum.accepted += __atomic_load_n(&row->accepted, __ATOMIC_RELAXED);
        sum.requests += __atomic_load_n(&row->requests, __ATOMIC_RELAXED);
        sum.connections += __atomic_load_n(&row->connections, __ATOMIC_RELAXED);
        for (int j = 0; j < DROVER_METRICS_MAX; j++)
            sum.of_app[j] += __atomic_load_n(&row->of_app[j], __ATOMIC_RELAXED);
    }
    return sum;
}
