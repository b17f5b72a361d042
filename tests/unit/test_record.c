#include "master/record.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "support.h"

/* Statuses as waitpid(2) has them. */
#define EXITED(n) ((n) << 8)
#define KILLED    SIGKILL

static const struct {
    const char *name;
    bool is_ready, is_leaving, is_killed;
    enum board_end cause;
    int status;
    enum board_end expected;
} ends[] = {
    {"an exit", true, false, false, BOARD_ENDS, EXITED(1), BOARD_END_EXIT},
    {"a clean one that nobody asked for", true, false, false, BOARD_ENDS, 0, BOARD_END_EXIT},
    {"a crash", true, false, false, BOARD_ENDS, SIGSEGV | 0x80, BOARD_END_SIGNAL},
    {"a failed start", false, false, false, BOARD_ENDS, EXITED(78), BOARD_END_START},
    {"a start that was killed by another", false, false, false, BOARD_ENDS, KILLED,
     BOARD_END_START},
    {"a start that came late", false, false, false, BOARD_END_START, KILLED, BOARD_END_START},
    {"a hang", true, false, false, BOARD_END_HUNG, SIGABRT, BOARD_END_HUNG},
    {"a hang that left meanwhile", true, true, false, BOARD_END_HUNG, KILLED, BOARD_END_HUNG},
    {"spent", true, true, false, BOARD_END_SPENT, 0, BOARD_END_SPENT},
    {"spent, and killed before it left", true, false, false, BOARD_END_SPENT, KILLED,
     BOARD_END_SIGNAL},
    {"asked", true, true, false, BOARD_END_ASKED, 0, BOARD_END_ASKED},
    {"a reload", true, true, false, BOARD_END_RELOAD, 0, BOARD_END_RELOAD},
    {"a reload before it was ready", false, true, false, BOARD_END_RELOAD, 0, BOARD_END_RELOAD},
    {"a crash while it left", true, true, false, BOARD_END_RELOAD, SIGSEGV, BOARD_END_SIGNAL},
    {"a failure while it left", true, true, false, BOARD_END_SCALE, EXITED(71), BOARD_END_EXIT},
    {"late", true, true, false, BOARD_END_LATE, KILLED, BOARD_END_LATE},
    {"a stop", true, true, false, BOARD_END_STOP, 0, BOARD_END_STOP},
    {"a stop at once", true, true, true, BOARD_END_STOP, KILLED, BOARD_END_STOP},
};

Test(record, has_a_cause_for_every_end)
{
    for (size_t i = 0; i < LENGTH(ends); i++) {
        const struct child child = {.is_ready = ends[i].is_ready,
                                    .is_leaving = ends[i].is_leaving,
                                    .is_killed = ends[i].is_killed,
                                    .cause = ends[i].cause};
        cr_expect_eq(record_cause(&child, ends[i].status), ends[i].expected, "%s", ends[i].name);
    }
}

static const struct {
    const char *name;
    bool is_aborted, is_killed, is_leaving, is_superseded;
    enum board_end cause;
    int status;
    enum board_end expected;
    bool is_crash;
} later_ends[] = {
    {"it crashes", false, false, true, true, BOARD_END_HUNG, SIGSEGV, BOARD_END_SIGNAL, true},
    {"it was killed by somebody", false, false, true, true, BOARD_END_HUNG, KILLED,
     BOARD_END_SIGNAL, true},
    {"its time was up", true, false, true, true, BOARD_END_HUNG, SIGABRT, BOARD_END_HUNG, false},
    {"it heard no SIGABRT", true, false, true, true, BOARD_END_HUNG, KILLED, BOARD_END_HUNG, false},
    {"it was late", false, false, true, true, BOARD_END_LATE, KILLED, BOARD_END_LATE, false},
    {"a stop at once", false, true, true, true, BOARD_END_STOP, KILLED, BOARD_END_STOP, false},
    {"it has failed", false, false, true, true, BOARD_END_HUNG, EXITED(71), BOARD_END_EXIT, false},
    {"it came back", false, false, true, true, BOARD_END_ASKED, 0, BOARD_END_ASKED, false},
    {"and crashed then", false, false, true, true, BOARD_END_ASKED, SIGSEGV, BOARD_END_SIGNAL,
     true},
    {"another crashes while it leaves", false, false, true, false, BOARD_END_RELOAD, SIGSEGV,
     BOARD_END_SIGNAL, false},
    {"another crashes", false, false, false, false, BOARD_ENDS, SIGSEGV, BOARD_END_SIGNAL, true},
};

Test(record, tells_the_crash_of_one_that_was_superseded_from_its_being_ended)
{
    for (size_t i = 0; i < LENGTH(later_ends); i++) {
        const struct child child = {.is_ready = true,
                                    .is_aborted = later_ends[i].is_aborted,
                                    .is_killed = later_ends[i].is_killed,
                                    .is_leaving = later_ends[i].is_leaving,
                                    .is_superseded = later_ends[i].is_superseded,
                                    .cause = later_ends[i].cause};
        const char *name = later_ends[i].name;
        int status = later_ends[i].status;
        cr_expect_eq(record_cause(&child, status), later_ends[i].expected, "%s", name);
        cr_expect_eq(record_is_crash(&child, status), later_ends[i].is_crash, "%s", name);
    }
}

/* A master with two slots and a worker in each, as far as the board is concerned. */
struct scene {
    struct drover_app app;
    struct settings settings;
    struct sites sites;
    struct configuration configuration;
    struct generation generation;
    struct child children[2];
    struct master m;
};

static void scene_begin(struct scene *s)
{
    static const struct drover_metric metrics[] = {
        {.name = "gauge", .type = DROVER_GAUGE, .help = "A gauge."}, {.name = NULL}};
    *s = (struct scene){.app = {.name = "hello", .metrics = metrics}};
    s->sites = (struct sites){.metrics = metrics};
    s->configuration = (struct configuration){.sites = &s->sites};
    s->generation = (struct generation){
        .configuration = &s->configuration, .settings = &s->settings, .app = &s->app, .number = 3};
    for (int i = 0; i < 2; i++) {
        plan_add_slot(&s->generation.plan);
        s->generation.plan.slots[i].state = SLOT_LIVE;
        s->children[i] = (struct child){.pid = 100 + i,
                                        .generation = &s->generation,
                                        .slot = i,
                                        .row = i,
                                        .is_ready = true,
                                        .cause = BOARD_ENDS};
    }
    s->m = (struct master){.pid = 7,
                           .board = board_open(NULL),
                           .board_fd = -1,
                           .present = &s->generation,
                           .children = {.list = s->children, .count = 2, .room = 2},
                           .stop_at = CLOCK_NEVER,
                           .now = 5000};
    cr_assert_not_null(s->m.board);
    record_open(&s->m);
}

static void scene_end(struct scene *s)
{
    record_leave(&s->m);
    board_close(s->m.board);
}

Test(record, has_what_the_server_is)
{
    struct scene s;
    scene_begin(&s);
    s.settings.site_count = 2;
    record_tick(&s.m);
    const struct board *board = s.m.board;
    cr_expect_eq(board->pid, 7);
    cr_expect_str_eq(board->version, DROVER_VERSION);
    cr_expect_str_eq(board->app, "hello");
    cr_expect_str_eq(board->serves, "hello and 2 sites");
    cr_expect_str_eq(board->metric_names[0], "gauge");
    cr_expect_str_eq(board->metric_helps[0], "A gauge.");
    cr_expect_eq(board->metric_is_gauge[0], 1);
    cr_expect_eq(board->generation, 3);
    cr_expect_eq(board->workers, 2);
    cr_expect_eq(board->slot_count, 2);
    cr_expect_eq(board->looked_ms, 5000);
    scene_end(&s);
}

Test(record, follows_slots_and_workers)
{
    struct scene s;
    scene_begin(&s);
    struct plan_slot *slot = &s.generation.plan.slots[1];
    const struct board *board = s.m.board;
    s.children[1].is_hung = true;
    slot->state = SLOT_STALLED;
    slot->adopter = 0;
    record_tick(&s.m);
    cr_expect_eq(board->slots[0].adopter, 0);
    cr_expect_eq(board->slots[1].adopter, 1);
    cr_expect_eq(board->slots[1].state, SLOT_STALLED);
    cr_expect_eq(board->workers_of[0].pid, 100);
    cr_expect_eq(board->workers_of[0].is_ready, 1);
    cr_expect_eq(board->workers_of[0].generation, 3);
    cr_expect_eq(board->workers_of[1].pid, 101);
    cr_expect_eq(board->workers_of[1].slot, 1);
    cr_expect_eq(board->workers_of[1].is_stalled, 1);
    cr_expect_eq(board->workers_of[0].is_stalled, 0);
    scene_end(&s);
}

Test(record, knows_the_phases)
{
    struct scene s;
    scene_begin(&s);
    const struct board *board = s.m.board;
    record_tick(&s.m);
    cr_expect_eq(board->phase, BOARD_STARTING);
    s.m.is_announced = true;
    record_tick(&s.m);
    cr_expect_eq(board->phase, BOARD_SERVING);
    s.m.stop_at = 6000;
    record_tick(&s.m);
    cr_expect_eq(board->phase, BOARD_LAME);
    s.m.is_stopping = true;
    record_tick(&s.m);
    cr_expect_eq(board->phase, BOARD_STOPPING);
    s.m.is_handed_over = true;
    record_tick(&s.m);
    cr_expect_eq(board->phase, BOARD_LEFT);
    scene_end(&s);
}

Test(record, counts_ends_and_what_they_had_used)
{
    struct scene s;
    scene_begin(&s);
    const struct board *board = s.m.board;
    const struct rusage used = {.ru_utime = {.tv_sec = 2, .tv_usec = 5},
                                .ru_stime = {.tv_usec = 7},
                                .ru_nvcsw = 11,
                                .ru_nivcsw = 13};
    record_tick(&s.m);
    record_end(&s.m, &s.children[1], KILLED, &used);
    s.children[0].is_leaving = true;
    s.children[0].cause = BOARD_END_SCALE;
    record_end(&s.m, &s.children[0], 0, &used);
    cr_expect_eq(board->ended[BOARD_END_SIGNAL], 1);
    cr_expect_eq(board->ended[BOARD_END_SCALE], 1);
    cr_expect_eq(board->ended_cpu_us, 2 * 2000012);
    cr_expect_eq(board->ended_voluntary, 22);
    cr_expect_eq(board->ended_involuntary, 26);
    cr_expect_eq(board->slots[1].ends, 1);
    cr_expect_eq(board->slots[0].ends, 0, "it was asked to leave");
    s.children[0].is_superseded = true;
    record_end(&s.m, &s.children[0], SIGSEGV, &used);
    cr_expect_eq(board->slots[0].ends, 1, "of nobody's asking");
    cr_expect_eq(board->workers_of[1].pid, 0);
    scene_end(&s);
}

Test(record, has_the_last_of_the_crashes_in_a_row)
{
    struct scene s;
    struct board_event event;
    scene_begin(&s);
    const struct board_slot *slot = &s.m.board->slots[1];
    log_set_level(LOG_ERROR);
    record_crash(&s.m, 1, "GET /crash HTTP/1.1");
    record_crash(&s.m, 1, "");
    cr_expect_eq(s.m.board->event_count, 0);
    cr_expect_str_eq(slot->crashed_request, "");
    s.m.now += 70;
    record_crash(&s.m, 1, "GET /crash HTTP/1.1");
    cr_expect_eq(slot->crashes, 3);
    cr_expect_eq(slot->crashed_ms, 5070);
    cr_expect_str_eq(slot->crashed_request, "GET /crash HTTP/1.1");
    cr_expect_eq(s.m.board->slots[0].crashes, 0);
    cr_assert(board_event(s.m.board, 1, &event));
    cr_expect_str_eq(
        event.text, "slot 1: 3 workers in a row were ended by signals, at \"GET /crash HTTP/1.1\"");
    scene_end(&s);
}

Test(record, counts_successions_and_what_they_kept)
{
    struct scene s;
    scene_begin(&s);
    const struct board *board = s.m.board;
    s.settings.standby = true;
    record_tick(&s.m);
    cr_expect_eq(board->has_standbys, 1);
    record_succession(&s.m, false);
    record_kept(&s.m, 8);
    record_succession(&s.m, false);
    record_succession(&s.m, true);
    record_kept(&s.m, 13);
    cr_expect_eq(board->successions[BOARD_SUCCESSION_END], 2);
    cr_expect_eq(board->successions[BOARD_SUCCESSION_HANG], 1);
    cr_expect_eq(board->kept_connections, 21);
    scene_end(&s);
}

Test(record, takes_a_sample_a_second)
{
    struct scene s;
    scene_begin(&s);
    const struct board *board = s.m.board;
    s.m.board->row_count = 2;
    for (int i = 0; i < 10; i++) {
        board_add(&s.m.board->rows[1].requests, 1);
        record_tick(&s.m);
        s.m.now += RECORD_SAMPLE_MS / 2;
    }
    cr_expect_eq(board->sample_count, 5);
    cr_expect_eq(board->samples[1].requests, 3);
    cr_expect_eq(board->samples[1].at_ms, 5000 + RECORD_SAMPLE_MS);
    cr_expect_eq(record_next(&s.m), CLOCK_NEVER, "an idle server is not woken for it");
    s.m.is_stopping = true;
    cr_expect_eq(record_next(&s.m), 5000 + 5 * RECORD_SAMPLE_MS);
    scene_end(&s);
}

Test(record, sorts_depths_into_powers_of_two)
{
    static const struct {
        uint64_t queued;
        int depth;
    } rows[] = {{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {1023, 10}, {1024, 11}, {1 << 30, 11}};
    struct scene s;
    scene_begin(&s);
    uint64_t sum = 0;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct board_slot *slot = &s.m.board->slots[1];
        uint64_t before = slot->depths[rows[i].depth];
        record_queue(&s.m, 1, rows[i].queued, 4);
        sum += rows[i].queued;
        cr_expect_eq(slot->depths[rows[i].depth], before + 1, "%llu",
                     (unsigned long long)rows[i].queued);
        cr_expect_eq(slot->queued, rows[i].queued);
        cr_expect_eq(slot->drops, 4);
        cr_expect_eq(slot->depth_sum, sum);
    }
    scene_end(&s);
}

/* What is logged at info or above, also when it is not shown; not once the process is another. */
Test(record, has_what_is_logged_as_events)
{
    struct scene s;
    struct board_event event;
    speak_english();
    scene_begin(&s);
    log_set_level(LOG_ERROR);
    log_info("worker %d (pid %d) accepts", 3, 4711);
    log_debug("not this");
    errno = ENOENT;
    log_warn("a file\nof two lines");
    cr_assert_eq(s.m.board->event_count, 2);
    cr_assert(board_event(s.m.board, 1, &event));
    cr_expect_str_eq(event.text, "worker 3 (pid 4711) accepts");
    cr_expect_eq(event.level, LOG_INFO);
    cr_expect_gt(event.date, INT64_C(1000000000000));
    cr_assert(board_event(s.m.board, 2, &event));
    cr_expect_str_eq(event.text, "a file?of two lines: No such file or directory");
    cr_expect_eq(event.level, LOG_WARN);
    record_leave(&s.m);
    log_warnx("a child's");
    cr_expect_eq(s.m.board->event_count, 2);
    scene_end(&s);
}
