/*
 * client - who is at the other end of a connection, found out when somebody asks.
 */
#ifndef DROVER_WORKER_CLIENT_H
#define DROVER_WORKER_CLIENT_H

#include "http/ip.h"

struct conn;

/* The address that a PROXY header brought, else the socket's peer's. No address: a unix socket, or
 * one that is gone. */
struct http_address client_address(const struct conn *conn);

/* It came with a PROXY header. False when memory ran out. */
bool client_remember(struct conn *conn, const struct http_address *address);

/* As drover_request_client() has it: "unix:" for no address. Either pointer may be NULL. */
void client_print(const struct http_address *address, char *host, uint16_t *port);

#endif
