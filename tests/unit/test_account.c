#include "worker/account.h"

#include "rig.h"

#define BEGIN INT64_C(1000000) /* of a turn, in microseconds */

/* An account of a worker whose turn has begun. */
static void open_turn(struct rig *rig)
{
    open_env(rig);
    rig->env.now_us = BEGIN;
}

static void answer(struct rig *rig, int status, int64_t begun_us)
{
    rig->env.begun_us = begun_us;
    account_answer(&rig->env, status);
}

static uint64_t timed(const struct board_row *row)
{
    uint64_t sum = 0;
    for (int i = 0; i < BOARD_BUCKETS; i++)
        sum += row->times[i];
    return sum;
}

static uint64_t answered(const struct board_row *row)
{
    uint64_t sum = 0;
    for (int i = 0; i < BOARD_CLASSES; i++)
        sum += row->answers[i];
    return sum;
}

Test(account, counts_answers_at_once_and_their_times_at_the_end_of_the_turn)
{
    struct rig rig;
    open_turn(&rig);
    cr_expect_not(account_is_due(&rig.env.turn));
    for (int i = 0; i < 3; i++)
        answer(&rig, 200, 0);
    answer(&rig, 404, 0);
    cr_expect_eq(rig.row->requests, 4);
    cr_expect_eq(rig.row->answers[1], 3);
    cr_expect_eq(rig.row->answers[3], 1);
    cr_expect_eq(timed(rig.row), 0);
    cr_expect(account_is_due(&rig.env.turn));
    account_turn_end(&rig.env, BEGIN + 100);
    cr_expect_not(account_is_due(&rig.env.turn));
    cr_expect_eq(rig.row->times[board_bucket(100)], 4);
    cr_expect_eq(rig.row->time_us, 400);
    account_turn_end(&rig.env, BEGIN + 200);
    cr_expect_eq(timed(rig.row), 4, "each is counted once");
    close_rig(&rig);
}

Test(account, a_request_of_more_than_a_turn_has_its_own_time)
{
    struct rig rig;
    open_turn(&rig);
    answer(&rig, 200, BEGIN - 5000);
    answer(&rig, 200, 0);
    account_turn_end(&rig.env, BEGIN + 10);
    cr_expect_eq(rig.row->times[board_bucket(5010)], 1);
    cr_expect_eq(rig.row->times[board_bucket(10)], 1);
    cr_expect_eq(rig.row->time_us, 5020);
    close_rig(&rig);
}

Test(account, has_room_for_any_number_of_these)
{
    struct rig rig;
    open_turn(&rig);
    for (int i = 0; i < 3 * CONN_TURN_LATE_MAX + 1; i++)
        answer(&rig, 503, BEGIN - 7);
    account_turn_end(&rig.env, BEGIN + 1);
    cr_expect_eq(timed(rig.row), 3 * CONN_TURN_LATE_MAX + 1);
    cr_expect_eq(rig.row->answers[4], 3 * CONN_TURN_LATE_MAX + 1);
    close_rig(&rig);
}

Test(account, no_status_and_no_time_is_lost)
{
    struct rig rig;
    open_turn(&rig);
    static const int statuses[] = {101, 299, 999, 0, -1};
    for (size_t i = 0; i < LENGTH(statuses); i++)
        answer(&rig, statuses[i], 0);
    account_turn_end(&rig.env, BEGIN - 1); /* clocks do not do that */
    cr_expect_eq(answered(rig.row), LENGTH(statuses));
    cr_expect_eq(timed(rig.row), LENGTH(statuses));
    cr_expect_eq(rig.row->time_us, 0);
    close_rig(&rig);
}

/* ------------------------------------------------------------------------- the connections */

/* A connection to a worker whose turns take 10 us, one a millisecond. */
static void open_timed(struct rig *rig)
{
    open_turn(rig);
    open_conn(rig);
}

static void end_turn(struct rig *rig)
{
    account_turn_end(&rig->env, rig->env.now_us + 10);
    rig->env.now_us += 1000;
}

/* The client says it, and the turn is over. */
static void turn(struct rig *rig, const char *text)
{
    say(rig, text);
    end_turn(rig);
}

static void expect_times(const struct rig *rig, uint64_t requests, uint64_t time_us)
{
    cr_expect_eq(rig->row->requests, requests, "%llu requests", (unsigned long long)requests);
    cr_expect_eq(answered(rig->row), requests);
    cr_expect_eq(timed(rig->row), requests);
    cr_expect_eq(rig->row->time_us, time_us, "%llu us", (unsigned long long)rig->row->time_us);
}

Test(account, whole_requests_take_their_turn)
{
    struct rig rig;
    open_timed(&rig);
    turn(&rig, GET("/a"));
    expect_times(&rig, 1, 10);
    turn(&rig, GET("/a") GET("/none") GET("/b"));
    expect_times(&rig, 4, 40);
    cr_expect_eq(rig.row->answers[3], 1);
    close_rig(&rig);
}

Test(account, a_head_in_two_pieces_begins_with_the_first)
{
    struct rig rig;
    open_timed(&rig);
    turn(&rig, "GET /a HTT");
    expect_times(&rig, 0, 0);
    turn(&rig, "P/1.1\r\nHost: x\r\n");
    turn(&rig, "\r\n" GET("/b") "GET /c");
    expect_times(&rig, 2, 2010 + 10);
    turn(&rig, " HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_times(&rig, 3, 2020 + 1010);
    close_rig(&rig);
}

Test(account, a_body_in_two_pieces_too)
{
    struct rig rig;
    open_timed(&rig);
    rig.app.when = DROVER_WITH_BODY;
    turn(&rig, POST_PART);
    expect_times(&rig, 0, 0);
    turn(&rig, "cde" GET("/a"));
    expect_times(&rig, 2, 1010 + 10);
    close_rig(&rig);
}

Test(account, what_waits_for_its_turn_has_begun)
{
    struct rig rig;
    open_timed(&rig);
    char many[(PIPELINE_TURN_MAX + 2) * sizeof GET("/a")] = "";
    for (int i = 0; i < PIPELINE_TURN_MAX + 2; i++)
        strcat(many, GET("/a"));
    cr_assert_eq(client_send(&rig, many, strlen(many)), strlen(many));
    step(&rig);
    end_turn(&rig);
    expect_times(&rig, PIPELINE_TURN_MAX, 10 * PIPELINE_TURN_MAX);
    pump(&rig);
    end_turn(&rig);
    expect_times(&rig, PIPELINE_TURN_MAX + 2, 10 * PIPELINE_TURN_MAX + 2 * 1010);
    close_rig(&rig);
}

/* --------------------------------------------------------------------------------- later */

static struct drover_response *pending;

static void defer(void *context, const struct drover_request *request,
                  struct drover_response *response)
{
    struct drover_span path = drover_request_path(request);
    if (strcmp(path.p, "/later") != 0) {
        handle(context, request, response);
        return;
    }
    drover_response_defer(response);
    pending = response;
}

static void expire(struct rig *rig)
{
    enum deadline_kind kind;
    rig->env.now = deadlines_next(&rig->env.deadlines);
    deadlines_due(&rig->env.deadlines, rig->env.now, &kind);
    obey(rig, conn_expire(&rig->conn, &rig->env, kind));
    pump(rig);
    end_turn(rig);
}

Test(account, a_deferred_answer_has_the_time_until_then)
{
    struct rig rig;
    open_timed(&rig);
    rig.app.handle = defer;
    turn(&rig, GET("/later") GET("/a"));
    expect_times(&rig, 0, 0);
    drover_response_finish(pending);
    pump(&rig);
    end_turn(&rig);
    expect_times(&rig, 2, 2 * 1010);
    close_rig(&rig);
}

Test(account, one_that_never_comes_is_counted_when_it_is_given_up)
{
    struct rig rig;
    open_timed(&rig);
    rig.app.handle = defer;
    turn(&rig, GET("/later"));
    expire(&rig);
    expect_times(&rig, 1, 1010);
    cr_expect_eq(rig.row->answers[4], 1);
    say_goodbye(&rig);
    close_rig(&rig);
}

Test(account, refused_ones_count_once)
{
    static const struct {
        const char *text;
        int class;
    } rows[] = {
        {"NONSENSE\r\n\r\n", 4},
        {"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 4},
        {"BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 5},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n", 4},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct rig rig;
        open_timed(&rig);
        turn(&rig, rows[i].text);
        expect_times(&rig, 1, 10);
        cr_expect_eq(rig.row->answers[rows[i].class - 1], 1, "%s", rows[i].text);
        close_rig(&rig);
    }
}

Test(account, a_request_that_came_in_part_is_refused_with_its_time)
{
    struct rig rig;
    open_timed(&rig);
    turn(&rig, "GET /a HTT");
    expire(&rig);
    expect_times(&rig, 1, 1010);
    cr_expect_eq(rig.row->answers[3], 1, "408");
    say_goodbye(&rig);
    close_rig(&rig);
}

Test(account, bytes_are_all_that_the_client_has_got)
{
    struct rig rig;
    open_timed(&rig);
    turn(&rig, GET("/a") GET("/none"));
    turn(&rig, GET("/file/1000000"));
    cr_expect_gt(rig.got.len, 1000000);
    cr_expect_eq(rig.row->bytes, rig.got.len);
    expect_times(&rig, 3, 30);
    close_rig(&rig);
}

/* ------------------------------------------------------------------------- the worker's end */

/* In the middle of a turn: what had been answered is counted with the mean of the others. */
Test(account, adds_up_when_the_worker_ends)
{
    struct rig rig;
    open_turn(&rig);
    answer(&rig, 200, 0);
    account_turn_end(&rig.env, BEGIN + 100);
    answer(&rig, 200, 0);
    answer(&rig, 404, 0);
    rig.row->answers[1]++; /* it was killed right behind that */
    board_leave(rig.row, NULL);
    expect_times(&rig, 4, 400);
    close_rig(&rig);
}
