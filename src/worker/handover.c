#include "worker/handover.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/pass.h"
#include "worker/client.h"
#include "worker/work.h"

#define MAGIC   0x64726876u /* "drhv" */
#define VERSION 1

/* Bytes of a message of any version: a longer one could not be told from a lost descriptor. */
#define MESSAGE_MAX 256

/* As it is sent. Both workers are on one machine, so the order of bytes is its own. */
struct message {
    uint32_t magic;
    uint32_t version;
    uint32_t served;
    uint8_t has_client;
    uint8_t is_greeting;
    uint16_t port;
    uint8_t address[16];
    uint8_t family;
    uint8_t is_shared; /* 0 by a version that knows of no standby */
    uint8_t unused[2];
};

_Static_assert(sizeof(struct message) == 36, "the layout of version 1, without gaps");
_Static_assert(sizeof(struct message) <= MESSAGE_MAX, "it is received whole");

bool handover_is_possible(const struct conn *conn)
{
    switch ((enum conn_state)conn->state) {
    case CONN_FRESH:
    case CONN_RECEIVING: return !conn->work && !conn->closing && !conn->is_unsent;
    case CONN_GREETING: return !conn->work;
    default: return false;
    }
}

int handover_send(int end, const struct conn *conn)
{
    struct message message = {.magic = MAGIC,
                              .version = VERSION,
                              .served = conn->served,
                              .has_client = conn->is_named,
                              .is_greeting = conn->state == CONN_GREETING,
                              .is_shared = conn->is_shared};
    if (conn->is_named) {
        message.port = conn->client->port;
        message.family = conn->client->family;
        memcpy(message.address, conn->client->bytes, sizeof message.address);
    }
    return pass_send(end, &message, sizeof message, &conn->fd, 1);
}

static int failed(int error)
{
    errno = error;
    return -1;
}

static struct handover handover_of(const struct message *message)
{
    struct handover what = {.served = message->served,
                            .has_client = message->has_client,
                            .is_greeting = message->is_greeting,
                            .is_shared = message->is_shared != 0,
                            .client = {.family = message->family, .port = message->port}};
    memcpy(what.client.bytes, message->address, sizeof what.client.bytes);
    return what;
}

int handover_receive(int end, struct handover *out)
{
    union {
        struct message message;
        char bytes[MESSAGE_MAX];
    } got;
    int fd = -1;
    size_t count = 1;
    if (!pass_has_room(end)) /* what is received then would be dropped */
        return failed(EMFILE);
    ssize_t n = pass_receive(end, &got, sizeof got, &fd, &count);
    if (n < 0)
        return -1;
    if (n == 0)
        return failed(EPIPE);
    if (count == 1 && n == (ssize_t)sizeof got.message && got.message.magic == MAGIC &&
        got.message.version == VERSION) {
        *out = handover_of(&got.message);
        return fd;
    }
    if (count == 1)
        close(fd);
    return failed(EPROTO);
}

int handover_open(struct conn *conn, struct conn_env *env, int fd, const struct handover *what)
{
    struct conn one = {.fd = fd,
                       .served = what->served,
                       .is_shared = what->is_shared,
                       .is_named = what->has_client,
                       .state = what->is_greeting ? CONN_GREETING : CONN_FRESH};
    if (what->has_client && !client_remember(&one, &what->client))
        return failed(ENOMEM);
    *conn = one;
    board_add(&env->row->connections, 1);
    deadlines_arm(&env->deadlines, &conn->deadline,
                  what->served > 0 ? DEADLINE_IDLE : DEADLINE_HEADER, env->now);
    return 0;
}
