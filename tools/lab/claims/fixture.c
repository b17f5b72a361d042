#include "lab/claims/fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab/kernel/pause.h"
#include "os/child.h"

#define NS_PER_S INT64_C(1000000000)

static struct finding *current;
static pid_t owner;

void fixture_begin(struct finding *finding)
{
    current = finding;
    owner = getpid();
}

void give_up(const char *format, ...)
{
    char words[sizeof current->evidence];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (getpid() != owner)
        _exit(1);
    finding_set(current, CLAIM_UNKNOWN, "%s", words);
    _exit(0);
}

int need(int result, const char *call)
{
    if (result < 0)
        give_up("could not be tried: %s: %s", call, strerror(errno));
    return result;
}

void *need_pointer(void *result, const char *call)
{
    if (!result || result == MAP_FAILED)
        give_up("could not be tried: %s: %s", call, strerror(errno));
    return result;
}

const char *error_name(int error)
{
    const char *name = error ? strerrorname_np(error) : "no error";
    return name ? name : "an unknown error";
}

const char *depends_on(enum verdict verdict, const char *what)
{
    static char words[128];
    if (verdict != CLAIM_DEPENDS)
        return "";
    snprintf(words, sizeof words, "on %s: ", what);
    return words;
}

/* ---------------------------------------------------------------------------------- sockets */

struct sockaddr_in fixture_address(unsigned host, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(0x7f000000U | host),
    };
}

static int bound(int type, struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int fd = need(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");
    *address = fixture_address(1, 0);
    need(bind(fd, (struct sockaddr *)address, length), "bind");
    need(getsockname(fd, (struct sockaddr *)address, &length), "getsockname");
    return fd;
}

int fixture_listen(int backlog, struct sockaddr_in *address)
{
    int fd = bound(SOCK_STREAM, address);
    need(listen(fd, backlog), "listen");
    return fd;
}

int fixture_udp(struct sockaddr_in *address)
{
    return bound(SOCK_DGRAM, address);
}

int fixture_connect(const struct sockaddr_in *address)
{
    int fd = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    need(connect(fd, (const struct sockaddr *)address, sizeof *address), "connect");
    return fd;
}

struct fixture_pair fixture_pair(void)
{
    struct sockaddr_in address;
    struct fixture_pair pair;
    int door = fixture_listen(1, &address);
    pair.client = fixture_connect(&address);
    pair.server = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
    close(door);
    return pair;
}

struct fixture_pair fixture_unix(void)
{
    int ends[2];
    need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    return (struct fixture_pair){.client = ends[0], .server = ends[1]};
}

void fixture_send(int fd, size_t size)
{
    static const char bytes[4096];
    for (size_t n; size > 0; size -= n) {
        n = size < sizeof bytes ? size : sizeof bytes;
        n = (size_t)need((int)send(fd, bytes, n, MSG_NOSIGNAL), "send");
    }
}

int fixture_received(int fd, const struct sockaddr_in *to, int count, int timeout_ms)
{
    int got = 0;
    char byte;
    int from = need(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    for (int i = 0; i < count; i++)
        sendto(from, "x", 1, 0, (const struct sockaddr *)to, sizeof *to);
    while (got < count && fixture_readable(fd, timeout_ms) && recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
        got++;
    close(from);
    return got;
}

void fixture_raise(int fd)
{
    need(eventfd_write(fd, 1), "eventfd_write");
}

void fixture_lower(int fd)
{
    eventfd_t value;
    need(eventfd_read(fd, &value), "eventfd_read");
}

bool fixture_readable(int fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return need(poll(&item, 1, timeout_ms), "poll") > 0;
}

void fixture_nonblocking(int fd)
{
    int flags = need(fcntl(fd, F_GETFL), "fcntl");
    need(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
}

int fixture_epoll(void)
{
    return need(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

void fixture_watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    need(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

int fixture_events(int epoll, int timeout_ms)
{
    struct epoll_event events[64];
    return need(epoll_wait(epoll, events, 64, timeout_ms), "epoll_wait");
}

/* -------------------------------------------------------------------------------- processes */

pid_t fixture_fork(void)
{
    pid_t parent = getpid();
    pid_t pid = need(fork(), "fork");
    if (pid == 0 && child_tie(parent) < 0)
        _exit(1);
    return pid;
}

void fixture_end(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static char state_of(pid_t tid)
{
    char path[64], line[512], state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return state;
    if (fgets(line, sizeof line, file)) {
        const char *end = strrchr(line, ')'); /* a name may have one in it, too */
        if (end && end[1] == ' ')
            state = end[2];
    }
    fclose(file);
    return state;
}

void fixture_asleep(pid_t tid)
{
    for (int i = 0; i < 5000 && state_of(tid) != 'S'; i++)
        pause_us(200);
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *dir = need_pointer(opendir(path), path);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

unsigned fixture_threads(void)
{
    return entries("/proc/self/task");
}

size_t fixture_lines(const char *path)
{
    /* No stdio, which would map memory of its own while mappings are counted. */
    static char bytes[4096];
    size_t lines = 0;
    ssize_t n;
    int fd = need(open(path, O_RDONLY | O_CLOEXEC), path);
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++)
            lines += bytes[i] == '\n';
    close(fd);
    return lines;
}

long fixture_number(const char *path, const char *word)
{
    char line[512];
    long number = -1;
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, word, strlen(word)) == 0) {
            number = strtol(line + strlen(word), NULL, 10);
            break;
        }
    fclose(file);
    return number;
}

size_t fixture_descriptors(void)
{
    struct rlimit limit;
    need(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    need(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    unsigned open_now = entries("/proc/self/fd");
    return limit.rlim_cur > open_now ? (size_t)limit.rlim_cur - open_now : 0;
}

int *fixture_eventfds(size_t count)
{
    int *fds = need_pointer(calloc(count, sizeof *fds), "calloc");
    if (count > fixture_descriptors())
        give_up("could not be tried: %zu descriptors are more than RLIMIT_NOFILE allows", count);
    for (size_t i = 0; i < count; i++)
        fds[i] = need(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
    return fds;
}

/* ------------------------------------------------------------------------------------- time */

static int64_t ns_of(clockid_t clock)
{
    struct timespec now;
    need(clock_gettime(clock, &now), "clock_gettime");
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t fixture_cpu_ns(void)
{
    return ns_of(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t fixture_wall_ns(void)
{
    return ns_of(CLOCK_MONOTONIC);
}

double fixture_least(const double *values, size_t n)
{
    double least = values[0];
    for (size_t i = 1; i < n; i++)
        least = values[i] < least ? values[i] : least;
    return least;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double fixture_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double fixture_exponent(const size_t *n, const double *cost, size_t count)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, k = (double)count;
    for (size_t i = 0; i < count; i++) {
        double x = log((double)n[i]), y = log(cost[i]);
        sx += x;
        sy += y;
        sxx += x * x;
        sxy += x * y;
    }
    return (k * sxy - sx * sy) / (k * sxx - sx * sx);
}
