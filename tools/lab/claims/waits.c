/* Waits: how late one ends, what ends it early, and what it costs not to have one. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"
#include "lab/trial/stats.h"

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
        pause_us(WAIT_US);
    } else {
        need(timerfd_settime(fd, 0, &once, NULL), "timerfd_settime");
        need((int)read(fd, &expired, sizeof expired), "read");
    }
}

/* Overshoot in us: the first quartile, which is of the wait itself; what other processes of the
 * machine add is in the others. */
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
    return stats_quantile(us, samples, 250);
}

void try_select_timer(struct finding *f, bool is_quick)
{
    size_t samples = is_quick ? 40 : SAMPLES_MAX;
    int slack = need(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), "PR_GET_TIMERSLACK");
    double usual[TIMERS], tight[TIMERS];
    for (int t = 0; t < TIMERS; t++)
        usual[t] = late_us((enum timer)t, samples);
    need(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0), "PR_SET_TIMERSLACK");
    for (int t = 0; t < TIMERS; t++)
        tight[t] = late_us((enum timer)t, samples);
    /* What tells: less slack makes it as much less late, or it is not later than others anyway. */
    bool is_slack = usual[BY_SELECT] - tight[BY_SELECT] > (double)slack / 1e3 * 0.3;
    bool is_as_good = usual[BY_SELECT] < usual[BY_TIMERFD] + 10;
    enum verdict verdict = is_slack ? CLAIM_DEPENDS : is_as_good ? CLAIM_HOLDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s1 ms by select ends %.0f us late (first quartile of %zu), nanosleep "
                "%.0f, timerfd %.0f with the slack of %d us that processes have; with 1 ns "
                "(PR_SET_TIMERSLACK) %.0f, %.0f and %.0f us",
                depends_on(verdict, "the timer slack"), usual[BY_SELECT], samples,
                usual[BY_NANOSLEEP], usual[BY_TIMERFD], slack / 1000, tight[BY_SELECT],
                tight[BY_NANOSLEEP], tight[BY_TIMERFD]);
}

/* ------------------------------------------------------------------------- interruption */

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
    (void)signal;
    alarms++;
}

enum sleeper { IN_SELECT, IN_POLL, IN_EPOLL_WAIT, IN_RECV, SLEEPERS };

/* Sleeps for up to 200 ms while a signal comes after 5. The errno, 0: none. */
static int interrupted(enum sleeper sleeper, struct fixture_pair pair)
{
    /* Again and again: the first may come before the wait has begun. */
    struct itimerval soon = {.it_value.tv_usec = 5000, .it_interval.tv_usec = 5000};
    struct itimerval never = {.it_value.tv_usec = 0};
    struct timeval time = {.tv_usec = 200000};
    struct pollfd item = {.fd = pair.server, .events = POLLIN};
    struct epoll_event event;
    char byte;
    int n, epoll = fixture_epoll();
    need(setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), "SO_RCVTIMEO");
    need(setitimer(ITIMER_REAL, &soon, NULL), "setitimer");
    if (sleeper == IN_SELECT)
        n = select(0, NULL, NULL, NULL, &time);
    else if (sleeper == IN_POLL)
        n = poll(&item, 1, 200);
    else if (sleeper == IN_EPOLL_WAIT)
        n = epoll_wait(epoll, &event, 1, 200);
    else
        n = (int)recv(pair.server, &byte, 1, 0);
    int error = n < 0 ? errno : 0;
    need(setitimer(ITIMER_REAL, &never, NULL), "setitimer");
    return error;
}

void try_interrupted(struct finding *f, bool is_quick)
{
    (void)is_quick;
    int errors[SLEEPERS], count = 0;
    struct sigaction action = {.sa_handler = count_alarm, .sa_flags = SA_RESTART};
    struct fixture_pair pair = fixture_pair();
    need(sigaction(SIGALRM, &action, NULL), "sigaction");
    for (int s = 0; s < SLEEPERS; s++) {
        errors[s] = interrupted((enum sleeper)s, pair);
        count += s < IN_RECV && errors[s] == EINTR;
    }
    finding_set(
        f, count == 3 ? CLAIM_HOLDS : CLAIM_FAILS,
        "a handler with SA_RESTART was run during a wait each (%d times in all): select: %s, poll: "
        "%s, epoll_wait: %s; recv of a socket with SO_RCVTIMEO: %s",
        (int)alarms, error_name(errors[IN_SELECT]), error_name(errors[IN_POLL]),
        error_name(errors[IN_EPOLL_WAIT]), error_name(errors[IN_RECV]));
}

/* ------------------------------------------------------------------------------ polling */

#define POLLING_US 50000

void try_busy_polling(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct fixture_pair pair = fixture_pair();
    uint64_t calls = 0;
    char byte;
    int64_t begun = fixture_wall_ns(), cpu = fixture_cpu_ns();
    for (; fixture_wall_ns() - begun < POLLING_US * 1000; calls++)
        if (recv(pair.server, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
            give_up("could not be tried: recv of an empty socket did not say EAGAIN");
    double busy = (double)(fixture_cpu_ns() - cpu) / 1e3;
    cpu = fixture_cpu_ns();
    fixture_readable(pair.server, POLLING_US / 1000);
    double idle = (double)(fixture_cpu_ns() - cpu) / 1e3;
    finding_set(f, busy > 100 * idle ? CLAIM_HOLDS : CLAIM_FAILS,
                "in %d ms of waiting for one byte recv said EAGAIN %llu times and took %.0f us of "
                "CPU, one poll %.0f us",
                POLLING_US / 1000, (unsigned long long)calls, busy, idle);
}
