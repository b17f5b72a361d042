/* forges - an application for HTTP whose worker lies to its master: about who its standby is, and
 * in its standby's and its successor's name. tests/system/forged.bats drives it.
 *
 *   /who         the worker's pid
 *   /forge?PID   says of this process, to whoever is at the other end of any socketpair, all that
 *                can be said of one
 *   /die?PID     the same, and ends
 *   /scrawl      writes on each desk that every number is a connection that rests, and ends
 */
#define _GNU_SOURCE
#include "app.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/board.h"
#include "worker/desk.h"
#include "worker/order.h"
#include "worker/standby.h"

static const enum report_kind kinds[] = {REPORT_STANDBY, REPORT_BORN, REPORT_BACK};

static void who(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%d\n", (int)getpid());
}

static bool is_pair(int fd)
{
    int type;
    socklen_t length = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

static void put(int fd, const void *bytes, size_t n)
{
    send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void lie(int fd, int pid)
{
    static const char junk[4096];
    struct standby_report word = {.pid = pid};
    struct report report = {.count = pid};
    memset(report.why, 'x', sizeof report.why); /* it does not end, either */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        report.kind = kinds[i];
        put(fd, &report, sizeof report);
    }
    put(fd, &word, sizeof word);
    put(fd, &word, 1);
    put(fd, junk, sizeof junk);
}

static void forge(const struct drover_request *q, struct drover_response *r)
{
    for (int fd = 3; fd < 1024; fd++)
        if (is_pair(fd))
            lie(fd, (int)argument(q, 0));
    say(r, "forged\n");
}

static void die(const struct drover_request *q, struct drover_response *r)
{
    forge(q, r);
    kill(getpid(), SIGKILL);
}

/* By its size among what is shared; NULL: it is not there. */
static struct desk *find_desks(void)
{
    char line[512], shared;
    uintptr_t from, to;
    void *desks = NULL;
    size_t size = BOARD_ROWS * sizeof(struct desk);
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*3s%c", &from, &to, &shared) == 3 &&
            shared == 's' && to - from >= size && to - from < size + 4096)
            memcpy(&desks, &from, sizeof desks);
    if (maps)
        fclose(maps);
    return desks;
}

static void scrawl(const struct drover_request *q, struct drover_response *r)
{
    enum { NUMBERS = 200 };
    (void)q;
    struct desk *desks = find_desks();
    if (!desks) {
        say(r, "no desk was found\n");
        return;
    }
    for (int row = 0; row < BOARD_ROWS; row++) {
        memset(desks[row].custody, CUSTODY_KEPT, NUMBERS);
        desks[row].top = NUMBERS;
    }
    kill(getpid(), SIGKILL);
}

static const struct path paths[] = {
    {"who", who}, {"forge", forge}, {"die", die}, {"scrawl", scrawl}, {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static const struct drover_app app = {.name = "forges", .handle = handle};
DROVER_MAIN(app)
