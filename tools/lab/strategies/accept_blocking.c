/*
 * accept-blocking: every worker waits in accept(2) on one listener, in blocking mode: preforking as
 * Stevens shows it.
 *
 * Waiters of accept are exclusive, and a new one stands at the end: a connection wakes one worker,
 * and the next connection the next one, in exact turns. No herd here since Linux 2.4.
 *
 * The price: a worker that waits in accept cannot wait for anything else. It serves one client to
 * its end, and a client that says nothing holds a whole worker.
 *
 * accept(2); Stevens, Fenner, Rudoff: UNIX Network Programming, chapter 30.
 */
#include <errno.h>
#include <sys/socket.h>

#include "lab/strategies/strategies.h"

static void run(struct lab_worker *worker)
{
    lab_worker_ready(worker->tally);
    for (;;) {
        int fd = accept4(worker->door, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            lab_worker_returned(worker);
            lab_worker_took(worker, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

const struct strategy strategy_accept_blocking = {
    .name = "accept-blocking",
    .teaches = "all wait in accept(2): one is woken, each in its turn, and a slow client holds a "
               "whole worker",
    .doors = DOORS_SHARED,
    .is_blocking = true,
    .takes_one = true,
    .run = run,
};
