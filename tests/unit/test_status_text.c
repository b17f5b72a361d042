#include "status/text.h"

#include "base/utf8.h"
#include "snapshots.h"

/* What is printed of this board, until the next call. */
static const char *printed(const struct board *board, struct text_style style)
{
    static struct buf text;
    buf_clear(&text);
    take(board);
    status_text(&text, &snapshot, &style);
    buf_add(&text, "", 1);
    cr_assert(!text.failed);
    return text.p;
}

static void expect_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, line, n) == 0 && (at[n] == '\n' || at[n] == '\0'))
            return;
    cr_expect_fail("no line \"%s\" in:\n%s", line, text);
}

/* Two workers that have done something. */
static struct board *busy_server(void)
{
    struct board *board = make_server(2);
    snprintf(board->addresses, sizeof board->addresses, "http://127.0.0.1:8080/");
    snprintf(board->serves, sizeof board->serves, "/srv/www and 2 sites");
    for (int i = 0; i < 2; i++) {
        struct board_row *row = &board->rows[i];
        row->connections = 32;
        row->accepted = 200;
        row->requests = 1000000;
        row->answers[1] = 999990;
        row->answers[3] = 10;
        row->wakeups = 300;
        row->wasted = 3;
        row->bytes = 6200000000;
        row->times[board_bucket(100)] = 1000000;
    }
    board->slots[0].depths[0] = 90;
    board->slots[1].depths[2] = 10;
    board->slots[1].queued = 3;
    board->slots[1].drops = 4;
    board->ended[BOARD_END_SIGNAL] = 1;
    board->ended[BOARD_END_RELOAD] = 2;
    board->samples[0] = (struct board_sample){.at_ms = NOW - 1000, .requests = 1980000};
    board->sample_count = 1;
    return board;
}

Test(status_text, has_the_figures_with_their_units)
{
    struct board *board = busy_server();
    const char *text = printed(board, (struct text_style){.width = 0});
    static const char *const lines[] = {
        "drover 0.1.0, pid 4999999: serving, up 1 min 30 s; generation 1",
        "workers      2 of 2 accept",
        "addresses    http://127.0.0.1:8080/",
        "serves       /srv/www and 2 sites",
        "a second              1 s         10 s         60 s         ever",
        "requests            20000            -            -        2.00M",
        "connections           400            -            -          400",
        "bytes sent        12.4 GB            -            -      12.4 GB",
        "latency      p50 104 us, p90 110 us, p99 112 us, p99.9 112 us",
        "answers      2.00M 2xx, 20 4xx",
        "connections  64 open; 1.50 wakeups a connection, 6 wasted (1.0 %)",
        "evenness     1.000 (Jain's index of the workers' requests; 1 is even)",
        "queue        3 wait, 4 dropped; empty in 90.0 % of looks, at most 2 to 3",
        "processes    CPU 0 us, RSS 0 B, context switches 0, and 0 forced",
        "ended        1 crashed, 2 replaced",
    };
    for (size_t i = 0; i < LENGTH(lines); i++)
        expect_line(text, lines[i]);
    board_close(board);
}

Test(status_text, standbys_where_there_are_any)
{
    struct board *board = make_server(3);
    const char *text = printed(board, (struct text_style){.width = 80});
    cr_expect_null(strstr(text, "standbys"));
    board->has_standbys = 1;
    for (int i = 0; i < 3; i++)
        board->workers_of[i].standby = 6000000 + (uint64_t)i;
    text = printed(board, (struct text_style){.width = 80});
    expect_line(text, "standbys     3 asleep");
    board->successions[BOARD_SUCCESSION_END] = 2;
    board->successions[BOARD_SUCCESSION_HANG] = 1;
    board->kept_connections = 21;
    text = printed(board, (struct text_style){.width = 80});
    expect_line(text, "standbys     3 asleep; 3 took over (2 ends, 1 hung), 21 connections kept");
    board->has_standbys = 0; /* after a reload */
    for (int i = 0; i < 3; i++)
        board->workers_of[i].standby = 0;
    board->successions[BOARD_SUCCESSION_END] = board->kept_connections = 1;
    board->successions[BOARD_SUCCESSION_HANG] = 0;
    text = printed(board, (struct text_style){.width = 80});
    expect_line(text, "standbys     off; 1 took over (1 end, 0 hung), 1 connection kept");
    board_close(board);
}

Test(status_text, of_a_server_that_has_done_nothing)
{
    struct board *board = make_server(1);
    const char *text = printed(board, (struct text_style){.width = 80});
    expect_line(text, "answers      none");
    expect_line(text, "connections  0 open");
    expect_line(text, "ended        no worker");
    cr_expect_null(strstr(text, "latency"));
    cr_expect_null(strstr(text, "! "));
    board_close(board);
}

Test(status_text, a_line_a_slot_and_those_that_leave_behind_them)
{
    struct board *board = make_server(5);
    board->slot_count = 4;
    board->workers_of[4].slot = 1; /* of the generation before */
    board->workers_of[4].is_leaving = 1;
    board->workers_of[1].generation = 2;
    board->workers_of[2].is_stalled = 1;
    board->slots[2].state = SLOT_STALLED;
    board->slots[2].adopter = 1;
    board->workers_of[3].pid = 0;
    board->slots[3].state = SLOT_WAITING;
    const char *text = printed(board, (struct text_style){.width = 80});
    expect_line(text,
                "   0 5000000   1  accepts      own      0        0        0      0     0     0");
    static const char *const rows[] = {
        "accepts      own",
        "hangs   slot 0",
        "waiting   nobody",
        "leaves        -",
    };
    const char *at = text;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        at = strstr(at, rows[i]);
        cr_assert_not_null(at, "%s in %s", rows[i], text);
    }
    board_close(board);
}

/* The longest line, in characters. */
static size_t width_of(const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t n = strcspn(text, "\n");
        size_t columns = utf8_count(text, n);
        widest = columns > widest ? columns : widest;
        text += n + (text[n] == '\n');
    }
    return widest;
}

Test(status_text, fits_the_terminal)
{
    char long_one[BOARD_EVENT_SIZE];
    struct board *board = busy_server();
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    board_tell(board, DATE, 1, long_one);
    board->ended_voluntary = board->ended_involuntary = 999999;
    for (int i = 0; i < BOARD_DEPTHS; i++)
        board->slots[0].depths[i] = 1;
    for (int i = 0; i < BOARD_CLASSES; i++)
        board->rows[0].answers[i] = 999999;
    memset(board->serves, 'r', sizeof board->serves - 1);
    memset(board->addresses, 'a', sizeof board->addresses - 1);
    cr_expect_leq(width_of(printed(board, (struct text_style){.width = 80})), 80);
    cr_expect_leq(width_of(printed(board, (struct text_style){.width = 200})), 200);
    cr_expect_gt(width_of(printed(board, (struct text_style){.width = 0})), 500, "nothing is cut");
    board_close(board);
}

Test(status_text, what_is_wrong_stands_out_and_stands_behind_a_long_table_too)
{
    struct board *board = make_server(1);
    board->rows[0].is_paused = 1;
    const char
        *line = "! slot 0 has a worker that accepts nothing: it is full, or lacks descriptors";
    expect_line(printed(board, (struct text_style){.width = 0}), line);
    cr_expect_null(strchr(printed(board, (struct text_style){.width = 80}), '\033'));
    const char *vivid = printed(board, (struct text_style){.width = 80, .is_vivid = true});
    cr_expect_not_null(strstr(vivid, "\033[1;31m! slot 0"));
    board_close(board);
    board = make_server(20);
    board->rows[0].is_paused = 1;
    const char *text = printed(board, (struct text_style){.width = 80});
    const char *first = strstr(text, line);
    cr_assert_not_null(first);
    cr_expect_not_null(strstr(first + 1, line));
    board_close(board);
}

Test(status_text, the_last_events_with_their_times)
{
    char text[32];
    struct board *board = make_server(1);
    setenv("TZ", "UTC", 1);
    for (int i = 1; i <= 12; i++) {
        snprintf(text, sizeof text, "event %d\x1b", i);
        board_tell(board, DATE - 12000 + i * 1000, i == 12 ? 1 : 2, text);
    }
    const char *page = printed(board, (struct text_style){.width = 80});
    cr_expect_null(strstr(page, "event 2?"));
    expect_line(page, "11:59:51  event 3?");
    expect_line(page, "12:00:00  warn  event 12?");
    board_close(board);
}

Test(status_text, is_safe_with_what_makes_no_sense)
{
    struct board *board = make_server(1);
    make_hostile(board);
    const char *text = printed(board, (struct text_style){.width = 80, .is_vivid = false});
    for (const char *at = text; *at; at++)
        cr_assert((unsigned char)*at >= ' ' || *at == '\n', "%d", *at);
    board_close(board);
}
