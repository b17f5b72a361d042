/* A process or a thread for each connection: how many, and how fast they answer. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "os/child.h"

/* What one that waits for a connection takes at most: stacks, tables, what was written to after the
 * fork. It is asked for before so many are made. */
#define EACH_KB_MAX 300

/* All that a thread needs to echo a byte. */
#define STACK_SIZE 65536

#define QUESTIONS_MAX 1000

enum server_kind { BY_PROCESS, BY_THREAD };

struct clients {
    int *ends;    /* theirs of the connections */
    size_t count; /* that are served */
    pid_t server;
    pid_t last;       /* process that was made */
    double made_us;   /* wall time to connect and make one that serves */
    double kb;        /* of memory, each */
    double answer_us; /* median wall time of a question */
    size_t answered;
    int error; /* why there are no more */
};

/* Until the client closes. */
static void echo(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1)
        ;
    close(fd);
}

static void *echo_thread(void *context)
{
    echo((int)(intptr_t)context);
    return NULL;
}

/* What the server tells of each that it makes. */
struct made {
    int error; /* why it was not; 0: it was */
    pid_t pid; /* of a process */
};

static struct made fork_one(int door, int fd)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0 && child_tie(parent) == 0) {
        close(door);
        echo(fd);
    }
    if (pid == 0)
        _exit(0);
    struct made made = {.error = pid < 0 ? errno : 0, .pid = pid};
    close(fd);
    return made;
}

static struct made start_one(int fd)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    struct made made = {
        .error = pthread_create(&thread, &attributes, echo_thread, (void *)(intptr_t)fd)};
    pthread_attr_destroy(&attributes);
    return made;
}

/* Has one that serves for each connection, and tells the other end of `tell` of it. It ends when
 * that is closed. */
static void __attribute__((noreturn))
serve_all(enum server_kind kind, int door, int tell, size_t wanted)
{
    char byte;
    struct made made = {.error = 0};
    signal(SIGCHLD, SIG_IGN); /* nobody is left behind as a zombie */
    for (size_t i = 0; i < wanted && made.error == 0; i++) {
        int fd = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
        made = kind == BY_PROCESS ? fork_one(door, fd) : start_one(fd);
        need((int)send(tell, &made, sizeof made, MSG_NOSIGNAL), "send");
    }
    need((int)recv(tell, &byte, 1, 0), "recv"); /* end of file */
    while (wait(NULL) >= 0 || errno == EINTR)   /* it fails when there is no child any more */
        ;
    _exit(0);
}

static long available_kb(void)
{
    return fixture_number("/proc/meminfo", "MemAvailable:");
}

/* A thread's stack in the kernel: what all of them have, by how many there are. */
static double kernel_stack_kb(void)
{
    long threads = 0;
    FILE *file = need_pointer(fopen("/proc/loadavg", "re"), "/proc/loadavg");
    if (fscanf(file, "%*f %*f %*f %*d/%ld", &threads) != 1 || threads < 1)
        give_up("could not be tried: /proc/loadavg has no number of threads");
    fclose(file);
    return (double)fixture_number("/proc/meminfo", "KernelStack:") / (double)threads;
}

/* What a process has for itself alone, but for the kernel's stacks and tables of descriptors. */
static double private_kb(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    long pages = fixture_number(path, "Private_Dirty:");
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    long tables = fixture_number(path, "VmPTE:");
    return pages < 0 || tables < 0 ? NAN : (double)(pages + tables);
}

static void clients_ask(struct clients *c, size_t questions)
{
    double us[QUESTIONS_MAX];
    while (c->answered < questions) {
        char byte;
        int fd = c->ends[c->answered * 7919 % c->count]; /* a prime: here and there */
        int64_t begun = fixture_wall_ns();
        fixture_send(fd, 1);
        if (!fixture_readable(fd, 5000) || recv(fd, &byte, 1, 0) != 1)
            break;
        us[c->answered++] = (double)(fixture_wall_ns() - begun) / 1e3;
    }
    c->answer_us = c->answered ? fixture_median(us, c->answered) : 0;
}

static void clients_connect(struct clients *c, const struct sockaddr_in *address, int told,
                            size_t wanted)
{
    while (c->count < wanted && c->error == 0) {
        c->ends[c->count] = fixture_connect(address);
        struct made made;
        if (need((int)recv(told, &made, sizeof made, 0), "recv") != sizeof made)
            give_up("could not be tried: the server ended early");
        c->error = made.error;
        c->last = made.error ? c->last : made.pid;
        c->count += made.error == 0;
    }
}

/* Opens so many or fewer, asks questions, and closes them, which ends the server. */
static struct clients serve(enum server_kind kind, size_t wanted, size_t questions)
{
    struct sockaddr_in address;
    int ends[2], door = fixture_listen(64, &address);
    struct clients c = {.ends = need_pointer(calloc(wanted, sizeof(int)), "calloc")};
    need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "socketpair");
    int64_t begun = fixture_wall_ns();
    c.server = fixture_fork();
    if (c.server == 0) {
        free(c.ends);
        close(ends[0]);
        serve_all(kind, door, ends[1], wanted);
    }
    close(ends[1]);
    clients_connect(&c, &address, ends[0], wanted);
    if (c.count == 0)
        give_up("could not be tried: not even one was made: %s", error_name(c.error));
    c.made_us = (double)(fixture_wall_ns() - begun) / 1e3 / (double)c.count;
    c.kb = kernel_stack_kb() +
           (kind == BY_PROCESS ? private_kb(c.last) : private_kb(c.server) / (double)c.count);
    clients_ask(&c, questions);
    for (size_t i = 0; i < c.count; i++)
        close(c.ends[i]);
    close(ends[0]);
    close(door);
    need(waitpid(c.server, NULL, 0), "waitpid");
    free(c.ends);
    return c;
}

/* May so many be tried without harm to others? */
static void check_room(size_t wanted)
{
    struct rlimit limit;
    need(getrlimit(RLIMIT_NPROC, &limit), "getrlimit");
    if (limit.rlim_cur < wanted && geteuid() != 0)
        give_up("not tried: RLIMIT_NPROC is %llu", (unsigned long long)limit.rlim_cur);
    if (fixture_descriptors() < wanted + 16)
        give_up("not tried: RLIMIT_NOFILE is too low for %zu clients", wanted);
    long kb = available_kb();
    if (kb / EACH_KB_MAX < 2 * (long)wanted)
        give_up("not tried: %ld MB of memory are too few for %zu of %d KB, and as much for others",
                kb / 1024, wanted, EACH_KB_MAX);
}

static void try_each(struct finding *f, enum server_kind kind, const char *name, bool is_quick)
{
    size_t wanted = 10000, questions = is_quick ? 200 : QUESTIONS_MAX;
    check_room(wanted);
    long room_kb = available_kb();
    struct clients few = serve(kind, 100, questions);
    if (few.kb * (double)wanted > (double)room_kb / 2)
        give_up("not tried: %.0f KB each, as 100 of them took, are too much for %zu and %ld MB of "
                "memory",
                few.kb, wanted, room_kb / 1024);
    struct clients many = serve(kind, wanted, questions);
    bool all = many.count == wanted && many.answered == questions;
    double mb = many.kb * (double)many.count / 1024;
    enum verdict verdict = all ? CLAIM_FAILS : CLAIM_HOLDS;
    finding_set(f, verdict,
                "100 %s: %.0f us to connect and make each, a question is answered in %.0f us "
                "(median); %zu of %zu %s (%s): %.0f us each, %.0f us a question, %zu of %zu "
                "answered, at least %.0f of %ld MB of memory, %.0f KB each",
                name, few.made_us, few.answer_us, many.count, wanted, name, error_name(many.error),
                many.made_us, many.answer_us, many.answered, questions, mb, room_kb / 1024,
                many.kb);
}

void try_process_each(struct finding *f, bool is_quick)
{
    try_each(f, BY_PROCESS, "processes", is_quick);
}

void try_thread_each(struct finding *f, bool is_quick)
{
    try_each(f, BY_THREAD, "threads", is_quick);
}
