/*
 * aio - POSIX AIO (aio(7)): a read for each connection is under way, a signal tells that one is
 * done. There is no aio_accept(), so a thread accepts.
 *
 * The GNU C library does it with threads of its own: each blocks in one read until the client says
 * something. So there must be as many as connections (aio_init(3); 20 unless told), or those that
 * speak wait behind those that are idle; and each aio_read(3) walks a list of all that are under
 * way. A completion signal that finds the queue full is lost, as sigqueue(3) says.
 */
#include <aio.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lab/model.h"
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
    struct peers peers;
    struct reading *readings; /* by descriptor */
};

static void limit(struct bound *bound, const struct resources *resources)
{
    bound_by_tasks(bound, resources, "threads of the C library, one for each connection,",
                   THREAD_BYTES);
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

/* Its sockets block: the library's threads are to wait in them. */
static void *accept_all(void *context)
{
    struct aio *aio = context;
    int fd;
    while ((fd = peers_accept_blocking(&aio->peers)) >= 0)
        start_read(aio, fd);
    server_fail_const(aio->peers.server, "accept");
    return NULL;
}
