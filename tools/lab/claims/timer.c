/* How late a timed wait returns. */
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

#define WAIT_US     1000
#define SAMPLES_MAX 100

enum timer { BY_SELECT, BY_NANOSLEEP, BY_TIMERFD, TIMERS };

static void wait_by(enum timer timer, int fd)
{
    struct timeval select_time = {.tv_usec = WAIT_US};
    struct itimerspec once = {.it_value.tv_nsec = WAIT_US * 1000};
    uint64_t expired;
    if (timer == BY_SELECT) {
        need(select(0, NULL, NULL, NULL, &select_time), "select");
    } else if (timer == BY_NANOSLEEP) {
        fixture_sleep_us(WAIT_US);
    } else {
        need(timerfd_settime(fd, 0, &once, NULL), "timerfd_settime");
        need((int)read(fd, &expired, sizeof expired), "read");
    }
}

/* Median overshoot in us; what else the machine does is in the worst alone. */
static double late_us(enum timer timer, size_t samples)
{
    double us[SAMPLES_MAX];
    int fd = need(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create");
    for (size_t i = 0; i < samples; i++) {
        int64_t begun = fixture_wall_ns();
        wait_by(timer, fd);
        us[i] = (double)(fixture_wall_ns() - begun) / 1e3 - WAIT_US;
    }
    close(fd);
    return fixture_median(us, samples);
}

void try_select_timer(struct finding *f, bool is_quick)
{
    size_t samples = is_quick ? 30 : SAMPLES_MAX;
    int slack = need(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), "PR_GET_TIMERSLACK");
    double usual[TIMERS], tight[TIMERS];
    for (int t = 0; t < TIMERS; t++)
        usual[t] = late_us((enum timer)t, samples);
    need(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0), "PR_SET_TIMERSLACK");
    for (int t = 0; t < TIMERS; t++)
        tight[t] = late_us((enum timer)t, samples);
    bool is_as_good = usual[BY_SELECT] < 1.5 * usual[BY_TIMERFD] + 5;
    bool becomes = tight[BY_SELECT] < 1.5 * tight[BY_TIMERFD] + 5;
    enum verdict verdict = is_as_good ? CLAIM_HOLDS : becomes ? CLAIM_DEPENDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s1 ms by select ends %.0f us late (median of %zu), nanosleep "
                "%.0f, timerfd %.0f with the slack of %d us that processes have; with 1 ns "
                "(PR_SET_TIMERSLACK) %.0f, %.0f and %.0f us",
                depends_on(verdict, "the timer slack"), usual[BY_SELECT], samples,
                usual[BY_NANOSLEEP], usual[BY_TIMERFD], slack / 1000, tight[BY_SELECT],
                tight[BY_NANOSLEEP], tight[BY_TIMERFD]);
}
