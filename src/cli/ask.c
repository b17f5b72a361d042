#include "cli/ask.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/finder.h"
#include "cli/launch.h"
#include "os/pass.h"

/* How often another server is asked, which has taken over while it was. */
#define TRIES 3

static int fail(const struct request *request, int status, const char *why)
{
    const struct settings words = {.program = request->program};
    return launch_fail(&words, status, why);
}

/* "STATUS TEXT"; -1: it is not. */
static int parse(const char *answer, const char **text)
{
    char *end;
    long status = strtol(answer, &end, 10);
    if (!isdigit((unsigned char)*answer) || *end != ' ' || status > UINT8_MAX)
        return -1;
    *text = end + 1;
    return (int)status;
}

static int tell(const struct request *request, const char *answer)
{
    const char *text;
    int status = parse(answer, &text);
    if (status < 0)
        return fail(request, EX_PROTOCOL, "the server's answer cannot be understood");
    if (status)
        return fail(request, status, text);
    printf("%s: %s\n", request->done, text);
    return 0;
}

/* A server that was stopped closes the connection with its end: what it had can be had then. */
static void wait_for_end(int fd)
{
    char byte;
    ssize_t n;
    do
        n = pass_receive(fd, &byte, sizeof byte, NULL, NULL);
    while (n > 0);
}

/* Leaves the answer, ended by a NUL; false: there was none. */
static bool converse(const struct request *request, int fd, char *answer, size_t size)
{
    ssize_t n;
    /* A server that closes at once, with the request unread, has answered before that. */
    if (pass_send(fd, request->words, strlen(request->words), NULL, 0) < 0 && errno != EPIPE)
        return false;
    do
        n = pass_receive(fd, answer, size - 1, NULL, NULL);
    while (n < 0 && errno == ECONNRESET);
    if (n <= 0)
        return false;
    answer[n] = '\0';
    wait_for_end(fd);
    return true;
}

/* One that was upgraded after it had accepted the connection says so, and has done nothing. */
static bool is_another_now(const char *answer)
{
    const char *text;
    return parse(answer, &text) == EX_TEMPFAIL;
}

int ask(const struct request *request)
{
    static char answer[CONTROL_ANSWER_MAX + 1]; /* more than a stack is for */
    for (int tries = 1;; tries++) {
        int fd;
        int status = finder_connect(request->program, request->control, &fd);
        if (status)
            return status;
        bool has_answer = converse(request, fd, answer, sizeof answer);
        close(fd);
        if (!has_answer)
            return fail(request, EX_SOFTWARE, "the server ended before it answered");
        if (tries == TRIES || !is_another_now(answer))
            return tell(request, answer);
    }
}
