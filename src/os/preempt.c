#include "os/preempt.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Waits so long on average, and so many of them, are long: clients that wait for its answers cause
 * 0.03 to 0.65 ms (64, kept and a connection a request), whoever needs the CPU for himself more. */
#define LONG_NS  1000000
#define LONG_MIN 8

/* Between two looks. */
#define LOOK_MS 50

/* It preempts for so long, doubled each time. */
#define PAUSE_MS     2000
#define PAUSE_MAX_MS 64000

/* By the kernel's own call: musl's functions of that name do nothing. */
static bool become(bool is_batch)
{
    const struct sched_param none = {0};
    return syscall(SYS_sched_setscheduler, 0, is_batch ? SCHED_BATCH : SCHED_OTHER, &none) == 0;
}

static bool read_waits(const struct preempt *preempt, struct preempt_waits *waits)
{
    char text[96];
    unsigned long long nanoseconds = 0, times = 0;
    ssize_t n = preempt->schedstat < 0 ? -1 : pread(preempt->schedstat, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = '\0';
    if (sscanf(text, "%*u %llu %llu", &nanoseconds, &times) != 2 || times == 0)
        return false;
    *waits = (struct preempt_waits){.nanoseconds = nanoseconds, .times = times};
    return true;
}

/* Where it cannot look, it preempts. */
static void open_auto(struct preempt *preempt)
{
    preempt->schedstat = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    preempt->is_auto = read_waits(preempt, &preempt->before) && become(true);
    preempt->is_batch = preempt->is_auto;
    if (!preempt->is_auto)
        preempt_close(preempt);
}

void preempt_open(struct preempt *preempt, enum preemption wanted, int64_t now)
{
    *preempt = (struct preempt){.schedstat = -1, .pause = PAUSE_MS, .look_at = now + LOOK_MS};
    if (wanted == PREEMPT_YES || syscall(SYS_sched_getscheduler, 0) != SCHED_OTHER)
        return;
    if (wanted == PREEMPT_AUTO)
        open_auto(preempt);
    else
        preempt->is_batch = become(true);
}

void preempt_close(struct preempt *preempt)
{
    if (preempt->schedstat >= 0)
        close(preempt->schedstat);
    preempt->schedstat = -1;
    preempt->is_auto = false;
}

/* A few say little: they count together with those that come. */
bool preempt_has_waited_long(struct preempt *preempt, const struct preempt_waits *waits)
{
    uint64_t times = waits->times - preempt->before.times;
    uint64_t nanoseconds = waits->nanoseconds - preempt->before.nanoseconds;
    if (times < LONG_MIN)
        return false;
    preempt->before = *waits;
    return nanoseconds / times >= LONG_NS;
}

/* Whatever time has gone by without a long wait, the pause is shorter by. */
static void forgive(struct preempt *preempt, int64_t milliseconds)
{
    preempt->pause -= milliseconds;
    if (preempt->pause < PAUSE_MS)
        preempt->pause = PAUSE_MS;
}

static void start_pause(struct preempt *preempt, int64_t now)
{
    preempt->is_batch = !become(false);
    preempt->look_at = now + preempt->pause;
    preempt->pause = 2 * preempt->pause < PAUSE_MAX_MS ? 2 * preempt->pause : PAUSE_MAX_MS;
}

void preempt_look(struct preempt *preempt, int64_t now)
{
    struct preempt_waits waits;
    bool was_batch = preempt->is_batch;
    if (!read_waits(preempt, &waits)) {
        become(false);
        preempt_close(preempt);
        return;
    }
    bool is_long = preempt_has_waited_long(preempt, &waits);
    if (was_batch && is_long) {
        start_pause(preempt, now);
        return;
    }
    forgive(preempt, now - preempt->look_at + (was_batch ? LOOK_MS : 0));
    if (!was_batch)
        preempt->is_batch = become(true);
    preempt->look_at = now + LOOK_MS;
}
