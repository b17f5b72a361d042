/*
 * aio - POSIX AIO (aio(7)): a read for each connection is under way, a signal tells that one is
 * done. There is no aio_accept(), so a thread accepts.
 *
 * The GNU C library does it with threads of its own: each blocks in one read until the client says
 * something. So there must be as many as connections (aio_init(3); 20 unless told), or those that
 * speak wait behind those that are idle; and each aio_read(3) walks a list of all that are under
 * way. A completion signal that finds the queue full is lost, so there must be room for all.
 */
#include <aio.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lab/models/model.h"
#include "lab/models/peers.h"
#include "lab/models/threads.h"

/* The library's threads have stacks of PTHREAD_STACK_MIN: what is touched, and the kernel's. */
#define THREAD_BYTES (64 * 1024)

/* Bytes that one read asks for: a request, or some. */
#define READ_SIZE 1024

struct reading {
    struct aiocb block;
    char bytes[READ_SIZE];
};

struct aio {
    struct server *server;
    struct peers peers;
    struct reading *readings; /* by descriptor */
};

static void limit(struct bound *bound, const struct resources *resources)
{
    bound_by_tasks(bound, resources, "threads of the C library, one for each connection,",
                   THREAD_BYTES);
    bound_lower(bound, resources->signals,
                "%" PRIu64 " signals can be queued (RLIMIT_SIGPENDING), one for each connection",
                resources->signals);
}

static void start_read(struct aio *aio, int fd)
{
    struct reading *reading = &aio->readings[fd];
    reading->block = (struct aiocb){
        .aio_fildes = fd,
        .aio_buf = reading->bytes,
        .aio_nbytes = sizeof reading->bytes,
        .aio_sigevent = {.sigev_notify = SIGEV_SIGNAL,
                         .sigev_signo = SIGRTMIN,
                         .sigev_value.sival_int = fd},
    };
    if (aio_read(&reading->block) < 0)
        peers_end(&aio->peers, fd);
}

static void *accept_all(void *context)
{
    struct aio *aio = context;
    int fd;
    while ((fd = peers_accept(&aio->peers)) >= 0)
        start_read(aio, fd);
    server_fail(aio->server, "accept: %s", strerror(errno));
    exit(EXIT_FAILURE);
}

static void complete(struct aio *aio, struct buf *out, int fd)
{
    struct reading *reading = &aio->readings[fd];
    if (aio_error(&reading->block) == EINPROGRESS)
        return;
    ssize_t n = aio_return(&reading->block);
    if (n <= 0)
        peers_end(&aio->peers, fd);
    else if (peers_answer(&aio->peers, out, fd, reading->bytes, (size_t)n))
        start_read(aio, fd);
}

static int open_aio(struct aio *aio, struct server *server, sigset_t *set)
{
    /* As many threads as connections; and the library's table grows in steps of this number. */
    struct aioinit init = {.aio_threads = (int)server->capacity, .aio_num = 1024};
    aio_init(&init);
    sigemptyset(set);
    sigaddset(set, SIGRTMIN);
    *aio = (struct aio){.server = server};
    if (sigprocmask(SIG_BLOCK, set, NULL) < 0 ||
        peers_open(&aio->peers, server, PEERS_BLOCKING) < 0)
        return -1;
    aio->readings = calloc((size_t)aio->peers.room, sizeof *aio->readings);
    return aio->readings ? threads_start(1, accept_all, aio) : -1;
}

static void run(struct server *server)
{
    static struct aio aio;
    struct buf out = {0};
    sigset_t set;
    siginfo_t info;
    if (open_aio(&aio, server, &set) < 0)
        return;
    server_ready(server);
    for (;;) {
        int signal = sigwaitinfo(&set, &info);
        if (signal < 0 && errno != EINTR)
            break;
        if (signal > 0 && info.si_code == SI_ASYNCIO)
            complete(&aio, &out, info.si_value.sival_int);
    }
    buf_free(&out);
}

const struct model model_aio = {
    .name = "aio",
    .teaches =
        "POSIX AIO: a read under way for each connection, and in the C library a thread that "
        "blocks in it",
    .ends = "at the threads of the user, as `thread` does: it is one in disguise",
    .limit = limit,
    .run = run,
};
