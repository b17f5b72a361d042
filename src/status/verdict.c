#include "status/verdict.h"

#include "base/limits.h"

bool verdict_healthy(const struct snapshot *s, struct buf *why)
{
    if (s->looked_ms_ago <= HEALTH_LOOK_MS) {
        buf_lit(why, "ok\n");
        return true;
    }
    buf_printf(why, "the master (pid %lld) does not look after its workers since %lld ms\n",
               (long long)s->pid, (long long)s->looked_ms_ago);
    return false;
}

static int unserved(const struct snapshot *s)
{
    int count = 0;
    for (int i = 0; i < s->slot_count; i++)
        count += !snapshot_is_served(&s->slots[i]);
    return count;
}

bool verdict_ready(const struct snapshot *s, struct buf *why)
{
    if (snapshot_is_ready(s)) {
        buf_lit(why, "ready\n");
        return true;
    }
    buf_printf(why, "not ready: %s", snapshot_phase(s));
    if (s->phase == BOARD_STARTING)
        buf_printf(why, ", %d of %llu workers accept", s->ready_count,
                   (unsigned long long)s->workers_wanted);
    if (s->phase == BOARD_SERVING)
        buf_printf(why, ", and %d of %d slots have no worker that accepts", unserved(s),
                   s->slot_count);
    buf_lit(why, "\n");
    return false;
}
