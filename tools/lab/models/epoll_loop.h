/*
 * epoll_loop - a server's only thread waits with epoll(7) for all its connections: what epoll-lt
 * and epoll-et have in common, which differ in one flag and in how often they read.
 */
#ifndef DROVER_LAB_MODELS_EPOLL_LOOP_H
#define DROVER_LAB_MODELS_EPOLL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/models/peers.h"

/* peers_serve() or peers_drain(). */
typedef bool epoll_loop_answer(struct peers *peers, struct scratch *scratch, int fd);

/* `flags`: EPOLLET, or 0. Returns only when it fails, with errno set, as a model's run() does. */
void epoll_loop_run(struct server *server, uint32_t flags, epoll_loop_answer *answer);

#endif
