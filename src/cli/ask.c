#include "cli/ask.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/finder.h"
#include "os/pass.h"
#include "os/peer.h"
#include "os/proc.h"

/* How often another server is asked, which has taken over while it was. */
#define TRIES 3

/* Milliseconds of silence until it is looked why: most requests take less, and a person wonders. */
#define SILENCE_MS 2000

/* ---------------------------------------------------------------------------------- telling */

/* Moves on by a line, and returns it until the next call. Whoever is at the socket has written it,
 * and it may come to root's terminal. */
static const char *take_line(const char **text)
{
    static char line[CONTROL_ANSWER_MAX]; /* more than a stack is for */
    size_t n = strcspn(*text, "\n");
    snprintf(line, sizeof line, "%.*s", (int)n, *text);
    utf8_make_shown(line, strlen(line));
    *text += n + ((*text)[n] == '\n');
    return line;
}

static void put_lines(struct buf *to, const char *text)
{
    while (*text) {
        const char *line = take_line(&text);
        json_put_text(to, NULL, line + strspn(line, " "));
    }
}

static int tell_json(const struct request *request, const struct outcome_told *told)
{
    struct buf to = {0};
    const char *verb = strrchr(request->program, ' ');
    json_put_open(&to, NULL, '{');
    json_put_text(&to, "verb", verb ? verb + 1 : request->program);
    json_put_int(&to, "status", told->status);
    if (told->server > 0)
        json_put_int(&to, "server", told->server);
    else
        json_put_null(&to, "server");
    json_put_int(&to, "milliseconds", clock_ms() - told->begun_ms);
    if (told->status)
        json_put_null(&to, "message");
    else
        json_put_text(&to, "message", told->text);
    json_put_open(&to, "errors", '[');
    if (told->status)
        put_lines(&to, told->text);
    json_put_close(&to, '[');
    json_put_close(&to, '{');
    printf("%.*s\n", (int)to.len, to.p ? to.p : "");
    buf_free(&to);
    return told->status;
}

static void tell_failure(const char *program, const char *why)
{
    while (*why) {
        bool is_more = *why == ' ';
        const char *line = take_line(&why);
        fprintf(stderr, "%s%s%s%s\n", log_prefix(LOG_ERROR), is_more ? "" : program,
                is_more ? "" : ": ", line);
    }
}

static void tell_success(const char *done, const char *text)
{
    printf("%s: %s\n", done, take_line(&text));
    while (*text)
        printf("%s\n", take_line(&text));
}

int ask_tell(const struct request *request, const struct outcome_told *told)
{
    if (request->is_json)
        return tell_json(request, told);
    if (told->status)
        tell_failure(request->program, told->text);
    else
        tell_success(request->done, told->text);
    return told->status;
}

/* ----------------------------------------------------------------------------------- asking */

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

static void read_answer(struct outcome_told *told, const char *answer)
{
    told->status = parse(answer, &told->text);
    if (told->status >= 0)
        return;
    told->status = EX_PROTOCOL;
    told->text = "the server's answer cannot be understood";
}

static void tell_if_stopped(const struct request *request, pid_t server)
{
    struct proc proc;
    if (proc_read(server, &proc) == 0 && proc.is_stopped)
        fprintf(stderr,
                "%s%s: waits: the master (pid %d) is stopped by a signal; kill -CONT goes on with "
                "it\n",
                log_prefix(LOG_WARN), request->program, (int)server);
}

/* One message, however long it takes: a reload takes what the slowest worker does. */
static ssize_t receive(const struct request *request, int fd, pid_t server, void *to, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, SILENCE_MS) == 0)
        tell_if_stopped(request, server);
    return pass_receive(fd, to, size, NULL, NULL);
}

/* A server that was stopped closes the connection with its end: what it had can be had then. */
static void wait_for_end(const struct request *request, int fd, pid_t server)
{
    char byte;
    ssize_t n;
    do
        n = receive(request, fd, server, &byte, sizeof byte);
    while (n > 0);
}

/* Leaves the answer, ended by a NUL; false: there was none. */
static bool converse(const struct request *request, int fd, pid_t server, char *answer, size_t size)
{
    ssize_t n;
    /* A server that closes at once, with the request unread, has answered before that. */
    if (pass_send(fd, request->words, strlen(request->words), NULL, 0) < 0 && errno != EPIPE)
        return false;
    do
        n = receive(request, fd, server, answer, size - 1);
    while (n < 0 && errno == ECONNRESET);
    if (n <= 0)
        return false;
    answer[n] = '\0';
    wait_for_end(request, fd, server);
    return true;
}

/* Asks whoever is the server now. What is told may lie in these bytes, and in `why`. */
static void try(const struct request *request, struct outcome_told *told, char *answer, size_t size,
                struct buf *why)
{
    int fd;
    struct peer server = {.pid = 0};
    buf_clear(why);
    told->status = finder_connect(request->control, &fd, why);
    told->text = why->failed ? strerror(ENOMEM) : why->p;
    if (told->status)
        return;
    if (peer_get(fd, &server) == 0)
        told->server = server.pid;
    if (converse(request, fd, told->server, answer, size)) {
        read_answer(told, answer);
    } else {
        told->status = EX_SOFTWARE;
        told->text = "the server ended before it answered";
    }
    close(fd);
}

int ask(const struct request *request)
{
    static char answer[CONTROL_ANSWER_MAX + 1]; /* more than a stack is for */
    struct buf why = {0};
    struct outcome_told told = {.status = EX_TEMPFAIL, .begun_ms = clock_ms()};
    /* One that was upgraded after it had accepted the connection says so, and has done nothing. */
    for (int tries = 0; tries < TRIES && told.status == EX_TEMPFAIL; tries++)
        try(request, &told, answer, sizeof answer, &why);
    int status = ask_tell(request, &told);
    if (status == EX_CONFIG && !request->is_json)
        fprintf(stderr, "%s%s: nothing is changed; pid %d serves as before\n", log_prefix(LOG_WARN),
                request->program, (int)told.server);
    buf_free(&why);
    return status;
}
