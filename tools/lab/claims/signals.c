/* Signal-driven I/O: how many signals come of how many events. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

#define EVENTS 100

struct pending {
    int own;   /* of the signal that was asked for */
    int plain; /* SIGIO */
};

/* Takes all blocked signals that are pending. */
static struct pending take_pending(const sigset_t *set)
{
    struct pending pending = {0};
    struct timespec none = {0};
    for (int signal; (signal = sigtimedwait(set, NULL, &none)) > 0;)
        *(signal == SIGIO ? &pending.plain : &pending.own) += 1;
    return pending;
}

/* One byte after the other comes for a socket in O_ASYNC mode whose signals are blocked. 0: no
 * F_SETSIG. */
static struct pending signals_of(int own)
{
    sigset_t set;
    struct fixture_pair pair = fixture_unix();
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGRTMIN);
    need(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
    need(fcntl(pair.server, F_SETOWN, getpid()), "F_SETOWN");
    need(fcntl(pair.server, F_SETSIG, own), "F_SETSIG");
    int flags = need(fcntl(pair.server, F_GETFL), "F_GETFL");
    need(fcntl(pair.server, F_SETFL, flags | O_ASYNC), "O_ASYNC");
    for (int i = 0; i < EVENTS; i++)
        fixture_send(pair.client, 1);
    struct pending pending = take_pending(&set);
    close(pair.server);
    close(pair.client);
    return pending;
}

#define QUEUE_LIMIT 32

void try_sigio(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct pending plain = signals_of(0), queued = signals_of(SIGRTMIN);
    struct rlimit limit;
    need(getrlimit(RLIMIT_SIGPENDING, &limit), "getrlimit");
    limit.rlim_cur = QUEUE_LIMIT;
    need(setrlimit(RLIMIT_SIGPENDING, &limit), "setrlimit");
    struct pending full = signals_of(SIGRTMIN);
    bool coalesce = plain.plain < EVENTS, do_not = queued.own == EVENTS;
    enum verdict verdict = coalesce && do_not ? CLAIM_DEPENDS
                           : coalesce         ? CLAIM_HOLDS
                                              : CLAIM_FAILS;
    finding_set(f, verdict,
                "%sof %d events while it was blocked, SIGIO came %d time, a real-time "
                "signal by F_SETSIG %d times; with RLIMIT_SIGPENDING %d, %d of these and SIGIO %d "
                "time for all the rest",
                depends_on(verdict, "the signal"), EVENTS, plain.plain, queued.own, QUEUE_LIMIT,
                full.own, full.plain);
}

/* ------------------------------------------------------------------------------ SIGPIPE */

static volatile sig_atomic_t pipes;

static void count_pipe(int signal)
{
    (void)signal;
    pipes++;
}

void try_sigpipe(struct finding *f, bool is_quick)
{
    (void)is_quick;
    struct sigaction action = {.sa_handler = count_pipe};
    struct fixture_pair pair = fixture_pair();
    need(sigaction(SIGPIPE, &action, NULL), "sigaction");
    need(shutdown(pair.server, SHUT_WR), "shutdown");
    int error = send(pair.server, "x", 1, 0) < 0 ? errno : 0, raised = pipes;
    int quiet_error = send(pair.server, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0;
    int quiet = pipes - raised;
    bool holds = raised == 1 && error == EPIPE;
    enum verdict verdict = holds && quiet ? CLAIM_HOLDS : holds ? CLAIM_DEPENDS : CLAIM_FAILS;
    finding_set(f, verdict,
                "%safter shutdown(SHUT_WR) send gave %s and SIGPIPE %d time, with "
                "MSG_NOSIGNAL %s and SIGPIPE %d times",
                depends_on(verdict, "MSG_NOSIGNAL"), error_name(error), raised,
                error_name(quiet_error), quiet);
}
