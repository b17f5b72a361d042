/*
 * epoll-et - epoll(7), edge-triggered: a wait returns what is new. Who does not read until EAGAIN
 * never hears of the rest, so every request costs one more recv(2), which finds nothing.
 */
#include <sys/epoll.h>

#include "lab/models/epoll_loop.h"
#include "lab/models/model.h"

static void run(struct server *server)
{
    epoll_loop_run(server, EPOLLET, peers_drain);
}

const struct model model_epoll_et = {
    .name = "epoll-et",
    .teaches = "tells of news alone: reading until EAGAIN is a must, and costs a call a request",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
