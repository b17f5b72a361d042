#include "worker/board.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

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
    board_add(&row->answers[1], 7);
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

Test(board, a_connection_is_one_worker_s)
{
    static const struct {
        uint64_t open, passed, rest;
    } rows[] = {{8, 8, 0}, {8, 7, 1}, {8, 0, 8}, {0, 8, 0}, {7, 8, 0}};
    struct board *board = board_open(NULL);
    cr_assert_not_null(board);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        board_set(&board->rows[0].connections, rows[i].open);
        board_pass(&board->rows[0], rows[i].passed);
        cr_expect_eq(board->rows[0].connections, rows[i].rest, "row %zu", i);
    }
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

Test(board, is_read_by_its_descriptor_and_not_written)
{
    int fd;
    struct board *board = board_open(&fd);
    cr_assert_not_null(board);
    const struct board *seen = board_map(fd);
    cr_assert_not_null(seen);
    board_set(&board->workers, 7);
    board_add(&board->rows[3].requests, 5);
    cr_expect_eq(seen->workers, 7);
    cr_expect_eq(board_sum(seen).requests, 5);
    cr_expect_eq(mmap(NULL, sizeof *board, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    cr_expect_eq(errno, EACCES);
    cr_expect_eq(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK, F_SEAL_SHRINK, "no reader finds it cut");
    board_unmap(seen);
    board_close(board);
    close(fd);
}

/* ulimit -f holds for it, as for any file. */
Test(board, is_there_where_no_descriptor_can_be)
{
    int fd = 0;
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 4096;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct board *board = board_open(&fd);
    cr_assert_not_null(board, "%m");
    cr_expect_eq(errno, EFBIG);
    cr_expect_eq(fd, -1);
    board_add(&board->rows[3].requests, 5);
    cr_expect_eq(board_sum(board).requests, 5);
    board_close(board);
}

Test(board, that_could_be_made_shorter_meanwhile_is_not_mapped)
{
    int fd, loose = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct board *board = board_open(&fd);
    cr_assert_not_null(board);
    cr_expect_eq(ftruncate(fd, 0), -1, "this one cannot be");
    cr_assert_eq(ftruncate(loose, (off_t)sizeof *board), 0, "%m");
    cr_assert_eq(pwrite(loose, board, sizeof *board, 0), (ssize_t)sizeof *board, "%m");
    errno = 0;
    cr_expect_null(board_map(loose));
    cr_expect_eq(errno, EPROTO);
    cr_assert_eq(fcntl(loose, F_ADD_SEALS, F_SEAL_SHRINK), 0, "%m");
    const struct board *seen = board_map(loose);
    cr_expect_not_null(seen, "%m");
    board_unmap(seen);
    board_close(board);
    close(loose);
    close(fd);
}

Test(board, of_another_layout_or_none_is_not_mapped)
{
    int fd;
    struct board *board = board_open(&fd);
    cr_assert_not_null(board);
    board->layout++;
    errno = 0;
    cr_expect_null(board_map(fd));
    cr_expect_eq(errno, EPROTO);
    board->layout--;
    board->magic++;
    errno = 0;
    cr_expect_null(board_map(fd));
    cr_expect_eq(errno, EPROTO);
    int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    errno = 0;
    cr_expect_null(board_map(zero));
    cr_expect_eq(errno, EPROTO);
    close(zero);
    board_close(board);
    close(fd);
}

Test(board, keeps_the_last_events_and_tells_one_that_is_gone)
{
    struct board *board = board_open(NULL);
    struct board_event event;
    char text[2 * BOARD_EVENT_SIZE];
    cr_assert_not_null(board);
    cr_expect_not(board_event(board, 0, &event));
    cr_expect_not(board_event(board, 1, &event));
    for (int i = 1; i <= BOARD_EVENTS + 1; i++) {
        snprintf(text, sizeof text, "the event %d", i);
        board_tell(board, 1000 + i, 2, text);
    }
    cr_expect_not(board_event(board, 1, &event), "its place is another's");
    cr_assert(board_event(board, 2, &event));
    cr_expect_str_eq(event.text, "the event 2");
    cr_expect_eq(event.date, 1002);
    cr_expect_eq(event.level, 2);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    board_tell(board, 1, 1, text);
    cr_assert(board_event(board, board->event_count, &event));
    cr_expect_eq(strlen(event.text), BOARD_EVENT_SIZE - 1);
    board_close(board);
}

/* Each begins where the one before it ends. */
Test(board, buckets_of_times_have_no_gap)
{
    for (unsigned i = 0; i < BOARD_BUCKETS; i++) {
        uint64_t from = board_bucket_us(i);
        cr_expect_eq(board_bucket(from), i);
        if (i > 0)
            cr_expect_eq(board_bucket(from - 1), i - 1);
    }
    cr_expect_eq(board_bucket(UINT64_MAX), BOARD_BUCKETS - 1);
}
