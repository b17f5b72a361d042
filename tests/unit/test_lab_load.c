#include "lab/client/load.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

#define NEAR(got, want, by) \
    cr_expect(fabs((got) - (want)) <= (by), "%.9g, not %.9g", (double)(got), (double)(want))

/* ---- dice -------------------------------------------------------------------------------- */

Test(lab_dice, same_seed_same_numbers)
{
    /* The first two of splitmix64 from 0, as its author's program prints them. */
    struct dice dice;
    dice_init(&dice, 0);
    cr_expect(dice_throw(&dice) == UINT64_C(0xe220a8397b1dcdaf));
    cr_expect(dice_throw(&dice) == UINT64_C(0x6e789e6aa1b965f4));
}

Test(lab_dice, below_is_below)
{
    struct dice dice;
    bool seen[3] = {false};
    dice_init(&dice, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t n = dice_below(&dice, 3);
        cr_assert(n < 3);
        seen[n] = true;
    }
    cr_expect(seen[0] && seen[1] && seen[2]);
}

/* Sums by hand for s = 1.2 and 16 faces: n^-1.2 make 2.737561, n^-0.2 make 11.039639. */
Test(lab_dice, zipf_by_hand)
{
    enum { THROWS = 100000 };
    struct dice dice;
    unsigned count[DICE_ZIPF_MAX + 1] = {0};
    double sum = 0;
    dice_init(&dice, 7);
    NEAR(dice_zipf_mean(&dice), 4.032655, 1e-6);
    for (int i = 0; i < THROWS; i++) {
        unsigned n = dice_zipf(&dice);
        cr_assert(n >= 1 && n <= DICE_ZIPF_MAX);
        count[n]++;
        sum += n;
    }
    NEAR(count[1] / (double)THROWS, 0.365289, 0.005);
    NEAR(count[2] / (double)THROWS, 0.159001, 0.005);
    NEAR(count[16] / (double)THROWS, 0.013113, 0.002);
    NEAR(sum / THROWS, 4.032655, 0.05);
}

/* ---- when connections are due ---------------------------------------------------------------- */

static struct client_result result;

static void start(struct load *load, const struct client_plan *plan)
{
    memset(&result, 0, sizeof result);
    load_init(load, plan, &result);
    load_start(load, 1000);
}

Test(lab_load, closed_loop_is_due_now)
{
    struct client_plan plan = {.seats = 1, .connections = 2, .requests = 1};
    struct load load;
    start(&load, &plan);
    cr_expect(load_due(&load, 5000) == 5000);
    load.begun = 2;
    cr_expect(load_due(&load, 5000) == CLOCK_NEVER);
}

Test(lab_load, open_loop_is_due_by_the_clock)
{
    struct client_plan plan = {
        .seats = 1, .per_minute = 60000, .duration_us = 10000, .requests = 1};
    struct load load;
    start(&load, &plan);
    load.begun = 3; /* a thousand a second: the fourth one 3 ms after the start */
    cr_expect(load_due(&load, 99000) == 4000);
    load.begun = 9;
    cr_expect(load_due(&load, 99000) == 10000);
    load.begun = 10;
    cr_expect(load_due(&load, 99000) == CLOCK_NEVER);
}

Test(lab_load, all_at_once_are_due_at_the_start)
{
    struct client_plan plan = {.seats = 5, .connections = 5, .at_once = true, .requests = 1};
    struct load load;
    start(&load, &plan);
    load.begun = 4;
    cr_expect(load_due(&load, 99000) == 1000);
    load.begun = 5;
    cr_expect(load_due(&load, 99000) == CLOCK_NEVER);
}

Test(lab_load, without_seats_none_is_due)
{
    struct client_plan plan = {.idle = 3, .is_burst = true, .requests = 1};
    struct load load;
    start(&load, &plan);
    cr_expect(load_due(&load, 1000) == CLOCK_NEVER);
}

Test(lab_load, what_was_due_and_not_begun_is_lost)
{
    struct client_plan plan = {
        .seats = 1, .per_minute = 60000, .duration_us = 10000, .requests = 1};
    struct load load;
    start(&load, &plan);
    load.begun = 4; /* of ten */
    load_give_up(&load);
    cr_expect(result.lost[OUTCOME_SILENT] == 6);
}

Test(lab_load, requests_of_a_connection)
{
    struct client_plan plan = {.seats = 1, .asks = true, .requests = 3, .cost_us = 250};
    struct load load;
    start(&load, &plan);
    cr_expect(load_draw(&load) == 3);
    struct span text = load_request(&load, false);
    cr_expect(memmem(text.p, text.n, "/cost/250 ", 10) != NULL);
    cr_expect(memmem(text.p, text.n, "close", 5) == NULL);
    text = load_request(&load, true);
    cr_expect(memmem(text.p, text.n, "close", 5) != NULL);
    plan.asks = false;
    cr_expect(load_draw(&load) == 1);
    cr_expect(load_request(&load, true).n == 0);
}

/* ---- score -------------------------------------------------------------------------------- */

static void greet(struct score_call *call, int64_t accepted_us)
{
    struct session_stamp stamp = {.worker = 3, .accepted_us = accepted_us};
    struct buf out = {.p = NULL};
    session_greet(&stamp, &out);
    cr_assert(out.len == sizeof call->answer);
    memcpy(call->answer, out.p, out.len);
    buf_free(&out);
}

Test(lab_score, answers_count_from_when_they_were_due)
{
    struct score score = {.result = &result, .late_us = 100, .began_us = 1000};
    struct score_call call = {.begun_us = 1000, .due_us = 1000};
    greet(&call, 1040);
    score_answer(&score, &call, 1100);
    cr_expect(result.served == 1 && result.late == 0);
    cr_expect(result.accept.total == 1 && histogram_max(&result.accept) == 40);
    call.due_us = 1200;
    score_answer(&score, &call, 1301); /* the next one, on the same connection */
    cr_expect(result.served == 1 && result.late == 1);
    cr_expect(histogram_max(&result.answer) == 101);
    cr_expect(result.accept.total == 1, "a connection is accepted once");
    cr_expect(result.elapsed_us == 301);
}

Test(lab_score, no_stamp_is_malformed)
{
    struct score score = {.result = &result};
    struct score_call call = {.due_us = 1};
    memset(call.answer, 'x', sizeof call.answer);
    score_answer(&score, &call, 2);
    cr_expect(result.served == 0 && result.lost[OUTCOME_MALFORMED] == 1);
}

struct cause {
    const char *name;
    struct score_call call;
    int error;
    enum outcome outcome;
};

Test(lab_score, causes)
{
    static const struct cause causes[] = {
        {"no listener", {.got = 0}, ECONNREFUSED, OUTCOME_REFUSED},
        {"no port", {.got = 0}, EADDRNOTAVAIL, OUTCOME_LOCAL},
        {"reset while new", {.is_connected = true}, ECONNRESET, OUTCOME_RESET},
        {"closed while new", {.is_connected = true}, 0, OUTCOME_CLOSED},
        {"reset while kept", {.is_connected = true, .is_kept = true}, EPIPE, OUTCOME_UNANSWERED},
        {"closed while kept", {.is_connected = true, .is_kept = true}, 0, OUTCOME_UNANSWERED},
        {"reset within", {.is_connected = true, .got = 9}, ECONNRESET, OUTCOME_RESET_IN_ANSWER},
        {"ended within", {.is_connected = true, .got = 9}, 0, OUTCOME_CUT_SHORT},
    };
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        cr_expect(score_cause(&causes[i].call, causes[i].error) == causes[i].outcome, "%s",
                  causes[i].name);
}
