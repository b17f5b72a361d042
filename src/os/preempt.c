#include "os/preempt.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
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

/* Children that an application starts have the usual policy. */
static bool become(bool is_batch)
{
    const struct sched_param none = {0};
    int policy = is_batch ? SCHED_BATCH : SCHED_OTHER;
    return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &none) == 0;
}

static bool read_waits(struct preempt_waits *waits)
{
    char text[96];
    unsigned long long nanoseconds = 0, times = 0;
    int fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    if (sscanf(text, "%*u %llu %llu", &nanoseconds, &times) != 2)
        return false;
    *waits = (struct preempt_waits){.nanoseconds = nanoseconds, .times = times};
    return true;
}

void preempt_open(struct preempt *preempt, enum preemption wanted, int64_t now)
{
    *preempt = (struct preempt){.pause = PAUSE_MS, .look_at = now + LOOK_MS};
    if (wanted == PREEMPT_YES || sched_getscheduler(0) != SCHED_OTHER)
        return;
    preempt->is_batch = become(true);
    preempt->is_auto = wanted == PREEMPT_AUTO && preempt->is_batch && read_waits(&preempt->before);
}

bool preempt_has_waited_long(struct preempt *preempt, const struct preempt_waits *waits)
{
    uint64_t times = waits->times - preempt->before.times;
    uint64_t nanoseconds = waits->nanoseconds - preempt->before.nanoseconds;
    preempt->before = *waits;
    return times >= LONG_MIN && nanoseconds / times >= LONG_NS;
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
    if (!read_waits(&waits)) {
        preempt->is_auto = false; /* there are no files left, say */
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
