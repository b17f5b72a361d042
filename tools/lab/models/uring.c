/*
 * uring - the proactor: reads and sends are handed to io_uring(7), and what comes back is that they
 * are done. One system call hands over all that was prepared, and waits.
 *
 * An answer and the next read of its connection are linked: the read begins when the answer has
 * left. A send that went well says nothing (IOSQE_CQE_SKIP_SUCCESS, Linux 5.17); one that did not,
 * or was short, does, and the read that was to follow is cancelled without a word.
 * The bytes of an answer must stay where they are until it has left, so each connection has its
 * own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/kernel/ring.h"
#include "lab/models/model.h"
#include "lab/models/peers.h"

/* Requests between two system calls, and results. More of these wait in the kernel. */
#define REQUESTS 256
#define RESULTS  1024

/* Bytes that one read asks for: a request, or some. */
#define READ_SIZE 1024

/* What came back; beside the descriptor in user_data. */
enum operation { ACCEPTED, READ, SENT, SENT_LAST };

/* What is under way of a connection: the kernel reads and writes here. */
struct transfer {
    struct buf out;
    char bytes[READ_SIZE];
};

struct proactor {
    struct peers peers;
    struct ring ring;
    struct transfer *transfers; /* by descriptor */
};

static const char *lacks(void)
{
    return ring_lacks();
}

static uint64_t tag(enum operation operation, int fd)
{
    return (uint64_t)operation << 32 | (uint32_t)fd;
}

/* NULL only where io_uring_enter(2) fails: the server is of no more use then. */
static struct io_uring_sqe *request(struct proactor *p, int code, enum operation operation, int fd)
{
    struct io_uring_sqe *sqe = ring_request(&p->ring);
    if (!sqe)
        exit(EXIT_FAILURE);
    sqe->opcode = (uint8_t)code;
    sqe->fd = fd;
    sqe->user_data = tag(operation, fd);
    return sqe;
}

static void start_accept(struct proactor *p)
{
    struct io_uring_sqe *sqe = request(p, IORING_OP_ACCEPT, ACCEPTED, p->peers.server->door);
    sqe->accept_flags = SOCK_CLOEXEC;
}

static void start_read(struct proactor *p, int fd)
{
    struct transfer *transfer = &p->transfers[fd];
    struct io_uring_sqe *sqe = request(p, IORING_OP_RECV, READ, fd);
    sqe->addr = (uint64_t)(uintptr_t)transfer->bytes;
    sqe->len = sizeof transfer->bytes;
}

/* Followed by a read, or by the end. */
static void start_send(struct proactor *p, int fd, bool is_last)
{
    const struct buf *out = &p->transfers[fd].out;
    struct io_uring_sqe *sqe = request(p, IORING_OP_SEND, is_last ? SENT_LAST : SENT, fd);
    sqe->addr = (uint64_t)(uintptr_t)out->p;
    sqe->len = (uint32_t)out->len;
    sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    if (!is_last)
        sqe->flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
}

/* Nothing of it is under way. */
static void end(struct proactor *p, int fd)
{
    buf_free(&p->transfers[fd].out);
    peers_end(&p->peers, fd);
}

static void answer(struct proactor *p, int fd, size_t n)
{
    struct transfer *transfer = &p->transfers[fd];
    struct peer *peer = &p->peers.list[fd];
    buf_clear(&transfer->out);
    enum session_verdict verdict = server_answer(p->peers.server, &peer->session, &peer->stamp,
                                                 transfer->bytes, n, &transfer->out);
    bool is_last = verdict == SESSION_CLOSE;
    if (transfer->out.len > 0)
        start_send(p, fd, is_last);
    else if (is_last)
        end(p, fd);
    if (!is_last)
        start_read(p, fd);
}

static void complete(struct proactor *p, const struct io_uring_cqe *result)
{
    enum operation operation = (enum operation)(result->user_data >> 32);
    int fd = (int)(uint32_t)result->user_data;
    switch (operation) {
    case ACCEPTED:
        if (result->res >= 0 && peers_take(&p->peers, result->res))
            start_read(p, result->res);
        start_accept(p);
        break;
    case READ:
        if (result->res > 0)
            answer(p, fd, (size_t)result->res);
        else if (result->res != -ECANCELED)
            end(p, fd);
        break;
    case SENT: /* or rather not */
    case SENT_LAST: end(p, fd); break;
    }
}

/* Each result is followed by two requests at most; a link holds only among those that are handed
 * over together, so there must be room for both. */
static int complete_all(struct proactor *p)
{
    struct io_uring_cqe result;
    for (unsigned n = 1; ring_result(&p->ring, &result); n++) {
        complete(p, &result);
        if (n % (REQUESTS / 2) == 0 && ring_submit(&p->ring) < 0)
            return -1;
    }
    return 0;
}

static int open_proactor(struct proactor *p, struct server *server)
{
    if (peers_open(&p->peers, server, PEERS_BLOCKING) < 0)
        return -1;
    p->transfers = calloc((size_t)p->peers.room, sizeof *p->transfers);
    return p->transfers ? ring_open(&p->ring, REQUESTS, RESULTS) : -1;
}

static void run(struct server *server)
{
    static struct proactor p;
    if (open_proactor(&p, server) < 0)
        return;
    start_accept(&p);
    server_ready(server);
    for (;;) {
        if (ring_wait(&p.ring) < 0 && errno != EINTR)
            return;
        if (complete_all(&p) < 0)
            return;
    }
}

const struct model model_uring = {
    .name = "uring",
    .teaches = "the proactor: reads and sends are handed over, and come back done; one system call "
               "for all of them",
    .ends = "at the descriptors of a process; every idle connection keeps memory for its read",
    .is_steady = true,
    .lacks = lacks,
    .run = run,
};
