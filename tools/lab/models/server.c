#include "lab/models/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/kernel/shared.h"

/* Seconds that all processes of a server have to tell what they have used: 20,000 of them need one
 * on a slow machine. */
#define ASK_SECONDS 10

void scratch_free(struct scratch *scratch)
{
    buf_free(&scratch->out);
}

/* -------------------------------------------------------------------- what it has used */

/* The handler has no argument of its own. */
static struct server_counts *told_counts;

static uint64_t in_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void add_usage(int who)
{
    struct rusage usage;
    if (getrusage(who, &usage) < 0)
        return;
    told_counts->user_us += in_us(usage.ru_utime);
    told_counts->system_us += in_us(usage.ru_stime);
    told_counts->voluntary += (uint64_t)usage.ru_nvcsw;
    told_counts->involuntary += (uint64_t)usage.ru_nivcsw;
}

static void on_ask(int signal)
{
    (void)signal;
    int error = errno;
    add_usage(RUSAGE_SELF);
    add_usage(RUSAGE_CHILDREN);
    sem_post(&told_counts->told);
    errno = error;
}

int server_ask(pid_t group, struct server_counts *counts, struct server_usage *usage)
{
    struct timespec end;
    while (sem_trywait(&counts->told) == 0) {
        /* left over from one that was late */
    }
    counts->user_us = counts->system_us = 0;
    counts->voluntary = counts->involuntary = 0;
    uint32_t processes = counts->processes;
    if (kill(-group, SIGUSR1) < 0 || clock_gettime(CLOCK_MONOTONIC, &end) < 0)
        return -1;
    end.tv_sec += ASK_SECONDS;
    for (uint32_t i = 0; i < processes; i++)
        while (sem_clockwait(&counts->told, CLOCK_MONOTONIC, &end) < 0)
            if (errno != EINTR)
                return -1;
    *usage = (struct server_usage){.user_us = counts->user_us,
                                   .system_us = counts->system_us,
                                   .voluntary = counts->voluntary,
                                   .involuntary = counts->involuntary};
    return 0;
}

struct server_counts *server_counts_open(void)
{
    struct server_counts *counts = shared_open(sizeof *counts);
    if (counts && sem_init(&counts->told, 1, 0) < 0) {
        server_counts_close(counts);
        return NULL;
    }
    return counts;
}

void server_counts_close(struct server_counts *counts)
{
    shared_close(counts, sizeof *counts);
}

/* ------------------------------------------------------------------------- its process */

int server_open(struct server *server)
{
    struct sigaction action = {.sa_handler = on_ask, .sa_flags = SA_RESTART};
    told_counts = server->counts;
    server->counts->processes = 1;
    return sigaction(SIGUSR1, &action, NULL);
}

void server_ready(struct server *server)
{
    if (server->ready_fd < 0)
        return;
    if (write(server->ready_fd, "", 1) != 1)
        server_fail(server, "cannot tell the supervisor that it is ready");
    close(server->ready_fd);
    server->ready_fd = -1;
}

void server_fail(struct server *server, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(server->counts->words, sizeof server->counts->words, format, args);
    va_end(args);
}

int server_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* ------------------------------------------------------------------------ connections */

bool server_admit(const struct server *server, int fd)
{
    if (server->counts->open >= server->capacity) {
        server->counts->refused++;
        close(fd);
        return false;
    }
    server->counts->accepted++;
    server->counts->open++;
    return true;
}

void server_refuse(const struct server *server, int fd)
{
    server->counts->refused++;
    server_close(server, fd);
}

int server_accept(const struct server *server, int flags)
{
    for (;;) {
        int fd = accept4(server->door, NULL, NULL, flags | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && errno == EAGAIN)
            server->counts->vain++;
        if (fd < 0 || server_admit(server, fd))
            return fd;
    }
}

void server_close(const struct server *server, int fd)
{
    server->counts->open--;
    close(fd);
}

struct session_stamp server_stamp(void)
{
    return (struct session_stamp){.worker = 0, .accepted_us = clock_us()};
}

enum session_verdict server_answer(const struct server *server, struct session *session,
                                   const struct session_stamp *stamp, const char *bytes, size_t n,
                                   struct buf *out)
{
    uint64_t cost_us = 0;
    size_t before = out->len;
    enum session_verdict verdict = session_feed(session, stamp, bytes, n, out, &cost_us);
    if (cost_us > 0)
        session_burn(cost_us);
    server->counts->answered += (out->len - before) / SESSION_ANSWER_SIZE;
    return out->failed ? SESSION_CLOSE : verdict;
}

bool server_send(const struct server *server, struct buf *out, int fd, int flags)
{
    size_t sent = 0;
    while (sent < out->len) {
        ssize_t n = send(fd, out->p + sent, out->len - sent, flags | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            server->counts->cut++;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    bool is_sent = sent == out->len;
    buf_clear(out);
    return is_sent;
}

void server_serve(const struct server *server, int fd)
{
    struct scratch scratch = {0};
    struct session session = {0};
    struct session_stamp stamp = server_stamp();
    enum session_verdict verdict = SESSION_KEEP;
    while (verdict == SESSION_KEEP) {
        ssize_t n = recv(fd, scratch.bytes, sizeof scratch.bytes, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        verdict = server_answer(server, &session, &stamp, scratch.bytes, (size_t)n, &scratch.out);
        if (!server_send(server, &scratch.out, fd, 0))
            break;
    }
    session_free(&session);
    scratch_free(&scratch);
    server_close(server, fd);
}
