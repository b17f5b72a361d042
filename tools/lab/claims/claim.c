#include "lab/claims/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/kernel/shared.h"
#include "os/child.h"

/* The longest experiment forks 10,000 processes; three times what it takes. */
#define CLAIM_TIME_MS 30000

static const char *const verdicts[] = {
    [CLAIM_HOLDS] = "holds",
    [CLAIM_FAILS] = "fails",
    [CLAIM_DEPENDS] = "depends",
    [CLAIM_UNKNOWN] = "unknown",
};
_Static_assert(sizeof verdicts / sizeof *verdicts == VERDICT_COUNT, "a name a verdict");

const char *verdict_name(enum verdict verdict)
{
    return verdicts[verdict];
}

void finding_set(struct finding *finding, enum verdict verdict, const char *format, ...)
{
    va_list args;
    finding->verdict = verdict;
    va_start(args, format);
    vsnprintf(finding->evidence, sizeof finding->evidence, format, args);
    va_end(args);
}

/*
 * Waits for its end, and ends it when that takes too long. The pipe's other end is held by the
 * process and all that it forks, who are tied to it: its end of file is the end of all of them.
 */
static void await(pid_t pid, int pipe_end, struct finding *finding)
{
    char words[128];
    int ended, status = 0;
    struct pollfd item = {.fd = pipe_end, .events = POLLIN};
    do
        ended = poll(&item, 1, CLAIM_TIME_MS);
    while (ended < 0 && errno == EINTR);
    if (ended <= 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (ended <= 0) {
        finding_set(finding, CLAIM_UNKNOWN, "the experiment did not end within %d s",
                    CLAIM_TIME_MS / 1000);
    } else if (status != 0) {
        child_describe(status, words, sizeof words);
        finding_set(finding, CLAIM_UNKNOWN, "the experiment ended early: %s", words);
    }
}

/* In the process of the experiment. */
static void run(const struct claim *claim, struct finding *finding, bool is_quick, pid_t parent)
{
    if (child_tie(parent) < 0)
        _exit(1);
    fixture_begin(finding);
    claim->try(finding, is_quick);
    _exit(0);
}

/* -1 with errno set. */
static int try_apart(const struct claim *claim, struct finding *finding, bool is_quick)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    fflush(NULL); /* what is buffered is to be written once */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        run(claim, finding, is_quick, parent);
    int saved = errno;
    close(ends[1]);
    if (pid > 0)
        await(pid, ends[0], finding);
    close(ends[0]);
    errno = saved;
    return pid < 0 ? -1 : 0;
}

int claim_try(const struct claim *claim, struct finding *finding, bool is_quick)
{
    struct finding *shared = shared_open(sizeof *shared);
    if (!shared)
        return -1;
    finding_set(shared, CLAIM_UNKNOWN, "the experiment found nothing");
    int result = try_apart(claim, shared, is_quick);
    int saved = errno;
    *finding = *shared;
    shared_close(shared, sizeof *shared);
    errno = saved;
    return result;
}
