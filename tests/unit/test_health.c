#include "master/health.h"

#include "support.h"

/* A letter a slot: Empty, Starting, Live, Relieved, Hung, Aborted, Waiting, reFused; lower case:
 * away. */
static enum slot_state state_of(char letter)
{
    switch (letter) {
    case 'S': return SLOT_STARTING;
    case 'L':
    case 'l': return SLOT_LIVE;
    case 'R': return SLOT_RELIEVED;
    case 'H': return SLOT_STALLED;
    case 'A': return SLOT_ABORTED;
    case 'W': return SLOT_WAITING;
    case 'F': return SLOT_REFUSED;
    default: return SLOT_EMPTY;
    }
}

static struct health health_for(const char *slots)
{
    struct plan plan;
    struct health health;
    plan_init(&plan, 0, 0);
    for (; *slots; slots++) {
        struct plan_slot *slot = &plan.slots[plan_add_slot(&plan)];
        slot->state = state_of(*slots);
        slot->is_away = *slots == 'l';
        slot->ends = 6;
    }
    health_of(&plan, &health);
    return health;
}

static const struct {
    const char *slots;
    int wanted, accepting, stalled, refused, waiting, next;
    bool is_good;
} rows[] = {
    {"LLLL", 4, 4, 0, 0, 0, -1, true},      {"LLEE", 2, 2, 0, 0, 0, -1, true},
    {"llll", 4, 4, 0, 0, 0, -1, true},      {"RRRR", 4, 4, 0, 0, 0, -1, true},
    {"LHHH", 4, 1, 3, 0, 0, -1, true},      {"LHHHH", 5, 1, 4, 0, 0, -1, false},
    {"LAAAAAAA", 8, 1, 7, 0, 0, -1, false}, {"LLWWWWWW", 8, 2, 0, 0, 6, 2, true},
    {"HHHH", 4, 0, 4, 0, 0, -1, false},     {"EEEE", 0, 0, 0, 0, 0, -1, false},
    {"SSSS", 4, 0, 0, 0, 0, -1, false},     {"EFFF", 3, 0, 0, 3, 0, -1, false},
    {"L", 1, 1, 0, 0, 0, -1, true},         {"H", 1, 0, 1, 0, 0, -1, false},
    {"W", 1, 0, 0, 0, 1, 0, false},         {"ELEEWFHAS", 6, 1, 2, 1, 1, 4, false},
};

Test(health, counts_the_wanted_workers_by_what_they_do)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct health h = health_for(rows[i].slots);
        cr_expect_eq(h.wanted, rows[i].wanted, "%s: wanted %d", rows[i].slots, h.wanted);
        cr_expect_eq(h.accepting, rows[i].accepting, "%s: accepting %d", rows[i].slots,
                     h.accepting);
        cr_expect_eq(h.stalled, rows[i].stalled, "%s: stalled %d", rows[i].slots, h.stalled);
        cr_expect_eq(h.refused, rows[i].refused, "%s: refused %d", rows[i].slots, h.refused);
        cr_expect_eq(h.waiting, rows[i].waiting, "%s: waiting %d", rows[i].slots, h.waiting);
        cr_expect_eq(h.next, rows[i].next, "%s: next %d", rows[i].slots, h.next);
    }
}

Test(health, is_good_while_a_quarter_and_one_at_least_make_progress)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct health h = health_for(rows[i].slots);
        cr_expect_eq(health_is_good(&h), rows[i].is_good, "%s", rows[i].slots);
    }
}

Test(health, says_how_long_the_next_one_waits_all_in_all)
{
    cr_expect_eq(health_for("LWLW").delay, plan_delay(6));
    cr_expect_eq(health_for("LLLL").delay, 0);
}
