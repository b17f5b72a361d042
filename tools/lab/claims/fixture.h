/*
 * fixture - what experiments with descriptors begin with: connected pairs, listeners, children,
 * clocks.
 *
 * A claim is tried in a process of its own (claim_try()). A call that an experiment cannot do
 * without goes through need(): when it fails, that process ends there, and the finding is "could
 * not be tried", with the call and its error. What was opened goes with the process.
 */
#ifndef DROVER_LAB_CLAIMS_FIXTURE_H
#define DROVER_LAB_CLAIMS_FIXTURE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab/claims/claim.h"

/* The finding that need() sets; once, before anything else. Borrowed until the process ends. */
void fixture_begin(struct finding *finding);

/* Returns the result of a system call, which is not negative. In a child of the experiment's
 * process it ends that child alone, with status 1. */
int need(int result, const char *call);

/* The same for what returns a pointer: not NULL, nor MAP_FAILED. */
void *need_pointer(void *result, const char *call);

/* Ends the experiment: could not be tried, and why; printf(3)'s format. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* "EAGAIN"; "no error" for 0. */
const char *error_name(int error);

/* How the evidence of a claim that depends begins: "on WHAT: "; "" with any other verdict. It is
 * valid until the next call. */
const char *depends_on(enum verdict verdict, const char *what);

/* A TCP connection over loopback, both ends blocking. */
struct fixture_pair {
    int client;
    int server;
};
struct fixture_pair fixture_pair(void);

/* An AF_UNIX stream in both directions. */
struct fixture_pair fixture_unix(void);

/* 127.0.0.1, a port that the kernel chooses, which is in *address then. */
int fixture_listen(int backlog, struct sockaddr_in *address);
int fixture_udp(struct sockaddr_in *address);

/* Blocking, and connected when it returns. */
int fixture_connect(const struct sockaddr_in *address);

/* 127.0.0.`host`, `port` in host order. */
struct sockaddr_in fixture_address(unsigned host, uint16_t port);

/* `size` bytes, which fit into the socket's buffer. */
void fixture_send(int fd, size_t size);

/* Sends so many datagrams to an address; how many of them this socket gets until none has come for
 * so many milliseconds. */
int fixture_received(int fd, const struct sockaddr_in *to, int count, int timeout_ms);

/* Adds 1 to an eventfd; takes all that it has. */
void fixture_raise(int fd);
void fixture_lower(int fd);

/* Readable within so many milliseconds. */
bool fixture_readable(int fd, int timeout_ms);
void fixture_nonblocking(int fd);

int fixture_epoll(void);
void fixture_watch(int epoll, int fd, uint32_t events);

/* How many events epoll_wait(2) returns within so many milliseconds, 64 at most. */
int fixture_events(int epoll, int timeout_ms);

/* A child that ends with this process; as fork(2). */
pid_t fixture_fork(void);

/* Kills it, if it still is, and reaps it. */
void fixture_end(pid_t pid);

/* Waits until a thread of this process, or another process's first, sleeps; a second at most. */
void fixture_asleep(pid_t tid);

/* Nanoseconds: of CPU time of this process; of CLOCK_MONOTONIC. */
int64_t fixture_cpu_ns(void);
int64_t fixture_wall_ns(void);

/* Smallest of the list: what a thing costs when nothing else disturbs it. Median, too; it sorts. */
double fixture_least(const double *values, size_t n);
double fixture_median(double *values, size_t n);

/* The exponent x of cost = a * n^x, by least squares of the logarithms: 1 is linear. All figures
 * are above 0, and two of n differ. */
double fixture_exponent(const size_t *n, const double *cost, size_t count);

/* Threads of this process. */
unsigned fixture_threads(void);

/* Lines of a file of /proc. */
size_t fixture_lines(const char *path);

/* The number behind a word at the start of a line of a file of /proc: "MemAvailable:". -1: none. */
long fixture_number(const char *path, const char *word);

/* Raises the soft limit to the hard one. How many more descriptors this process may open. */
size_t fixture_descriptors(void);

/* `count` eventfds. Ends the experiment when they are not to be had. */
int *fixture_eventfds(size_t count);

#endif
