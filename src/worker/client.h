/*
 * client - who is at the other end of a connection, found out when somebody asks.
 */
#ifndef DROVER_WORKER_CLIENT_H
#define DROVER_WORKER_CLIENT_H

#include "http/ip.h"

struct conn;
struct conn_env;

/*
 * The address that a PROXY header brought, else the socket's peer's; none for a unix socket.
 * Returns -1 with errno ENOTCONN when the peer has gone: that is not to be taken for a unix socket.
 */
int client_address(const struct conn *conn, struct http_address *address);

/* It came with a PROXY header. False when memory ran out. */
bool client_remember(struct conn *conn, const struct http_address *address);

/* Puts who the client is where a successor finds it, if there is such a place. There is none,
 * false, for one that was handed over by a server that has PROXY headers to one that has not: it
 * must not rest, since a successor would take the proxy for the client. */
void client_note(const struct conn *conn, const struct conn_env *env);
bool client_can_be_noted(const struct conn *conn, const struct conn_env *env);

/* Reads what lies there, which is not trusted. False: nobody was named. */
bool client_noted(const struct http_address *noted, struct http_address *address);

/* As drover_request_client() has it: "unix:" for no address. Either pointer may be NULL. */
void client_print(const struct http_address *address, char *host, uint16_t *port);

#endif
