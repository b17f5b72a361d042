#include "status/verdict.h"

#include "support.h"
#include "worker/slot_state.h"

static struct snapshot snapshot;
static struct buf why;

static void init(void)
{
    snapshot.phase = BOARD_SERVING;
    snapshot.pid = 12;
    snapshot.slot_count = 3;
    for (int i = 0; i < 3; i++)
        snapshot.slots[i].board.state = SLOT_LIVE;
}

TestSuite(verdict, .init = init);

static void expect(bool (*verdict)(const struct snapshot *, struct buf *), bool is_good,
                   const char *words)
{
    buf_clear(&why);
    cr_expect_eq(verdict(&snapshot, &why), is_good);
    cr_expect_eq(why.len, strlen(words));
    cr_expect_eq(strncmp(why.p, words, why.len), 0, "%.*s", (int)why.len, why.p);
}

Test(verdict, healthy_as_long_as_the_master_looks)
{
    expect(verdict_healthy, true, "ok\n");
    snapshot.looked_ms_ago = HEALTH_LOOK_MS;
    expect(verdict_healthy, true, "ok\n");
    snapshot.phase = BOARD_STOPPING;
    expect(verdict_healthy, true, "ok\n");
    snapshot.looked_ms_ago = 60000;
    expect(verdict_healthy, false,
           "the master (pid 12) does not look after its workers since 60000 ms\n");
}

Test(verdict, ready_where_every_slot_is_served)
{
    expect(verdict_ready, true, "ready\n");
    snapshot.slots[1].board.state = SLOT_STALLED;
    snapshot.slots[1].board.adopter = 1;
    expect(verdict_ready, true, "ready\n");
    snapshot.slots[1].board.adopter = 0;
    expect(verdict_ready, false,
           "not ready: serving, and 1 of 3 slots have no worker that accepts\n");
}

Test(verdict, not_ready_while_it_starts_or_stops)
{
    static const struct {
        enum board_phase phase;
        const char *words;
    } cases[] = {{BOARD_STARTING, "not ready: starting, 1 of 3 workers accept\n"},
                 {BOARD_LAME, "not ready: lame-duck\n"},
                 {BOARD_STOPPING, "not ready: stopping\n"},
                 {BOARD_LEFT, "not ready: left\n"}};
    snapshot.workers_wanted = 3;
    snapshot.ready_count = 1;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        snapshot.phase = cases[i].phase;
        expect(verdict_ready, false, cases[i].words);
    }
}
