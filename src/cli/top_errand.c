#include "cli/top_errand.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "os/child.h"
#include "os/pass.h"

/* Bytes of one write: no stdio's buffer is larger. */
#define PIECE 4096

/* stdout and stderr are the socket: what is printed goes up as messages, a write each. */
static int run(int up, pid_t parent, errand_fn *work, const void *context)
{
    int give = -1;
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || child_tie(parent) < 0 ||
        dup2(up, STDOUT_FILENO) < 0 || dup2(up, STDERR_FILENO) < 0)
        return EX_OSERR;
    int status = work(context, &give);
    fflush(stdout);
    if (give >= 0 && pass_send(up, "", 1, &give, 1) < 0)
        return EX_OSERR;
    return status;
}

int errand_begin(struct errand *errand, errand_fn *work, const void *context)
{
    int ends[2];
    pid_t self = getpid();
    *errand = (struct errand){.fd = -1, .given = -1};
    if (pass_pair(ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(ends[1], self, work, context));
    int saved = errno;
    close(ends[1]);
    if (pid > 0)
        errand->pid = pid, errand->fd = ends[0];
    else
        close(ends[0]);
    errno = saved;
    return pid > 0 ? 0 : -1;
}

static void end(struct errand *errand)
{
    int status;
    pid_t got;
    close(errand->fd);
    do
        got = waitpid(errand->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    errand->status = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
    errand->pid = 0;
    errand->fd = -1;
}

bool errand_turn(struct errand *errand)
{
    for (;;) {
        char text[PIECE + 1];
        int given = -1;
        size_t count = 1;
        ssize_t n = pass_receive(errand->fd, text, sizeof text - 1, &given, &count);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno == EMSGSIZE)
            continue;
        if (n <= 0)
            break;
        text[n] = '\0';
        if (count == 1)
            errand->given = given;
        size_t at = strlen(errand->words);
        snprintf(errand->words + at, sizeof errand->words - at, "%s", text);
    }
    end(errand);
    return true;
}

void errand_stop(struct errand *errand)
{
    if (errand->pid == 0)
        return;
    kill(errand->pid, SIGKILL);
    end(errand);
    if (errand->given >= 0)
        close(errand->given);
    errand->given = -1;
}
