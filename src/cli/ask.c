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

static int fail(const struct request *request, int status, const char *why)
{
    const struct settings words = {.program = request->program};
    return launch_fail(&words, status, why);
}

/* "STATUS TEXT"; -1: it is not. */
static int parse(char *answer, const char **text)
{
    char *end;
    long status = strtol(answer, &end, 10);
    if (!isdigit((unsigned char)*answer) || *end != ' ' || status > UINT8_MAX)
        return -1;
    *text = end + 1;
    return (int)status;
}

static int tell(const struct request *request, char *answer)
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
    while (pass_receive(fd, &byte, sizeof byte, NULL, NULL) > 0)
        continue;
}

static int hear(const struct request *request, int fd)
{
    static char answer[CONTROL_ANSWER_MAX + 1]; /* more than a stack is for */
    ssize_t n = pass_receive(fd, answer, sizeof answer - 1, NULL, NULL);
    if (n <= 0)
        return fail(request, EX_SOFTWARE, "the server ended before it answered");
    answer[n] = '\0';
    wait_for_end(fd);
    return tell(request, answer);
}

int ask(const struct request *request)
{
    int fd;
    int status = finder_connect(request->program, request->control, &fd);
    if (status)
        return status;
    /* A server that refuses a connection has answered already, and hears nothing. */
    if (pass_send(fd, request->words, strlen(request->words), NULL, 0) < 0 && errno != EPIPE)
        status = fail(request, EX_OSERR, strerror(errno));
    else
        status = hear(request, fd);
    close(fd);
    return status;
}
