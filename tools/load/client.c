#include "load/client.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read at once. Most answers come whole; a long one is not worth more copies than these. */
#define READ_SIZE 65536

/* Reads in a row before the other clients have their turn. */
#define READS_MAX 16

/* One thread, and what was read is used up at once: one buffer for all clients. */
static char buffer[READ_SIZE];

void client_init(struct client *client, unsigned id)
{
    *client = (struct client){.fd = -1, .id = id};
}

void client_close(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd); /* frees the number whatever it returns, and nothing is unsent */
    client->fd = -1;
    client->connected = client->kept = client->ending = false;
}

bool client_is_spent(const struct client *client)
{
    return client->ending;
}

bool client_is_connected(const struct client *client)
{
    return client->connected;
}

/* A request without its whole answer takes its connection with it. */
static enum client_want lost(struct client *client, enum outcome outcome, int error)
{
    client->outcome = outcome;
    client->error = error;
    client->ending = true;
    return CLIENT_OVER;
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
        return lost(client, OUTCOME_RESET_IN_ANSWER, error);
    return lost(client, client->kept ? OUTCOME_UNANSWERED : OUTCOME_RESET, error);
}

/* An answer that is whole leaves the connection in order, even if it is a wrong one. */
static enum client_want judge(struct client *client, const struct job *job, size_t surplus)
{
    const struct answer *answer = &client->answer;
    client->outcome = job_judge(job, answer, surplus);
    client->error = 0;
    client->kept = true;
    if (job->close || answer->close || surplus > 0 || answer->state == ANSWER_MALFORMED)
        client->ending = true;
    return CLIENT_OVER;
}

static enum client_want ended(struct client *client, const struct job *job)
{
    client->ending = true;
    if (!client->answer.started)
        return lost(client, client->kept ? OUTCOME_UNANSWERED : OUTCOME_CLOSED, 0);
    answer_end(&client->answer);
    if (client->answer.state == ANSWER_CUT)
        return lost(client, OUTCOME_CUT_SHORT, 0);
    return judge(client, job, 0);
}

static enum client_want receive(struct client *client, const struct job *job)
{
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = recv(client->fd, buffer, sizeof buffer, 0);
        if (n < 0)
            return errno == EAGAIN ? CLIENT_READ : broken(client, errno);
        if (n == 0)
            return ended(client, job);
        client->bytes += (size_t)n;
        size_t used = answer_feed(&client->answer, (struct span){.p = buffer, .n = (size_t)n});
        if (client->answer.state != ANSWER_MORE)
            return judge(client, job, (size_t)n - used);
        if ((size_t)n < sizeof buffer) /* most likely nothing is left: save the call */
            break;
    }
    return CLIENT_READ;
}

/* The first send also learns whether the connection came to be: EAGAIN while it is under way, the
 * reason when it failed. On loopback it succeeds at once, which saves a wait a connection. */
static enum client_want transmit(struct client *client, const struct job *job)
{
    const struct buf *request = &job->request;
    ssize_t n = send(client->fd, request->p + client->sent, request->len - client->sent,
                     MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN ? CLIENT_WRITE : broken(client, errno);
    if (!client->connected)
        client->connections++;
    client->connected = true;
    client->sent += (size_t)n;
    return client->sent < request->len ? CLIENT_WRITE : CLIENT_READ;
}

static enum client_want open_connection(struct client *client, const struct target *target)
{
    if (client->fd < 0)
        client->fd = target_socket(target, client->id);
    if (client->fd < 0)
        return lost(client, OUTCOME_LOCAL, errno);
    if (target_connect(target, client->fd) == 0)
        return CLIENT_WRITE;
    if (errno == EAGAIN && target->address.any.sa_family == AF_UNIX)
        return CLIENT_LATER;
    return broken(client, errno);
}

enum client_want client_ask(struct client *client, const struct job *job)
{
    answer_start(&client->answer);
    client->sent = 0;
    if (!client->connected) {
        enum client_want want = open_connection(client, &job->target);
        if (want != CLIENT_WRITE)
            return want;
    }
    return transmit(client, job);
}

enum client_want client_step(struct client *client, const struct job *job, bool peer_closed)
{
    if (client->sent < job->request.len) {
        enum client_want want = transmit(client, job);
        if (want != CLIENT_READ)
            return want;
    }
    enum client_want want = receive(client, job);
    if (want == CLIENT_OVER && peer_closed)
        client->ending = true;
    return want;
}
