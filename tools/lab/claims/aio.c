/* Asynchronous I/O: who does the work, the kernel or threads. */
#include <aio.h>
#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

/* The kernel's: a poll request on a socket, IOCB_CMD_POLL. How many threads there were while it
 * waited; *done: it completed when a byte came. -1 where there is none, with errno. */
static int threads_of_kernel(bool *done)
{
    aio_context_t context = 0;
    struct fixture_pair pair = fixture_pair();
    struct iocb request = {
        .aio_fildes = (uint32_t)pair.server, .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN};
    struct iocb *requests[] = {&request};
    struct io_event event;
    struct timespec second = {.tv_sec = 1};
    if (syscall(SYS_io_setup, 8, &context) < 0)
        return -1;
    if (syscall(SYS_io_submit, context, 1L, requests) != 1)
        return -1;
    int threads = (int)fixture_threads();
    fixture_send(pair.client, 1);
    *done = syscall(SYS_io_getevents, context, 1L, 1L, &event, &second) == 1;
    syscall(SYS_io_destroy, context);
    return threads;
}

/* libc's: aio_read of a socket. */
static int threads_of_libc(bool *done)
{
    static char byte;
    static struct aiocb request;
    struct fixture_pair pair = fixture_pair();
    request = (struct aiocb){.aio_fildes = pair.server, .aio_buf = &byte, .aio_nbytes = 1};
    const struct aiocb *requests[] = {&request};
    struct timespec second = {.tv_sec = 1};
    need(aio_read(&request), "aio_read");
    int threads = (int)fixture_threads();
    fixture_send(pair.client, 1);
    *done = aio_suspend(requests, 1, &second) == 0 && aio_return(&request) == 1;
    return threads;
}

void try_aio_threads(struct finding *f, bool is_quick)
{
    (void)is_quick;
    bool kernel_done = false, libc_done = false;
    int before = (int)fixture_threads(), by_kernel = threads_of_kernel(&kernel_done);
    int error = errno, by_libc = threads_of_libc(&libc_done);
    if (by_kernel < 0)
        give_up("the kernel's AIO cannot be tried: %s; libc's aio_read makes %d thread(s) of %d",
                error_name(error), by_libc, before);
    bool in_kernel = by_kernel == before && kernel_done, in_libc = by_libc > before && libc_done;
    enum verdict verdict = in_kernel && in_libc ? CLAIM_DEPENDS
                           : in_kernel          ? CLAIM_FAILS
                                                : CLAIM_HOLDS;
    finding_set(f, verdict,
                "%swith a request under way on a socket this process has %d thread by "
                "the kernel's io_submit (IOCB_CMD_POLL), %d by libc's aio_read, and had %d before; "
                "%s completed when a byte came",
                depends_on(verdict, "whose it is"), by_kernel, by_libc, before,
                kernel_done && libc_done ? "both"
                : kernel_done            ? "the first"
                : libc_done              ? "the second"
                                         : "neither");
}
