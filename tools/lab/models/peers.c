#include "lab/models/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

int peers_open(struct peers *peers, const struct server *server)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || server_nonblock(server->door) < 0)
        return -1;
    /* Pages that are never touched cost nothing. */
    struct peer *list = calloc(limit.rlim_cur, sizeof *list);
    if (!list)
        return -1;
    *peers = (struct peers){.server = server, .list = list, .room = (int)limit.rlim_cur};
    return 0;
}

void peers_close(struct peers *peers)
{
    for (int fd = 0; fd < peers->top; fd++)
        if (peers->list[fd].is_open)
            peers_end(peers, fd);
    free(peers->list);
    peers->list = NULL;
}

int peers_accept(struct peers *peers)
{
    int fd = server_accept(peers->server, SOCK_NONBLOCK);
    if (fd < 0)
        return -1;
    peers->list[fd] = (struct peer){.stamp = server_stamp(), .is_open = true};
    if (fd >= peers->top)
        peers->top = fd + 1;
    return fd;
}

bool peers_has(const struct peers *peers, int fd)
{
    return fd >= 0 && fd < peers->room && peers->list[fd].is_open;
}

/* From the close on the number may be another's, which another thread accepts. */
void peers_end(struct peers *peers, int fd)
{
    session_free(&peers->list[fd].session);
    peers->list[fd].is_open = false;
    server_close(peers->server, fd);
}

bool peers_answer(struct peers *peers, struct scratch *scratch, int fd, size_t n)
{
    struct peer *peer = &peers->list[fd];
    enum session_verdict verdict =
        server_answer(peers->server, &peer->session, &peer->stamp, scratch, n);
    if (server_send(peers->server, scratch, fd) && verdict == SESSION_KEEP)
        return true;
    peers_end(peers, fd);
    return false;
}

enum came { CAME_NOTHING, CAME_SOME, CAME_ENDED };

static enum came serve_once(struct peers *peers, struct scratch *scratch, int fd)
{
    ssize_t n;
    do
        n = recv(fd, scratch->bytes, sizeof scratch->bytes, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        peers->server->counts->vain++;
        return CAME_NOTHING;
    }
    if (n > 0)
        return peers_answer(peers, scratch, fd, (size_t)n) ? CAME_SOME : CAME_ENDED;
    peers_end(peers, fd);
    return CAME_ENDED;
}

bool peers_serve(struct peers *peers, struct scratch *scratch, int fd)
{
    return serve_once(peers, scratch, fd) != CAME_ENDED;
}

bool peers_drain(struct peers *peers, struct scratch *scratch, int fd)
{
    enum came came;
    do
        came = serve_once(peers, scratch, fd);
    while (came == CAME_SOME);
    return came != CAME_ENDED;
}
