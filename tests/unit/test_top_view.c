#include "cli/top_view.h"

#include <time.h>

#include "base/log.h"
#include "top_rig.h"

/* Each test has a process of its own. */
static struct snapshot snapshot;
static struct table table;
static struct view view = {.message = "", .hint = "the hint"};
static struct screen screen;
static struct buf text;

/* Draws it; `text` is what is to be seen, ended by a NUL. */
static int draw(int rows, int columns)
{
    setenv("TZ", "UTC", 1);
    tzset();
    table_take(&table, &snapshot);
    table_sort(&table, view.sort, view.is_reversed);
    cr_assert_eq(screen_resize(&screen, rows, columns), 0);
    int page = view_draw(&view, &snapshot, &table, &screen);
    buf_clear(&text);
    screen_text(&screen, &text);
    buf_add(&text, "", 1);
    return page;
}

static void expect_seen(const char *wanted)
{
    cr_expect(strstr(text.p, wanted), "no \"%s\" in\n%s", wanted, text.p);
}

static void expect_unseen(const char *unwanted)
{
    cr_expect(!strstr(text.p, unwanted), "\"%s\" in\n%s", unwanted, text.p);
}

/* The look of the first character of what is seen on a row. */
static enum look look_at(int row, const char *what)
{
    char line[512];
    int n = screen.columns < (int)sizeof line - 1 ? screen.columns : (int)sizeof line - 1;
    for (int i = 0; i < n; i++)
        line[i] = screen.cells[row * screen.columns + i].byte;
    line[n] = '\0';
    const char *at = strstr(line, what);
    cr_assert_not_null(at, "no \"%s\" in \"%s\"", what, line);
    return (enum look)screen.cells[row * screen.columns + (int)(at - line)].look;
}

Test(top_view, the_usual_size_has_all)
{
    top_rig_fill(&snapshot, 4);
    snapshot.drops = 3;
    top_rig_tell(&snapshot, LOG_INFO, "serving");
    top_rig_tell(&snapshot, LOG_WARN, "worker 2 was killed");
    draw(24, 80);
    static const char *const wanted[] = {
        "drover 1.2.3  pid 999  serving",
        "generation 1",
        "workers 4 of 4",
        "requests/s -",
        "latency ms p50 -",
        "queue 0",
        "drops 3",
        "http://127.0.0.1:8080/",
        "12:00:00\n",
        "\nthe hint\n",
        "\n^SLOT     PID GEN STATE    CONNS REQ/S  CPU%   RSS WAKE/S QUEUE DROPS    AGE\n",
        "\n    3    1003   1 accepts      0     -     -  4.0M      -     3     3     2s\n",
        "\n LAST EVENTS\n 12:00:01 serving\n 12:00:02 worker 2 was killed\n",
    };
    for (size_t i = 0; i < LENGTH(wanted); i++)
        expect_seen(wanted[i]);
    cr_expect_eq(look_at(23, "worker 2"), LOOK_BOLD);
    cr_expect_eq(look_at(22, "serving"), LOOK_PLAIN);
}

Test(top_view, what_standbys_have_done_stands_in_the_head)
{
    top_rig_fill(&snapshot, 2);
    snapshot.has_standbys = true;
    draw(24, 80);
    expect_unseen("kept");
    snapshot.successions[BOARD_SUCCESSION_END] = 2;
    snapshot.successions[BOARD_SUCCESSION_HANG] = 1;
    snapshot.kept_connections = 21;
    draw(24, 80);
    expect_seen("successions 3");
    expect_seen("kept 21");
    expect_seen("http://127.0.0.1:8080/");
}

Test(top_view, a_small_screen_has_the_most_telling)
{
    top_rig_fill(&snapshot, 8);
    top_rig_tell(&snapshot, LOG_INFO, "serving");
    cr_expect_eq(draw(10, 40), 6);
    expect_seen("pid 999  serving");
    expect_seen("requests/s -");
    expect_seen("\n^SLOT     PID STATE    CONNS REQ/S  CPU%\n");
    expect_seen("\n    5    1005 accepts      0     -     -\n");
    expect_unseen("12:00:01");
}

Test(top_view, a_wide_screen_has_every_column)
{
    top_rig_fill(&snapshot, 1);
    draw(24, 100);
    for (int i = 0; i < COLUMNS; i++)
        expect_seen(column_title((enum column)i));
}

Test(top_view, no_size_is_too_small)
{
    top_rig_fill(&snapshot, 200);
    for (int i = 0; i < BOARD_EVENTS; i++)
        top_rig_tell(&snapshot, LOG_INFO, "event");
    for (int rows = 0; rows < 30; rows++)
        for (int columns = 0; columns < 120; columns += 7) {
            cr_expect_leq(draw(rows, columns), rows);
            view.is_help = !view.is_help;
        }
}

Test(top_view, bytes_that_could_harm_a_terminal_are_not_shown)
{
    top_rig_fill(&snapshot, 1);
    snprintf(snapshot.serves, sizeof snapshot.serves, "/srv/\033[2J\x9b\n\xffw");
    snprintf(snapshot.version, sizeof snapshot.version, "\033]0;x\007");
    top_rig_tell(&snapshot, LOG_INFO, "\033[31mred");
    view.message = "\r\b";
    draw(24, 80);
    expect_seen("/srv/?[2J???w");
    expect_seen("drover ?]0;x?");
    expect_seen("?[31mred");
    for (int i = 0; i < screen.rows * screen.columns; i++)
        cr_assert(screen.cells[i].byte >= ' ' && screen.cells[i].byte < 0x7f);
}

Test(top_view, scrolling_ends_where_the_table_does)
{
    top_rig_fill(&snapshot, 40);
    view.scroll = 3;
    int page = draw(24, 80);
    expect_seen("\n    3    1003 ");
    expect_unseen("\n    2    1002 ");
    view.scroll = 1000;
    draw(24, 80);
    cr_expect_eq(view.scroll, 40 - page);
    expect_seen("\n   39    1039 ");
    view.scroll = -5;
    draw(24, 80);
    cr_expect_eq(view.scroll, 0);
    snapshot.worker_count = snapshot.slot_count = 2;
    snapshot.workers_wanted = 2;
    view.scroll = 10;
    draw(24, 80);
    cr_expect_eq(view.scroll, 0, "there are fewer now");
}

Test(top_view, events_give_way_to_workers_but_for_a_fifth)
{
    top_rig_fill(&snapshot, 40);
    for (int i = 0; i < BOARD_EVENTS; i++)
        top_rig_tell(&snapshot, LOG_INFO, "event");
    draw(25, 80);
    expect_seen(" 12:00:32 event\n");
    expect_seen(" 12:00:29 event\n");
    expect_unseen(" 12:00:28 event\n");
    snapshot.worker_count = snapshot.slot_count = 2;
    snapshot.workers_wanted = 2;
    draw(25, 80);
    expect_seen(" 12:00:20 event\n");
}

Test(top_view, the_order_is_marked_and_chosen_among_what_is_shown)
{
    top_rig_fill(&snapshot, 2);
    draw(24, 80);
    view_choose(&view, -1, 80);
    cr_expect_eq(view.sort, COLUMN_SLOT, "it is the first");
    for (int i = 0; i < 5; i++)
        view_choose(&view, 1, 80);
    cr_expect_eq(view.sort, COLUMN_REQUESTS);
    draw(24, 80);
    expect_seen("CONNSvREQ/S");
    view.is_reversed = true;
    draw(24, 80);
    expect_seen("CONNS^REQ/S");
    view.sort = COLUMN_WAKEUPS;
    view_choose(&view, 1, 80);
    cr_expect_eq(view.sort, COLUMN_QUEUE, "WASTE/S and CSW/S have no room");
    for (int i = 0; i < COLUMNS; i++)
        view_choose(&view, 1, 80);
    cr_expect_eq(view.sort, COLUMN_AGE);
    view.sort = COLUMN_STATE;
    draw(24, 80);
    expect_seen("vSTATE");
}

Test(top_view, what_is_told_instead_of_the_hint)
{
    top_rig_fill(&snapshot, 1);
    snapshot.is_stopped = true;
    draw(24, 80);
    expect_seen("\nthe master (pid 999) is stopped by a signal");
    expect_unseen("the hint");
    view.is_paused = true;
    draw(24, 80);
    expect_seen("\npaused");
    view.message = "reload: is asked for";
    draw(24, 80);
    expect_seen("\nreload: is asked for\n");
    view.absence = "pid 999 has ended: waiting for a server";
    draw(24, 80);
    expect_seen("\npid 999 has ended: waiting for a server\n");
}

Test(top_view, troubles_have_a_line_each_as_far_as_there_are_lines)
{
    top_rig_fill(&snapshot, 4);
    snapshot.workers[1].is_stalled = true;
    snapshot.workers[2].is_stopped = true;
    snapshot.workers[3].counts.row.is_paused = 1;
    snapshot.sum.row.log_lost = 7;
    draw(24, 80);
    expect_seen("\nworker 1 (pid 1001) hangs\nworker 2 (pid 1002) is stopped by a signal\nslot 3 ");
    expect_seen(" (and 1 more)\n^SLOT");
    expect_unseen("7 lines");
    draw(10, 80);
    expect_seen("\nworker 1 (pid 1001) hangs (and 3 more)\n^SLOT");
    draw(40, 80);
    expect_seen("\n7 lines of the access log could not be written\n^SLOT");
    cr_expect_eq(look_at(5, "worker 1"), LOOK_BOLD);
}

Test(top_view, an_event_of_another_day_has_its_date)
{
    top_rig_fill(&snapshot, 1);
    top_rig_tell(&snapshot, LOG_INFO, "serving");
    snapshot.date += 3LL * 24 * 3600 * 1000;
    draw(24, 80);
    expect_seen("\n 1970-01-01 12:00 serving\n");
}

Test(top_view, help_fits_a_small_screen)
{
    top_rig_fill(&snapshot, 1);
    view.is_help = true;
    draw(10, 40);
    expect_seen("q, Ctrl-C      leave");
    expect_seen("?, h           this");
    draw(24, 80);
    expect_seen("WASTE/S        wake-ups with nothing to do");
    expect_seen("AGE ");
}

/* A snapshot of nothing: no server was seen yet. */
Test(top_view, nothing_is_a_server_too)
{
    draw(24, 80);
    expect_seen("workers 0 of 0");
}
