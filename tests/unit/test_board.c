#include "worker/board.h"

#include "support.h"

Test(board, is_zeroed_and_adds_up)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    struct board_row sum = board_sum(board);
    cr_expect_eq(sum.accepted + sum.requests + sum.connections, 0);
    for (int i = 0; i < BOARD_ROWS; i++) {
        board_add(&board->rows[i].accepted, i);
        board_add(&board->rows[i].requests, 2);
        board_add(&board->rows[i].connections, 3);
        board_add(&board->rows[i].connections, -2);
    }
    sum = board_sum(board);
    cr_expect_eq(sum.accepted, BOARD_ROWS * (BOARD_ROWS - 1) / 2);
    cr_expect_eq(sum.requests, 2 * BOARD_ROWS);
    cr_expect_eq(sum.connections, BOARD_ROWS);
    board_close(board);
    board_close(NULL);
}

Test(board, what_was_done_outlives_the_worker_and_its_connections_do_not)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    struct board_row *row = &board->rows[BOARD_ROWS - 1];
    board_add(&row->accepted, 5);
    board_add(&row->requests, 7);
    board_add(&row->connections, 3);
    board_set(&row->busy_since, 4711);
    board_set(&row->is_paused, 1);
    board_leave(row, NULL);
    struct board_row sum = board_sum(board);
    cr_expect_eq(sum.accepted, 5);
    cr_expect_eq(sum.requests, 7);
    cr_expect_eq(sum.connections, 0);
    cr_expect_eq(row->busy_since + row->is_paused, 0, "nor is it hung, or full");
    board_close(board);
}

/* Two workers never write to the same cache line, nor to the one that is fetched along with it. */
Test(board, rows_have_their_own_lines)
{
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    for (int i = 0; i < BOARD_ROWS; i++)
        cr_expect_eq((uintptr_t)&board->rows[i] % 128, 0);
    cr_expect_eq(sizeof board->rows[0] % 128, 0);
    board_close(board);
}
