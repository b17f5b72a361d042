/*
 * slow - thousands of clients that take their time.
 *
 *   slow PORT PATH INTERVAL SECONDS MODE=N...
 *
 * Connects N clients of each mode to that port of 127.0.0.1. Once they have begun, each does a
 * little every INTERVAL milliseconds; when all have for the first time, it prints `ready`.
 *
 *   head     begins a request, and sends a byte more of its head
 *   bighead  the same, but begins with 30000 bytes, most of them in two fields
 *   body     asks to post 100000 bytes to PATH, and sends one of them
 *   chunks   the same with a chunked body, a byte a chunk
 *   read     asks for PATH, and reads 512 bytes of it
 *   stall    asks for PATH, and reads nothing
 *   pipeline asks for "/32k" as often as fits into 64000 bytes, and reads nothing
 *
 * After SECONDS, or as soon as all were ended by the server, or at SIGTERM, it prints a line a mode
 * and leaves with a reset of each connection:
 *
 *   MODE clients N ended N first MS last MS timeout N
 *
 * Ended are those that saw the end of file or a reset, the first and the last so many milliseconds
 * after they had begun; timeout are those that got an answer that says 408.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* An INTERVAL is so many steps, each with its share of the clients. */
#define STEPS 20

#define BIG_HEAD 30000
#define PIPELINE 64000

struct mode {
    const char *name;
    const char *begin;  /* with %s for PATH */
    const char *little; /* what is sent every interval; NULL: nothing */
    bool reads;         /* a little every interval */
    bool is_big;
    bool is_many; /* times the same */

    int clients;
    int ended;
    int timeouts;
    int64_t first;
    int64_t last;
};

#define POST "POST %s HTTP/1.1\r\nHost: slow\r\n"

static struct mode modes[] = {
    {.name = "head", .begin = "GET %s HTTP/1.1\r\nHost: slow\r\nX: ", .little = "x"},
    {.name = "bighead",
     .begin = "GET %s HTTP/1.1\r\nHost: slow\r\nX: ",
     .little = "x",
     .is_big = true},
    {.name = "body", .begin = POST "Content-Length: 100000\r\n\r\n", .little = "x"},
    {.name = "chunks", .begin = POST "Transfer-Encoding: chunked\r\n\r\n", .little = "1\r\nx\r\n"},
    {.name = "read", .begin = "GET %s HTTP/1.1\r\nHost: slow\r\n\r\n", .reads = true},
    {.name = "stall", .begin = "GET %s HTTP/1.1\r\nHost: slow\r\n\r\n"},
    {.name = "pipeline", .begin = "GET /32k HTTP/1.1\r\nHost: slow\r\n\r\n", .is_many = true},
};

#define MODES (sizeof modes / sizeof *modes)

struct client {
    struct mode *mode;
    int fd; /* -1: ended */
    int64_t began;
};

static struct client *clients;
static int client_count;
static int ended;
static int epoll;
static volatile sig_atomic_t is_over;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    fprintf(stderr, "slow: %s: %s\n", what, strerror(errno));
    exit(EX_OSERR);
}

/* ---------------------------------------------------------------------------- one client */

static void end_client(struct client *client)
{
    struct mode *mode = client->mode;
    int64_t took = now_ms() - client->began;
    if (mode->ended == 0 || took < mode->first)
        mode->first = took;
    if (took > mode->last)
        mode->last = took;
    mode->ended++;
    ended++;
    close(client->fd);
    client->fd = -1;
}

static int connect_to(const struct sockaddr_in *server, const struct mode *mode)
{
    const int small = 4096;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("socket");
    /* Leaves by a reset: thousands in TIME-WAIT would be in the next one's way. */
    struct linger linger = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (mode->reads || !mode->little)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(fd, (const struct sockaddr *)server, sizeof *server) < 0)
        fail("connect");
    return fd;
}

static void begin(struct client *client, const struct sockaddr_in *server, const char *path)
{
    char text[PIPELINE + 1024];
    struct mode *mode = client->mode;
    client->fd = connect_to(server, mode);
    client->began = now_ms();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t n = (size_t)snprintf(text, sizeof text, mode->begin, path);
#pragma GCC diagnostic pop
    if (mode->is_big) {
        memset(text + n, 'x', BIG_HEAD - n);
        memcpy(text + BIG_HEAD / 2, "\r\nX: ", 5);
        n = BIG_HEAD;
    }
    for (size_t once = n; mode->is_many && n + once <= PIPELINE; n += once)
        memcpy(text + n, text, once);
    if (send(client->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
        fail("send");
    /* Who reads late is not woken for what has come, but for the end. */
    bool is_late = mode->reads || !mode->little;
    struct epoll_event event = {.events = is_late ? EPOLLRDHUP : EPOLLIN, .data.ptr = client};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
        fail("epoll_ctl");
}

/* Something has come, although nothing was asked for that could have: the end, or 408 before it. */
static void hear(struct client *client)
{
    char text[4096];
    if (client->mode->reads || !client->mode->little) {
        end_client(client);
        return;
    }
    ssize_t n = recv(client->fd, text, sizeof text, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end_client(client);
        return;
    }
    client->mode->timeouts += n > 12 && memcmp(text, "HTTP/1.1 408", 12) == 0;
}

static void do_a_little(struct client *client)
{
    char text[512];
    const struct mode *mode = client->mode;
    if (mode->reads)
        (void)!recv(client->fd, text, sizeof text, MSG_DONTWAIT);
    if (mode->little)
        (void)!send(client->fd, mode->little, strlen(mode->little), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* --------------------------------------------------------------------------------- all */

static void wait_until(int64_t until)
{
    struct epoll_event events[256];
    for (int64_t left; !is_over && ended < client_count && (left = until - now_ms()) > 0;) {
        int n = epoll_wait(epoll, events, 256, (int)left);
        for (int i = 0; i < n; i++)
            hear(events[i].data.ptr);
    }
}

static void run(int64_t interval, int64_t seconds)
{
    int64_t over = now_ms() + seconds * 1000;
    int64_t next = now_ms();
    for (int step = 0; !is_over && ended < client_count && next < over; step++) {
        if (step == STEPS)
            puts("ready");
        for (int i = step % STEPS; i < client_count; i += STEPS)
            if (clients[i].fd >= 0)
                do_a_little(&clients[i]);
        next += interval / STEPS;
        wait_until(next < over ? next : over);
    }
}

static void report(void)
{
    for (size_t i = 0; i < MODES; i++)
        if (modes[i].clients > 0)
            printf("%s clients %d ended %d first %lld last %lld timeout %d\n", modes[i].name,
                   modes[i].clients, modes[i].ended, (long long)modes[i].first,
                   (long long)modes[i].last, modes[i].timeouts);
}

static void on_signal(int signal)
{
    (void)signal;
    is_over = 1;
}

static void parse_mode(const char *argument)
{
    for (size_t i = 0; i < MODES; i++) {
        size_t n = strlen(modes[i].name);
        if (strncmp(argument, modes[i].name, n) == 0 && argument[n] == '=') {
            modes[i].clients = atoi(argument + n + 1);
            client_count += modes[i].clients;
            return;
        }
    }
    fprintf(stderr, "slow: %s is no mode\n", argument);
    exit(EX_USAGE);
}

/* Mixed, so that each step and each worker has some of all. */
static void begin_all(const struct sockaddr_in *server, const char *path)
{
    clients = calloc((size_t)client_count, sizeof *clients);
    if (!clients)
        fail("calloc");
    int begun[MODES] = {0};
    for (int i = 0; i < client_count;)
        for (size_t mode = 0; mode < MODES; mode++)
            if (begun[mode] < modes[mode].clients) {
                begun[mode]++;
                clients[i].mode = &modes[mode];
                begin(&clients[i++], server, path);
            }
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    if (argc < 6) {
        fprintf(stderr, "usage: slow PORT PATH INTERVAL SECONDS MODE=N...\n");
        return EX_USAGE;
    }
    for (int i = 5; i < argc; i++)
        parse_mode(argv[i]);
    signal(SIGTERM, on_signal);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        fail("epoll_create1");
    struct sockaddr_in server = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)atoi(argv[1])),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    begin_all(&server, argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    run(atoi(argv[3]), atoi(argv[4]));
    report();
    return 0;
}
