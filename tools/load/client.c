#include "load/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read at once. Most answers come whole; a long one is not worth more copies than these. */
#define READ_SIZE 65536

/* Reads in a row before the other clients have their turn. */
#define READS_MAX 16

/* Source addresses that are tried for one connection. */
#define SOURCES_TRIED 8

/* One thread, and what was read is used up at once: one buffer for all clients. */
static char buffer[READ_SIZE];

void client_init(struct client *client, unsigned id, client_over_fn *over)
{
    *client = (struct client){.fd = -1, .id = id, .over = over};
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd); /* frees the number whatever it returns, and nothing is unsent */
    client->fd = -1;
    client->connected = client->kept = client->ending = false;
    client->send_error = 0;
    client->unsent = 0;
}

bool client_is_spent(const struct client *client)
{
    return client->ending;
}

bool client_is_connected(const struct client *client)
{
    return client->connected;
}

static void finish(struct client *client, enum outcome outcome, int error)
{
    client->pending--;
    client->error = error;
    client->over(client, outcome);
}

/* Nothing more comes over this connection: what waits behind its last answer is lost. */
static enum client_want end(struct client *client)
{
    client->ending = true;
    while (client->pending > 0)
        finish(client, OUTCOME_UNANSWERED, 0);
    return CLIENT_OVER;
}

void client_lose(struct client *client, enum outcome outcome, int error)
{
    client->ending = true;
    while (client->pending > 0)
        finish(client, outcome, error);
}

static enum client_want lost(struct client *client, enum outcome outcome, int error)
{
    client_lose(client, outcome, error);
    return CLIENT_OVER;
}

/* The connection broke within the first answer; what was asked after that had no byte yet. */
static enum client_want lost_within(struct client *client, enum outcome outcome, int error)
{
    finish(client, outcome, error);
    return end(client);
}

/* What this machine lacked; the server is not to blame. */
static bool is_local(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: /* no port is left, or the source is not an address of this host */
    case EADDRINUSE:
    case EACCES:
    case EPERM: /* a local packet filter */
    case EAFNOSUPPORT:
    case EAGAIN: /* connect(2): no room in the routing table */ return true;
    default: return false;
    }
}

/* A system call on the connection failed. */
static enum client_want broken(struct client *client, int error)
{
    bool reset = error == ECONNRESET || error == EPIPE;
    if (is_local(error))
        return lost(client, OUTCOME_LOCAL, error);
    if (!client->connected && !reset)
        return lost(client, OUTCOME_REFUSED, error);
    if (client->answer.started)
        return lost_within(client, OUTCOME_RESET_IN_ANSWER, error);
    return lost(client, client->kept ? OUTCOME_UNANSWERED : OUTCOME_RESET, error);
}

/* An answer that is whole leaves the connection in order, even if it is a wrong one. */
static void judge(struct client *client, struct job *job, size_t surplus)
{
    struct answer *answer = &client->answer;
    enum outcome outcome = expect_judge(&job->expect, answer, surplus);
    client->kept = true;
    client->status = answer->status;
    if (job->close || answer->close || surplus > 0 || answer->state == ANSWER_MALFORMED)
        client->ending = true;
    answer_start(answer, job->expect.summed);
    finish(client, outcome, 0);
    if (client->pending == 0 && client->unsent > 0) /* answered before it was asked */
        client->ending = true;
}

static enum client_want ended(struct client *client, struct job *job)
{
    if (client->send_error)
        return broken(client, client->send_error);
    if (!client->answer.started)
        return lost(client, client->kept ? OUTCOME_UNANSWERED : OUTCOME_CLOSED, 0);
    answer_end(&client->answer);
    if (client->answer.state == ANSWER_CUT)
        return lost_within(client, OUTCOME_CUT_SHORT, 0);
    judge(client, job, 0);
    return end(client);
}

/* What comes after the last answer that was asked for is a fault of that answer. */
static void take(struct client *client, struct job *job, struct span bytes)
{
    while (bytes.n > 0 && client->pending > 0 && !client->ending) {
        size_t used = answer_feed(&client->answer, bytes);
        bytes = (struct span){.p = bytes.p + used, .n = bytes.n - used};
        if (client->answer.state != ANSWER_MORE)
            judge(client, job, client->pending == 1 ? bytes.n : 0);
    }
}

static enum client_want receive(struct client *client, struct job *job, bool peer_closed)
{
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(client->fd, buffer, sizeof buffer, 0);
        if (n < 0)
            return errno == EAGAIN ? CLIENT_READ : broken(client, errno);
        if (n == 0)
            return ended(client, job);
        client->bytes += (size_t)n;
        take(client, job, (struct span){.p = buffer, .n = (size_t)n});
        if (client->ending)
            return end(client);
        if (client->pending == 0)
            return CLIENT_OVER;
        /* Nothing is left but perhaps the end, and that is reported: save the call. */
        if ((size_t)n < sizeof buffer && !peer_closed)
            return CLIENT_READ;
    }
    return CLIENT_MORE;
}

/* What was answered before the connection broke has come, and counts. */
static enum client_want cannot_send(struct client *client, int error)
{
    if (!client->connected)
        return broken(client, error);
    client->send_error = error;
    client->unsent = 0;
    return CLIENT_READ;
}

/*
 * All requests are the same, so the bytes that are left start within the first of them.
 *
 * The first send also learns whether the connection came to be: EAGAIN while it is under way, the
 * reason when it failed. On loopback it succeeds at once, which saves a wait a connection.
 */
static enum client_want transmit(struct client *client, const struct job *job)
{
    size_t part = client->unsent % job->length;
    size_t from = part > 0 ? job->length - part : 0;
    ssize_t n = send(client->fd, job->text.p + from, client->unsent, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? CLIENT_WRITE : cannot_send(client, errno);
    if (!client->connected)
        client->connections++;
    client->connected = true;
    client->unsent -= (size_t)n;
    return client->unsent > 0 ? CLIENT_WRITE : CLIENT_READ;
}

/* With several requests under way, Nagle's algorithm would hold the next one back until an earlier
 * one is answered. It cannot fail but on a unix socket, which has none of it. */
static void send_at_once(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Returns 0, or -1 with errno. */
static int try_source(struct client *client, const struct target *target)
{
    if (client->fd < 0)
        client->fd = target_socket(target, client->id);
    if (client->fd < 0)
        return -1;
    return target_connect(target, client->fd);
}

static enum client_want open_connection(struct client *client, struct target *target)
{
    for (int i = 0; try_source(client, target) < 0; i++) {
        int error = errno;
        if (client->fd >= 0 && error == EAGAIN && target->address.any.sa_family == AF_UNIX)
            return CLIENT_LATER;
        if (error != EADDRNOTAVAIL || i == SOURCES_TRIED || !target_next_source(target))
            return broken(client, error);
        client_close(client);
    }
    return CLIENT_WRITE;
}

enum client_want client_ask(struct client *client, struct job *job, unsigned n)
{
    if (client->pending == 0)
        answer_start(&client->answer, job->expect.summed);
    client->pending += n;
    if (!client->connected) {
        enum client_want want = open_connection(client, &job->target);
        if (want != CLIENT_WRITE)
            return want;
        if (job->depth > 1)
            send_at_once(client->fd);
        n = client->pending; /* those of earlier calls that ended with CLIENT_LATER too */
    }
    client->unsent += n * job->length;
    return transmit(client, job);
}

/* The server ends a connection that nothing is asked on: its right, and nothing is lost. */
static enum client_want idle_end(struct client *client)
{
    client->idle_ends++;
    client->ending = true;
    return CLIENT_OVER;
}

enum client_want client_step(struct client *client, struct job *job, bool peer_closed)
{
    if (client->pending == 0)
        return idle_end(client);
    enum client_want want = client->unsent > 0 ? transmit(client, job) : CLIENT_READ;
    if (!client->connected)
        return want;
    enum client_want got = receive(client, job, peer_closed);
    if (got == CLIENT_OVER && peer_closed)
        client->ending = true;
    return got == CLIENT_READ ? want : got;
}
