/*
 * epoll-lt - epoll(7), level-triggered: the kernel keeps the set, and a wait returns only what is
 * ready, as long as it is. Who reads less than there is hears of it again.
 */
#include "lab/models/epoll_loop.h"
#include "lab/models/model.h"

static void run(struct server *server)
{
    epoll_loop_run(server, 0, peers_serve);
}

const struct model model_epoll_lt = {
    .name = "epoll-lt",
    .teaches = "the kernel keeps the set and returns what is ready: flat, however many are idle",
    .ends = "at the descriptors of a process",
    .is_steady = true,
    .run = run,
};
