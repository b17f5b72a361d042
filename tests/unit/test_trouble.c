#include "status/trouble.h"

#include "snapshots.h"

/* What is told of this board, as one text with its lines' ends; until the next call. */
static const char *told(const struct board *board)
{
    static struct buf lines;
    buf_clear(&lines);
    take(board);
    int count = trouble_tell(&lines, &snapshot), seen = 0;
    cr_expect_leq(count, TROUBLES_MAX);
    for (size_t i = 0; i < lines.len; i++)
        seen += lines.p[i] == '\n';
    cr_expect_eq(seen, count);
    buf_add(&lines, "", 1);
    return lines.p;
}

static void expect(const struct board *board, const char *wanted)
{
    const char *lines = told(board);
    cr_expect_str_eq(lines, wanted, "%s instead of %s", lines, wanted);
}

Test(trouble, of_a_server_that_is_well_there_is_none)
{
    struct board *board = make_server(3);
    board->rows[1].busy_since = NOW - 200; /* a long turn, but no hang */
    board->slots[2].ends = 50;             /* long ago */
    board->slots[1].is_away = 1;
    expect(board, "");
    board_close(board);
}

Test(trouble, of_the_server_as_a_whole)
{
    struct board *board = make_server(2);
    board->looked_ms = NOW - 12300;
    expect(board, "the master (pid 4999999) has not looked for 12.3 s: it hangs, or has ended\n");
    board->looked_ms = NOW;
    static const struct {
        enum board_phase phase;
        const char *wanted;
    } rows[] = {
        {BOARD_STARTING, "the server starts: 2 of 2 workers accept\n"},
        {BOARD_LAME, "the server is to stop: clients still come in\n"},
        {BOARD_STOPPING, "the server stops: 2 workers finish what they have\n"},
        {BOARD_LEFT, "a new master serves; this one waits for its workers to leave\n"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        board->phase = rows[i].phase;
        expect(board, rows[i].wanted);
    }
    board->phase = BOARD_STARTING;
    board->slots[1].state = SLOT_STARTING;
    board->workers_of[1].is_ready = 0;
    expect(board, "the server starts: 1 of 2 workers accept\n");
    board->slots[1].state = SLOT_LIVE;
    board->workers_of[1].is_ready = 1;
    board->phase = BOARD_SERVING;
    board->rows[0].log_lost = 7;
    expect(board, "7 lines of the access log could not be written\n");
    board_close(board);
}

Test(trouble, a_worker_that_hangs)
{
    struct board *board = make_server(3);
    board->rows[1].busy_since = NOW - 3250;
    expect(board, "worker 1 (pid 5000001) hangs: its turn lasts for 3.2 s\n");
    board->rows[1].busy_since = 0;
    board->workers_of[1].is_stalled = 1;
    expect(board, "worker 1 (pid 5000001) hangs\n");
    board->workers_of[2].is_stalled = 1;
    board->rows[2].busy_since = NOW - 90000;
    expect(board, "2 of 3 workers hang: slots 1-2; the longest turn lasts for 1 min\n");
    board_close(board);
}

Test(trouble, slots_that_nobody_serves_are_named_in_ranges)
{
    struct board *board = make_server(12);
    static const int alone[] = {0, 3, 4, 5, 11};
    for (size_t i = 0; i < LENGTH(alone); i++)
        board->slots[alone[i]].state = SLOT_WAITING;
    expect(board, "slots 0, 3-5, 11 are served by nobody: clients wait there\n");
    for (size_t i = 1; i < LENGTH(alone); i++)
        board->slots[alone[i]].adopter = 2;
    expect(board, "slot 0 is served by nobody: clients wait there\n");
    board_close(board);
}

Test(trouble, workers_that_end_again_and_again)
{
    struct board *board = make_server(2);
    board->slots[1].ends = 3;
    board->workers_of[1].begun_ms = NOW - 500;
    expect(board, "slot 1 has a worker that ends again and again\n");
    board->slots[1].ends = 2;
    expect(board, "");
    board->slots[1].ends = 9;
    board->slots[1].state = SLOT_WAITING;
    board->slots[1].adopter = 1;
    board->workers_of[1].pid = 0;
    expect(board, "slot 1 has a worker that ends again and again\n");
    board->slots[1].state = SLOT_EMPTY;
    expect(board, "");
    board->slots[1].state = SLOT_REFUSED;
    expect(board, "slot 1 has no worker: none can run with this configuration\n");
    board_close(board);
}

Test(trouble, requests_that_end_workers_in_a_row)
{
    struct board *board = make_server(4);
    board->slots[3].ends = board->slots[3].crashes = 5;
    board->slots[3].crashed_ms = NOW - 900;
    strcpy(board->slots[3].crashed_request, "GET /crash HTTP/1.1");
    board->workers_of[3].begun_ms = NOW - 900;
    expect(board, "slot 3: 5 workers in a row were ended by signals, the last at \"GET /crash "
                  "HTTP/1.1\"\n");
    board->slots[1].crashes = 3;
    board->slots[1].crashed_ms = NOW - 100;
    expect(board, "slots 1, 3: 8 workers in a row were ended by signals\n");
    memset(board->slots[1].crashed_request, '\n', BOARD_REQUEST_SIZE);
    told(board); /* its lines are counted */
    board->slots[1].crashes = 0;
    board->slots[3].crashed_ms = NOW - CRASH_ROW_MS - 1;
    expect(board, "slot 3 has a worker that ends again and again\n");
    board_close(board);
}

Test(trouble, a_worker_that_has_no_standby)
{
    struct board *board = make_server(3);
    for (int i = 0; i < 3; i++)
        board->workers_of[i].standby = i == 1 ? 0 : 6000000 + (uint64_t)i;
    expect(board, "");
    board->has_standbys = 1;
    expect(board, "slot 1 has a worker without a standby: its connections end with it\n");
    board->workers_of[1].is_ready = 0;
    expect(board, "");
    board->workers_of[1].is_ready = 1;
    board->workers_of[1].begun_ms = NOW - 4999;
    expect(board, "");
    board->workers_of[0].standby = 0;
    board->workers_of[1].begun_ms = NOW - 5000;
    expect(board, "slots 0-1 have workers without a standby: their connections end with them\n");
    board->phase = BOARD_STOPPING;
    expect(board, "the server stops: 3 workers finish what they have\n");
    board_close(board);
}

Test(trouble, workers_that_are_full)
{
    struct board *board = make_server(2);
    board->rows[0].is_paused = 1;
    expect(board, "slot 0 has a worker that accepts nothing: it is full, or lacks descriptors\n");
    board->rows[1].is_paused = 1;
    expect(board,
           "slots 0-1 have workers that accept nothing: they are full, or lack descriptors\n");
    board_close(board);
}

static void count(void *context, const char *words)
{
    cr_expect_null(strchr(words, '\n'));
    ++*(int *)context;
}

Test(trouble, comes_one_at_a_time_too_and_is_safe_with_what_makes_no_sense)
{
    int lines = 0;
    struct board *board = make_server(2);
    trouble_each((take(board), &snapshot), count, &lines);
    cr_expect_eq(lines, 0);
    board->rows[0].is_paused = 1;
    board->looked_ms = 1;
    trouble_each((take(board), &snapshot), count, &lines);
    cr_expect_eq(lines, 2);
    make_hostile(board);
    cr_expect_neq(*told(board), '\0');
    board_close(board);
}
