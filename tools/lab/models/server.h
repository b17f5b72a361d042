/*
 * server - the process under test: its listener, what it counts, and how it tells what it has used.
 *
 * What a process has used is asked for by SIGUSR1: each process of the server's group adds its
 * getrusage(2) to the counts, in the handler, those of its threads and children that have ended
 * included. That is exact where /proc is not: it forgets the switches of a thread that has ended,
 * and rounds times to ticks. Waits that a signal interrupts (EINTR) are due again, signal(7).
 */
#ifndef DROVER_LAB_MODELS_SERVER_H
#define DROVER_LAB_MODELS_SERVER_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "lab/trial/session.h"

/* In memory that the supervisor and all processes of the server share. */
struct server_counts {
    _Alignas(64) _Atomic uint64_t accepted; /* connections taken in */
    _Atomic uint64_t answered;              /* requests */
    _Atomic uint64_t open;                  /* connections that it holds now */
    _Atomic uint64_t vain;                  /* accepts and reads that found nothing: EAGAIN */
    _Atomic uint64_t refused;               /* connections beyond its limit: closed at once */
    _Atomic uint64_t cut;                   /* closed since the client did not take its answers */
    _Atomic uint32_t processes;             /* that are alive */

    /* What they have used, all that were asked together. */
    sem_t told; /* posted by each that has added its own */
    _Atomic uint64_t user_us, system_us;
    _Atomic uint64_t voluntary, involuntary;

    char words[128]; /* why it has ended by itself; NUL-terminated */
};

struct server {
    int door;                     /* the listener; borrowed */
    uint64_t capacity;            /* connections at one time at most */
    struct server_counts *counts; /* borrowed */
    int ready_fd;                 /* a pipe, on which it says that it waits; -1: it has said so */
};

/* What one thread reads into, and gathers answers in. Zeroed: empty; scratch_free() is due. */
struct scratch {
    struct buf out;
    char bytes[4096];
};

void scratch_free(struct scratch *scratch);

/* In the server's process, before its model runs: the handler of SIGUSR1. -1 with errno set. */
int server_open(struct server *server);

/* It is about to wait for the first time. */
void server_ready(struct server *server);

/* Leaves words for the supervisor; printf(3)'s format. */
void server_fail(struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The listener, or a connection, in non-blocking mode. Returns 0, or -1 with errno set. */
int server_nonblock(int fd);

/*
 * Accepts the next connection, with flags of accept4(2) beside SOCK_CLOEXEC; those beyond the
 * capacity are closed and counted. Returns its descriptor, or -1 with errno set; EAGAIN, which a
 * listener that does not block has when there is none, counts as vain.
 */
int server_accept(const struct server *server, int flags);

/* The same for one that was accepted by other means. False: it was closed. */
bool server_admit(const struct server *server, int fd);

/* Closes one that was admitted, as one that there is no room for after all. */
void server_refuse(const struct server *server, int fd);

/* Closes one that has ended. */
void server_close(const struct server *server, int fd);

/* Whose connection this is from now on. */
struct session_stamp server_stamp(void);

/* Takes n bytes that were read, appends the answers to *out, and burns the CPU time that was asked
 * for. */
enum session_verdict server_answer(const struct server *server, struct session *session,
                                   const struct session_stamp *stamp, const char *bytes, size_t n,
                                   struct buf *out);

/*
 * Sends all of *out, and forgets it; flags of send(2) beside MSG_NOSIGNAL. False when that is not
 * possible. Where it is not to wait, a client that has not read for so long that its answers no
 * longer fit is given up, and counted as cut: thousands of 200 bytes do, and no client of the lab's
 * is one.
 */
bool server_send(const struct server *server, struct buf *out, int fd, int flags);

/* Serves a connection in blocking mode to its end, and closes it. */
void server_serve(const struct server *server, int fd);

/* ------------------------------------------------------------------- for the supervisor */

struct server_usage {
    uint64_t user_us, system_us;
    uint64_t voluntary, involuntary; /* context switches */
};

/* A zeroed one, shared with whoever is forked from here on. NULL with errno set. */
struct server_counts *server_counts_open(void);
void server_counts_close(struct server_counts *counts);

/* Asks all processes of the group, and waits for them. -1 with errno set: ETIMEDOUT when one has
 * not told within some seconds, ESRCH when there is none. */
int server_ask(pid_t group, struct server_counts *counts, struct server_usage *usage);

#endif
