#include "worker/deadlines.h"

#include "base/clock.h"
#include "support.h"

/* Milliseconds; a header's is the longest, and a linger never expires. */
static const struct deadlines lengths = {
    .length = {
        [DEADLINE_HEADER] = 100, [DEADLINE_BODY] = 30, [DEADLINE_SEND] = 20, [DEADLINE_IDLE] = 50}};

/* `one` is armed, or disarmed with DEADLINE_NONE, at `now`; 0 ends the list. */
struct arming {
    int one;
    enum deadline_kind kind;
    int64_t now;
};

static const struct {
    const char *name;
    struct arming armings[6];
    int64_t next;       /* after them */
    int64_t now;        /* then what is due is taken until nothing is */
    const char *due;    /* the numbers of what comes, in this order */
    int64_t next_after; /* what is left; -1: nothing */
} rows[] = {
    {"nothing", {{0}}, CLOCK_NEVER, 1000, "", CLOCK_NEVER},
    {"not yet", {{0, DEADLINE_HEADER, 5}}, 105, 104, "", 105},
    {"just now", {{0, DEADLINE_HEADER, 5}}, 105, 105, "0", CLOCK_NEVER},
    {"late", {{0, DEADLINE_HEADER, 5}}, 105, 9999, "0", CLOCK_NEVER},
    {"first in, first out",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {2, DEADLINE_IDLE, 2}},
     51,
     52,
     "012",
     CLOCK_NEVER},
    {"only what is due",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {2, DEADLINE_IDLE, 3}},
     51,
     52,
     "01",
     53},
    {"the nearest of several kinds",
     {{0, DEADLINE_HEADER, 1}, {1, DEADLINE_BODY, 1}, {2, DEADLINE_SEND, 2}, {3, DEADLINE_IDLE, 3}},
     22,
     31,
     "12",
     53},
    {"armed again goes to the end",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {0, DEADLINE_IDLE, 3}},
     52,
     53,
     "10",
     CLOCK_NEVER},
    {"armed again alone", {{0, DEADLINE_IDLE, 1}, {0, DEADLINE_IDLE, 9}}, 59, 58, "", 59},
    {"armed for another kind", {{0, DEADLINE_IDLE, 1}, {0, DEADLINE_SEND, 9}}, 29, 51, "0", -1},
    {"disarmed", {{0, DEADLINE_IDLE, 1}, {0, DEADLINE_NONE, 2}}, CLOCK_NEVER, 99, "", -1},
    {"never armed, disarmed", {{0, DEADLINE_NONE, 2}}, CLOCK_NEVER, 99, "", -1},
    {"disarmed twice",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {0, DEADLINE_NONE, 2}, {0, DEADLINE_NONE, 2}},
     52,
     99,
     "1",
     -1},
    {"the first is disarmed",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {2, DEADLINE_IDLE, 3}, {0, DEADLINE_NONE, 4}},
     52,
     99,
     "12",
     -1},
    {"the middle one is disarmed",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {2, DEADLINE_IDLE, 3}, {1, DEADLINE_NONE, 4}},
     51,
     99,
     "02",
     -1},
    {"the last is disarmed, and one armed behind it",
     {{0, DEADLINE_IDLE, 1}, {1, DEADLINE_IDLE, 2}, {1, DEADLINE_NONE, 3}, {2, DEADLINE_IDLE, 4}},
     51,
     99,
     "02",
     -1},
    {"a kind without a length never expires",
     {{0, DEADLINE_LINGER, 1}},
     CLOCK_NEVER,
     1LL << 60,
     "",
     -1},
    {"what was armed before is forgotten for it",
     {{0, DEADLINE_IDLE, 1}, {0, DEADLINE_LINGER, 2}},
     CLOCK_NEVER,
     99,
     "",
     -1},
};

static void arm_all(struct deadlines *all, struct deadline *ones, const struct arming *armings)
{
    for (int i = 0; i < 6 && armings[i].now > 0; i++) {
        struct deadline *one = &ones[armings[i].one];
        if (armings[i].kind == DEADLINE_NONE)
            deadlines_disarm(all, one);
        else
            deadlines_arm(all, one, armings[i].kind, armings[i].now);
    }
}

Test(deadlines, what_is_due_and_in_which_order)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct deadlines all = lengths;
        struct deadline ones[4] = {{0}};
        struct deadline *due;
        enum deadline_kind kind;
        char text[8] = "";
        arm_all(&all, ones, rows[i].armings);
        cr_expect_eq(deadlines_next(&all), rows[i].next, "%s: next %lld", rows[i].name,
                     (long long)deadlines_next(&all));
        for (size_t n = 0; (due = deadlines_due(&all, rows[i].now, &kind)); n++) {
            cr_assert_lt(n, sizeof text - 1, "%s", rows[i].name);
            cr_expect_neq(kind, DEADLINE_NONE, "%s", rows[i].name);
            cr_expect_eq(due->kind, DEADLINE_NONE, "%s: is disarmed", rows[i].name);
            text[n] = (char)('0' + (due - ones));
        }
        cr_expect_str_eq(text, rows[i].due, "%s: %s", rows[i].name, text);
        int64_t left = rows[i].next_after < 0 ? CLOCK_NEVER : rows[i].next_after;
        cr_expect_eq(deadlines_next(&all), left, "%s: left %lld", rows[i].name,
                     (long long)deadlines_next(&all));
    }
}

Test(deadlines, due_tells_the_kind)
{
    for (enum deadline_kind k = DEADLINE_NONE + 1; k < DEADLINE_KINDS; k++) {
        struct deadlines all = {.length = {0}};
        struct deadline one = {0};
        enum deadline_kind kind = DEADLINE_NONE;
        all.length[k] = 10;
        deadlines_arm(&all, &one, k, 0);
        cr_expect_eq(one.kind, k);
        cr_expect_eq(one.at, 10);
        cr_expect_null(deadlines_due(&all, 9, &kind));
        cr_expect_eq(deadlines_due(&all, 10, &kind), &one);
        cr_expect_eq(kind, k);
    }
}

/* ------------------------------------------------------------- against a list that is naive */

#define MANY 40

struct model {
    struct deadlines all;
    struct deadline ones[MANY];
    int64_t at[MANY]; /* CLOCK_NEVER: not armed */
    int64_t now;
    unsigned seed;
};

static int64_t naive_next(const struct model *m)
{
    int64_t next = CLOCK_NEVER;
    for (int i = 0; i < MANY; i++)
        next = m->at[i] < next ? m->at[i] : next;
    return next;
}

static void step(struct model *m)
{
    int i = (int)(next_random(&m->seed) % MANY);
    unsigned what = next_random(&m->seed) % (DEADLINE_KINDS + 2);
    m->now += next_random(&m->seed) % 4;
    if (what >= DEADLINE_KINDS || what == DEADLINE_NONE) {
        deadlines_disarm(&m->all, &m->ones[i]);
        m->at[i] = CLOCK_NEVER;
    } else {
        int64_t length = lengths.length[what];
        deadlines_arm(&m->all, &m->ones[i], (enum deadline_kind)what, m->now);
        m->at[i] = length ? m->now + length : CLOCK_NEVER;
    }
    cr_assert_eq(deadlines_next(&m->all), naive_next(m));
    enum deadline_kind kind;
    struct deadline *due;
    while ((due = deadlines_due(&m->all, m->now, &kind))) {
        cr_assert_leq(m->at[due - m->ones], m->now, "what comes is due");
        m->at[due - m->ones] = CLOCK_NEVER;
    }
    cr_assert_gt(naive_next(m), m->now, "all that was due has come");
}

Test(deadlines, a_random_walk_agrees_with_a_naive_list)
{
    struct model m = {.all = lengths, .seed = 42};
    for (int i = 0; i < MANY; i++)
        m.at[i] = CLOCK_NEVER;
    for (int i = 0; i < 20000; i++)
        step(&m);
}
