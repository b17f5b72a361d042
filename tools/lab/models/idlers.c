#include "lab/models/idlers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/kernel/resources.h"
#include "lab/trial/session.h"
#include "os/child.h"

/* Connections that are asked before the first of them must have its answer: well below what a
 * listener's queue holds. */
#define AT_ONCE 256

/* Milliseconds for one answer. */
#define ANSWER_MS 10000

/* Connections from one source address: fewer than it has ports (net.ipv4.ip_local_port_range). */
#define PER_SOURCE 8192

/* ------------------------------------------------------------------------ in its process */

/* 127.0.0.2 and on by turns, where the server is at a loopback address. */
static int bind_source(int fd, const struct net_address *to, uint32_t nth)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&to->storage;
    int one = 1;
    if (to->any.sa_family != AF_INET || ntohl(in->sin_addr.s_addr) >> 24 != 127)
        return 0;
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + nth / PER_SOURCE)};
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&source, sizeof source);
}

/* A close is a reset: who ends first keeps no port. */
static int ask(const struct net_address *to, uint32_t nth)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    char text[SESSION_REQUEST_SIZE];
    size_t n = session_request(text, sizeof text, 0, false);
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0 ||
        bind_source(fd, to, nth) < 0 || connect(fd, &to->any, to->length) < 0)
        return -1;
    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n ? fd : -1;
}

static int await_answer(int fd)
{
    char answer[SESSION_ANSWER_SIZE];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct session_stamp stamp;
    size_t n = 0;
    while (n < sizeof answer) {
        if (poll(&wait, 1, ANSWER_MS) != 1)
            return -1;
        ssize_t got = recv(fd, answer + n, sizeof answer - n, 0);
        if (got <= 0)
            return -1;
        n += (size_t)got;
    }
    return session_read_stamp(answer, &stamp) ? 0 : -1;
}

static int open_all(const struct net_address *to, uint32_t count)
{
    int *fds = calloc(count, sizeof *fds);
    int result = fds ? 0 : -1;
    for (uint32_t done = 0; done < count && result == 0;) {
        uint32_t end = count - done > AT_ONCE ? done + AT_ONCE : count;
        for (uint32_t i = done; i < end && result == 0; i++)
            result = (fds[i] = ask(to, i)) < 0 ? -1 : 0;
        for (; done < end && result == 0; done++)
            result = await_answer(fds[done]);
    }
    free(fds);
    return result;
}

static void hold(const struct net_address *to, uint32_t count, int netns, int told_fd)
{
    if (resources_raise() < 0 || (netns >= 0 && setns(netns, CLONE_NEWNET) < 0) ||
        open_all(to, count) < 0 || write(told_fd, "", 1) != 1)
        _exit(EXIT_FAILURE);
    for (;;)
        pause();
}

/* --------------------------------------------------------------------------- in its maker's */

/* The byte, or the end of the process. */
static int await_all(const struct idlers *idlers)
{
    char byte;
    struct pollfd wait = {.fd = idlers->told_fd, .events = POLLIN};
    int n = poll(&wait, 1, IDLERS_OPEN_MS);
    if (n == 1 && read(idlers->told_fd, &byte, 1) == 1)
        return 0;
    errno = n == 0 ? ETIMEDOUT : ECONNABORTED;
    return -1;
}

int idlers_open(struct idlers *idlers, const struct net_address *to, uint32_t count, int netns)
{
    int ends[2];
    pid_t parent = getpid();
    *idlers = (struct idlers){.told_fd = -1};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        if (child_tie(parent) < 0)
            _exit(EXIT_FAILURE);
        hold(to, count, netns, ends[1]);
    }
    close(ends[1]);
    *idlers = (struct idlers){.pid = pid > 0 ? pid : 0, .told_fd = ends[0]};
    if (pid < 0 || await_all(idlers) < 0)
        return -1;
    idlers->held = count;
    return 0;
}

void idlers_close(struct idlers *idlers)
{
    if (idlers->pid > 0) {
        kill(idlers->pid, SIGKILL);
        pid_t pid;
        do
            pid = waitpid(idlers->pid, NULL, 0);
        while (pid < 0 && errno == EINTR);
    }
    if (idlers->told_fd >= 0)
        close(idlers->told_fd);
    *idlers = (struct idlers){.told_fd = -1};
}
