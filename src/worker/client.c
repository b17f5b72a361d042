#include "worker/client.h"

#include <arpa/inet.h>
#include <drover.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "http/forwarded.h"
#include "worker/conn.h"
#include "worker/desk.h"
#include "worker/exchange.h"
#include "worker/stream.h"

static struct http_address address_of(const struct sockaddr_storage *storage)
{
    struct http_address address = {0};
    if (storage->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, storage, sizeof in);
        address.family = 4;
        address.port = ntohs(in.sin_port);
        memcpy(address.bytes, &in.sin_addr, sizeof in.sin_addr);
    } else if (storage->ss_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, storage, sizeof in6);
        address.family = 6;
        address.port = ntohs(in6.sin6_port);
        memcpy(address.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
    }
    return ip_unmapped(address);
}

int client_address(const struct conn *conn, struct http_address *address)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (!conn->client && getpeername(conn->fd, (struct sockaddr *)&storage, &length) < 0)
        return -1;
    *address = conn->client ? *conn->client : address_of(&storage);
    return 0;
}

bool client_remember(struct conn *conn, const struct http_address *address)
{
    conn->client = malloc(sizeof *conn->client);
    if (!conn->client)
        return false;
    *conn->client = ip_unmapped(*address);
    return true;
}

void client_note(const struct conn *conn, const struct conn_env *env)
{
    if (!env->clients || conn->fd >= DESK_FDS_MAX)
        return;
    struct http_address *noted = &env->clients[conn->fd];
    *noted = conn->client ? *conn->client : (struct http_address){0};
    if (conn->client && noted->family == 0)
        noted->family = DESK_FAMILY_UNIX;
}

bool client_can_be_noted(const struct conn *conn, const struct conn_env *env)
{
    return env->clients || !conn->is_named;
}

bool client_noted(const struct http_address *noted, struct http_address *address)
{
    *address = *noted;
    switch (noted->family) {
    case 4:
    case 6: return true;
    case DESK_FAMILY_UNIX: *address = (struct http_address){0}; return true;
    default: return false;
    }
}

void client_print(const struct http_address *address, char *host, uint16_t *port)
{
    if (port)
        *port = address->port;
    if (host && address->family == 0)
        snprintf(host, DROVER_HOST_SIZE, "unix:");
    else if (host)
        ip_print(address, host);
}

/* ----------------------------------------------------------------- what an application calls */

int drover_request_client(const struct drover_request *request, char host[DROVER_HOST_SIZE],
                          uint16_t *port)
{
    const struct exchange *exchange = exchange_of_request(request);
    if (!exchange->conn) {
        errno = ENOTCONN;
        return -1;
    }
    struct http_address peer;
    if (client_address(exchange->conn, &peer) < 0)
        return -1;
    struct http_address client = forwarded_client(&request->head, &peer, exchange->env->forwarded);
    client_print(&client, host, port);
    return 0;
}

int drover_stream_client(const struct drover_stream *stream, char host[DROVER_HOST_SIZE],
                         uint16_t *port)
{
    struct http_address client;
    if (client_address(stream->conn, &client) < 0)
        return -1;
    client_print(&client, host, port);
    return 0;
}
