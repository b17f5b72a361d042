/*
 * drover-bench-floor - the least that a request can cost.
 *
 *   drover-bench-floor [--bare] PORT PROCESSES FILE
 *
 * It answers each request with FILE, whatever was asked for, by as many processes as told, each
 * with a listener of its own at the same port of 127.0.0.1 (SO_REUSEPORT). The bytes that go out
 * are as many as those of drover's answer, in the same fields. A request ends at its blank line;
 * nothing else of it is looked at but "Connection: close". It ends at SIGTERM, with all its
 * processes.
 *
 * --bare is the loop as one writes it first: recv, send, level-triggered epoll. Against that, all
 * of the rest has cost this CPU time a request (1 KiB, 2 processes, wrk -t2, medians of 7 or 9
 * rounds in turns on a busy machine of 2 CPUs, quartiles in brackets):
 *
 *   64 kept connections         0.76 [0.72 0.84]     pipelined by 16   0.90 [0.85 0.93]
 *   1,000 kept connections      0.78 [0.62 0.88]     100 KiB           1.01 [0.93 1.18]
 *   one                         0.79 [0.33 0.90]     10 MiB            0.78 [0.74 0.84]
 *   a connection a request, 64  0.38 [0.36 0.42]
 *
 * What each part was worth, against the same loop without it:
 *
 *   SCHED_BATCH            64 kept connections 0.77 [0.74 0.83]: 13 requests an epoll_wait, where
 *                          it was 3 or 4; a connection a request 0.52 [0.50 0.55]
 *   all recv, then send    0.93 in one run, 0.85 [0.74 1.05] in another
 *   edge-triggered         0.99 [0.92 1.06], with SCHED_BATCH 0.98 [0.89 0.99]: within the noise
 *   deferred accept and    a connection a request 0.43 [0.39 0.47] of the bare loop, where
 *   recv at once           SCHED_BATCH alone had 0.52
 *   no epoll where the     from there 0.40 [0.37 0.42]
 *   answer closes
 *   end and answer in one  a connection a request 0.98, with 1.07 x the requests a second (on a
 *   segment                machine where the bare loop, too, has 10 requests an epoll_wait)
 *   SO_SNDBUF 256 KiB      10 MiB 0.67 [0.64 0.74], with 1.86 [1.74 2.00] x the requests a second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 256
#define BACKLOG       4096
#define EVENTS        64          /* of one epoll_wait */
#define RECV_BYTES    16384       /* pipelined requests of one recv */
#define TOGETHER      16          /* answers of pipelined requests in one send */
#define TOGETHER_MAX  (64 * 1024) /* bytes of an answer; larger ones are sent alone */
#define DEFER_SECONDS 5           /* a connection without a request is accepted after that */
#define DATE_BYTES    29          /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* The kernel doubles it. It bounds what is under way: with more, an answer has probably left the
   CPU's cache before its client copies it (the gain is measured, its cause is not). A real server
   sets it where the round trip is short alone: it ends the kernel's own tuning of the buffer. */
#define SEND_BUFFER (256 * 1024)

static const char server_and_date[] = "HTTP/1.1 200 OK\r\nServer: drover\r\nDate: ";
static const char blank_line[] = "\r\n\r\n";
static const char wants_close[] = "Connection: close";

struct connection {
    size_t due;   /* answers that are owed */
    size_t sent;  /* bytes of the first of them that are out */
    uint8_t seen; /* bytes of the blank line that the last recv ended with */
    bool is_open;
    bool is_last;  /* closed once nothing is due */
    bool has_more; /* there may be something to receive, and no edge will tell */
};

static bool bare;
static char *answers; /* TOGETHER of them, one behind the other, or a large one */
static size_t answer_bytes, answers_together;
static time_t answers_date;
static struct connection *connections; /* by descriptor */
static size_t connections_max;
static int epoll;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "drover-bench-floor: %s: %s\n", what, strerror(errno));
    exit(EX_OSERR);
}

/* ---- the answer ---- */

static void write_date(char *to, time_t when)
{
    char text[DATE_BYTES + 1];
    struct tm tm;
    gmtime_r(&when, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    memcpy(to, text, DATE_BYTES);
}

static void set_date(time_t now)
{
    if (now == answers_date)
        return;
    answers_date = now;
    for (size_t i = 0; i < answers_together; i++)
        write_date(answers + i * answer_bytes + sizeof server_and_date - 1, now);
}

static void load(const char *file)
{
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &status) == -1)
        fail(file);
    char modified[DATE_BYTES + 1] = "";
    write_date(modified, status.st_mtime);
    size_t body_bytes = (size_t)status.st_size;
    char head[512];
    const struct timespec *at = &status.st_mtim;
    uintmax_t nanoseconds = (uintmax_t)at->tv_sec * 1000000000 + (uintmax_t)at->tv_nsec;
    int head_bytes = snprintf(head, sizeof head,
                              "%s%029d\r\nContent-Type: application/octet-stream\r\n"
                              "Content-Length: %zu\r\nAccept-Ranges: bytes\r\n"
                              "ETag: \"%jx-%zx-%jx\"\r\nLast-Modified: %s\r\n\r\n",
                              server_and_date, 0, body_bytes, (uintmax_t)status.st_ino, body_bytes,
                              nanoseconds, modified);
    answer_bytes = (size_t)head_bytes + body_bytes;
    answers_together = answer_bytes > TOGETHER_MAX ? 1 : TOGETHER;
    answers = malloc(answers_together * answer_bytes);
    if (answers == NULL)
        fail(file);
    memcpy(answers, head, (size_t)head_bytes);
    if (read(fd, answers + head_bytes, body_bytes) != status.st_size)
        fail(file);
    close(fd);
    for (size_t i = 1; i < answers_together; i++)
        memcpy(answers + i * answer_bytes, answers, answer_bytes);
    set_date(time(NULL));
}

/* ---- a connection ---- */

static void watch(int fd, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, how, fd, &event) == -1)
        fail("epoll_ctl");
}

static void drop(int fd)
{
    connections[fd].is_open = false;
    close(fd);
}

/* Sends what is due. Edge-triggered, the rest goes once the kernel tells that there is room; the
   bare loop asks for that. The end goes in the segment of the last answer, which waits for it.
   Returns whether all is out and the connection stays. */
static bool answer(int fd)
{
    struct connection *c = &connections[fd];
    bool was_short = c->sent > 0;
    int flags = MSG_NOSIGNAL | (c->is_last && !bare ? MSG_MORE : 0);
    while (c->due > 0) {
        size_t together = c->due < answers_together ? c->due : answers_together;
        ssize_t n = send(fd, answers + c->sent, together * answer_bytes - c->sent, flags);
        if (n == -1 && errno == EAGAIN) {
            if (bare)
                watch(fd, EPOLL_CTL_MOD, EPOLLOUT);
            return false;
        }
        if (n == -1)
            break;
        c->sent += (size_t)n;
        c->due -= c->sent / answer_bytes;
        c->sent %= answer_bytes;
    }
    if (c->due > 0 || c->is_last)
        drop(fd);
    else if (bare && was_short)
        watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    return c->is_open;
}

/* The blank lines in what was received; one may have begun in what came before. */
static size_t count_requests(struct connection *c, const char *p, size_t n)
{
    size_t count = 0;
    const char *end = p + n;
    for (; c->seen > 0 && p < end; p++) {
        c->seen = *p == blank_line[c->seen] ? c->seen + 1 : *p == '\r';
        if (c->seen == 4) {
            count++;
            c->seen = 0;
        }
    }
    const char *found;
    while ((found = memmem(p, (size_t)(end - p), blank_line, 4)) != NULL) {
        count++;
        p = found + 4;
    }
    for (size_t k = 3; k > 0 && c->seen == 0; k--)
        if ((size_t)(end - p) >= k && memcmp(end - k, blank_line, k) == 0)
            c->seen = (uint8_t)k;
    return count;
}

/* Once: an edge comes for whatever arrives later. Only a full buffer may have left something.
   Returns whether an answer is due. */
static bool receive(int fd)
{
    static char bytes[RECV_BYTES];
    struct connection *c = &connections[fd];
    do {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        c->has_more = n == sizeof bytes;
        if (n == -1 && errno == EAGAIN)
            return false;
        if (n <= 0) {
            drop(fd);
            return false;
        }
        c->due += count_requests(c, bytes, (size_t)n);
        if (memmem(bytes, (size_t)n, wants_close, sizeof wants_close - 1) != NULL)
            c->is_last = true;
    } while (c->due == 0 && c->has_more);
    return c->due > 0;
}

/* A client that has not taken its answer is not read on; what it sent meanwhile is, after that. */
static void settle(int fd)
{
    while (answer(fd) && connections[fd].has_more && receive(fd))
        ;
}

/* Returns whether it is to be settled. */
static bool is_due(int fd, uint32_t events)
{
    struct connection *c = &connections[fd];
    bool reads = (events & ~(uint32_t)EPOLLOUT) != 0;
    if (c->due == 0)
        return reads && receive(fd);
    c->has_more = c->has_more || reads;
    return true;
}

/* Its request has come with it (TCP_DEFER_ACCEPT). One that is closed behind its answer is never
   in epoll. */
static void adopt(int fd)
{
    connections[fd] = (struct connection){.is_open = true};
    if (bare) {
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
        return;
    }
    if (receive(fd))
        settle(fd);
    if (connections[fd].is_open)
        watch(fd, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
        if ((size_t)fd < connections_max)
            adopt(fd);
        else
            close(fd);
    }
}

/* All that has come is received first, and answered then: the clients that the answers wake do
   not come in between. */
static void turn(const struct epoll_event *events, int n, int listener)
{
    int due[EVENTS], dues = 0;
    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        if (fd == listener)
            accept_all(listener);
        else if (is_due(fd, events[i].events))
            due[dues++] = fd;
        if (bare && dues > 0)
            settle(due[--dues]);
    }
    for (int i = 0; i < dues; i++)
        settle(due[i]);
}

/* ---- the processes ---- */

static void set(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value) == -1)
        fail("setsockopt");
}

static int listen_at(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        fail("socket");
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!bare)
        set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_SECONDS);
    if (!bare && answer_bytes > SEND_BUFFER)
        set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(fd, BACKLOG) == -1)
        fail("listen");
    return fd;
}

static _Noreturn void work(int listener)
{
    static struct epoll_event events[EVENTS];
    struct sched_param none = {0};
    /* woken by a client's request, it does not preempt that client, which sends its others first */
    if (!bare && sched_setscheduler(0, SCHED_BATCH, &none) == -1)
        fail("sched_setscheduler");
    connections = calloc(connections_max, sizeof *connections);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || epoll == -1)
        fail("epoll_create1");
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        set_date(time(NULL));
        turn(events, n, listener);
    }
}

static pid_t start(int listener)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == -1)
        fail("fork");
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        exit(EX_OSERR);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    work(listener);
}

/* As many descriptors as the machine gives: one a client. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    connections_max = limit.rlim_max < 1024 * 1024 ? (size_t)limit.rlim_max : 1024 * 1024;
}

/* Until SIGTERM or SIGINT, or until a process dies, which is an error. */
static int wait_for_the_end(const pid_t *pids, long processes, const sigset_t *signals)
{
    int signal;
    sigwait(signals, &signal);
    for (long i = 0; i < processes; i++)
        kill(pids[i], SIGTERM);
    while (wait(NULL) > 0)
        ;
    return signal == SIGCHLD ? EX_SOFTWARE : EX_OK;
}

static long number(const char *text, long max)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end != '\0' || n < 1 || n > max) {
        fprintf(stderr, "drover-bench-floor: '%s': 1 to %ld\n", text, max);
        exit(EX_USAGE);
    }
    return n;
}

int main(int argc, char **argv)
{
    bare = argc > 1 && strcmp(argv[1], "--bare") == 0;
    if (argc != 4 + bare) {
        fprintf(stderr, "drover-bench-floor [--bare] PORT PROCESSES FILE\n");
        return EX_USAGE;
    }
    argv += bare;
    uint16_t port = (uint16_t)number(argv[1], UINT16_MAX);
    long processes = number(argv[2], PROCESSES_MAX);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    raise_descriptors();
    load(argv[3]);
    int listeners[PROCESSES_MAX];
    pid_t pids[PROCESSES_MAX];
    for (long i = 0; i < processes; i++)
        listeners[i] = listen_at(port);
    for (long i = 0; i < processes; i++)
        pids[i] = start(listeners[i]);
    for (long i = 0; i < processes; i++)
        close(listeners[i]);
    return wait_for_the_end(pids, processes, &signals);
}
