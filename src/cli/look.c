#include "cli/look.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "cli/finder.h"
#include "os/pass.h"
#include "os/peer.h"
#include "os/proc.h"

/* How often another server is asked, which has taken over while it was. */
#define TRIES 3

/* Milliseconds until a server that is silent is looked at without its answer: a master answers
 * within one, and has nothing to do that takes hundreds. */
#define PATIENCE_MS 500

/* What board_open() has, as /proc calls it. */
#define BOARD_FILE "/memfd:drover-board (deleted)"

static int fail(const struct request *request, int status, const char *why)
{
    return ask_tell(request,
                    &(struct outcome_told){.status = status, .begun_ms = clock_ms(), .text = why});
}

static bool is_readable(int fd, int milliseconds)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n;
    do
        n = poll(&wait, 1, milliseconds);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/* ------------------------------------------------------------------------------- the answer */

/* Another layout begins with these, too. */
struct head {
    uint64_t magic, layout, size;
    char version[32];
};
_Static_assert(offsetof(struct board, version) == offsetof(struct head, version), "as the board");

static int fail_layout(const struct request *request, int fd)
{
    char why[256];
    struct head head;
    bool is_board = pread(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
                    head.magic == BOARD_MAGIC;
    if (is_board)
        snprintf(why, sizeof why,
                 "the server is drover %.32s, whose board this one, %s, cannot read; ask with that "
                 "version's drover, or let the server go on as this one: drover upgrade",
                 head.version, DROVER_VERSION);
    else
        snprintf(why, sizeof why, "the server's board cannot be read: it has no board's beginning");
    return fail(request, EX_PROTOCOL, why);
}

int look_map(const struct request *request, int fd, const struct board **board)
{
    int status = 0;
    *board = board_map(fd);
    if (!*board)
        status = errno == EPROTO ? fail_layout(request, fd)
                                 : fail(request, EX_OSERR, strerror(errno));
    close(fd);
    return status;
}

/* Its answer: the descriptor, or the status to exit with, negative, and why in `text`. */
static int receive(int fd, char *text, size_t size)
{
    int status, at = 0, got = -1;
    size_t count = 1;
    ssize_t n;
    do
        n = pass_receive(fd, text, size - 1, &got, &count);
    while (n < 0 && errno == ECONNRESET);
    if (n <= 0) {
        snprintf(text, size, "the server ended before it answered");
        return -EX_SOFTWARE;
    }
    text[n] = '\0';
    if (sscanf(text, "%d %n", &status, &at) != 1 || (status == 0 && count != 1) || status < 0) {
        snprintf(text, size, "the server's answer cannot be understood");
        status = EX_PROTOCOL;
        at = 0;
    }
    if (status && got >= 0)
        close(got);
    if (status == EX_USAGE)
        snprintf(text + at, size - (size_t)at,
                 "the server is of a version that has no board; let "
                 "it go on as this one: drover upgrade");
    memmove(text, text + at, strlen(text + at) + 1);
    return status ? -status : got;
}

/* ------------------------------------------------------------------------------- the silence */

static bool is_stopped(const struct peer *server)
{
    struct proc proc;
    return proc_read(server->pid, &proc) == 0 && proc.is_stopped;
}

static int fail_silent(const struct request *request, const struct peer *server)
{
    char why[128];
    snprintf(why, sizeof why, "the server (pid %d) does not answer%s", (int)server->pid,
             is_stopped(server) ? ": it is stopped by a signal; kill -CONT goes on with it" : "");
    return fail(request, EX_UNAVAILABLE, why);
}

/* Returns a descriptor, or -1 when its answer is there, or the time is up. */
static int go_round(int fd, const struct peer *server)
{
    int board = -1;
    if (!is_readable(fd, is_stopped(server) ? 0 : PATIENCE_MS))
        board = proc_open(server->pid, BOARD_FILE);
    if (board < 0)
        is_readable(fd, CONTROL_CONNECT_MS);
    return board;
}

/* Returns the descriptor of the board, or the status to exit with, negative: when it was not told
 * yet, its reason is in `text`. */
static int ask_for_board(const struct request *request, int fd, char *text, size_t size)
{
    static const char words[] = "board";
    struct peer server = {.pid = 0};
    *text = '\0';
    peer_get(fd, &server);
    /* A server that closes at once, with the request unread, has answered before that. */
    if (pass_send(fd, words, sizeof words - 1, NULL, 0) < 0 && errno != EPIPE)
        return -fail(request, EX_SOFTWARE, strerror(errno));
    int board = go_round(fd, &server);
    if (board >= 0)
        return board;
    if (!is_readable(fd, 0))
        return -fail_silent(request, &server);
    return receive(fd, text, size);
}

int look_fd(const struct request *request, int *fd)
{
    static char text[CONTROL_ANSWER_MAX + 1]; /* more than a stack is for */
    for (int tries = 1;; tries++) {
        int asked;
        struct buf why = {0};
        int status = finder_connect(request->control, &asked, &why);
        if (status)
            status = fail(request, status, why.failed ? strerror(ENOMEM) : why.p);
        buf_free(&why);
        if (status)
            return status;
        int got = ask_for_board(request, asked, text, sizeof text);
        close(asked);
        if (got >= 0) {
            *fd = got;
            return 0;
        }
        if (got == -EX_TEMPFAIL && tries < TRIES)
            continue; /* it was upgraded after it had accepted the connection */
        return *text ? fail(request, -got, text) : -got;
    }
}

int look_open(const struct request *request, const struct board **board)
{
    int fd = -1;
    int status = look_fd(request, &fd);
    return status ? status : look_map(request, fd, board);
}
