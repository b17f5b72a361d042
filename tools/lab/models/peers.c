#include "lab/models/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

int peers_open(struct peers *peers, const struct server *server, enum peers_mode mode)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        (mode == PEERS_NONBLOCKING && server_nonblock(server->door) < 0))
        return -1;
    /* Pages that are never touched cost nothing. */
    struct peer *list = calloc(limit.rlim_cur, sizeof *list);
    if (!list)
        return -1;
    *peers = (struct peers){
        .server = server, .mode = mode, .list = list, .room = (int)limit.rlim_cur};
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

static void place(struct peers *peers, int fd)
{
    peers->list[fd] = (struct peer){.stamp = server_stamp(), .is_open = true};
    if (fd >= peers->top)
        peers->top = fd + 1;
}

int peers_accept(struct peers *peers)
{
    int fd = server_accept(peers->server, peers->mode == PEERS_BLOCKING ? 0 : SOCK_NONBLOCK);
    if (fd >= 0)
        place(peers, fd);
    return fd;
}

bool peers_take(struct peers *peers, int fd)
{
    if (!server_admit(peers->server, fd))
        return false;
    place(peers, fd);
    return true;
}

bool peers_has(const struct peers *peers, int fd)
{
    return fd >= 0 && fd < peers->room && peers->list[fd].is_open;
}

/* From the close on the number may be another's, which another thread accepts. */
static void forget(struct peers *peers, int fd)
{
    session_free(&peers->list[fd].session);
    peers->list[fd].is_open = false;
}

void peers_end(struct peers *peers, int fd)
{
    forget(peers, fd);
    server_close(peers->server, fd);
}

void peers_refuse(struct peers *peers, int fd)
{
    forget(peers, fd);
    server_refuse(peers->server, fd);
}

bool peers_answer(struct peers *peers, struct buf *out, int fd, const char *bytes, size_t n)
{
    struct peer *peer = &peers->list[fd];
    enum session_verdict verdict = server_answer(peers->server, &peer->session, &peer->stamp, bytes,
                                                 n, out);
    int flags = peers->mode == PEERS_BLOCKING ? MSG_DONTWAIT : 0;
    if (server_send(peers->server, out, fd, flags) && verdict == SESSION_KEEP)
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
        return peers_answer(peers, &scratch->out, fd, scratch->bytes, (size_t)n) ? CAME_SOME
                                                                                 : CAME_ENDED;
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
