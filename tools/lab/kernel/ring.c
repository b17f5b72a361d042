#include "lab/kernel/ring.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The newest first. Completions are worked on when the process asks for them, and not in the
 * middle of something else; 6.1 has this, 5.19 something near to it. */
static const unsigned flavours[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                    IORING_SETUP_COOP_TASKRUN, 0};

static int setup(unsigned requests, unsigned results, struct io_uring_params *params)
{
    int fd = -1;
    for (size_t i = 0; i < sizeof flavours / sizeof *flavours; i++) {
        memset(params, 0, sizeof *params);
        params->flags = flavours[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        params->cq_entries = results;
        fd = (int)syscall(SYS_io_uring_setup, requests, params);
        if (fd >= 0 || errno != EINVAL)
            break;
    }
    return fd;
}

static void *map(int fd, size_t size, off_t where)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, where);
    return at == MAP_FAILED ? NULL : at;
}

/* Request n is always at place n of the queue: the kernel lets one choose. */
static void point(struct ring *ring, const struct io_uring_params *params)
{
    char *memory = ring->memory;
    ring->submit_head = (unsigned *)(void *)(memory + params->sq_off.head);
    ring->submit_tail = (unsigned *)(void *)(memory + params->sq_off.tail);
    ring->result_head = (unsigned *)(void *)(memory + params->cq_off.head);
    ring->result_tail = (unsigned *)(void *)(memory + params->cq_off.tail);
    ring->results = (struct io_uring_cqe *)(void *)(memory + params->cq_off.cqes);
    ring->submit_count = params->sq_entries;
    ring->submit_mask = params->sq_entries - 1;
    ring->result_mask = params->cq_entries - 1;
    unsigned *places = (unsigned *)(void *)(memory + params->sq_off.array);
    for (unsigned i = 0; i < params->sq_entries; i++)
        places[i] = i;
}

static int map_queues(struct ring *ring, const struct io_uring_params *params)
{
    size_t submit_end = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t result_end = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    ring->memory_size = submit_end > result_end ? submit_end : result_end;
    ring->requests_size = params->sq_entries * sizeof(struct io_uring_sqe);
    ring->memory = map(ring->fd, ring->memory_size, IORING_OFF_SQ_RING);
    if (!ring->memory)
        return -1;
    ring->requests = map(ring->fd, ring->requests_size, IORING_OFF_SQES);
    return ring->requests ? 0 : -1;
}

int ring_open(struct ring *ring, unsigned requests, unsigned results)
{
    struct io_uring_params params;
    memset(ring, 0, sizeof *ring);
    ring->fd = setup(requests, results, &params);
    if (ring->fd < 0)
        return -1;
    if (!(params.features & IORING_FEAT_SINGLE_MMAP))
        errno = ENOSYS; /* older than 5.4 */
    else if (map_queues(ring, &params) == 0) {
        point(ring, &params);
        return 0;
    }
    int error = errno;
    ring_close(ring);
    errno = error;
    return -1;
}

void ring_close(struct ring *ring)
{
    if (ring->requests)
        munmap(ring->requests, ring->requests_size);
    if (ring->memory)
        munmap(ring->memory, ring->memory_size);
    if (ring->fd >= 0)
        close(ring->fd);
    memset(ring, 0, sizeof *ring);
    ring->fd = -1;
}

static unsigned pending(const struct ring *ring)
{
    return ring->tail - __atomic_load_n(ring->submit_head, __ATOMIC_ACQUIRE);
}

static int enter(struct ring *ring, unsigned wait_for)
{
    __atomic_store_n(ring->submit_tail, ring->tail, __ATOMIC_RELEASE);
    long n = syscall(SYS_io_uring_enter, ring->fd, pending(ring), wait_for,
                     wait_for > 0 ? IORING_ENTER_GETEVENTS : 0, NULL, (size_t)0);
    return n < 0 ? -1 : 0;
}

struct io_uring_sqe *ring_request(struct ring *ring)
{
    if (pending(ring) == ring->submit_count && ring_submit(ring) < 0)
        return NULL;
    struct io_uring_sqe *request = &ring->requests[ring->tail++ & ring->submit_mask];
    memset(request, 0, sizeof *request);
    return request;
}

int ring_submit(struct ring *ring)
{
    while (pending(ring) > 0)
        if (enter(ring, 0) < 0 && errno != EINTR)
            return -1;
    return 0;
}

static bool has_result(const struct ring *ring)
{
    return *ring->result_head != __atomic_load_n(ring->result_tail, __ATOMIC_ACQUIRE);
}

int ring_wait(struct ring *ring)
{
    /* A signal may end the wait when the requests have been handed over: that is no error to the
     * kernel, and there is no result. */
    if (enter(ring, 1) < 0)
        return -1;
    if (has_result(ring))
        return 0;
    errno = EINTR;
    return -1;
}

bool ring_result(struct ring *ring, struct io_uring_cqe *result)
{
    if (!has_result(ring))
        return false;
    unsigned head = *ring->result_head;
    *result = ring->results[head & ring->result_mask];
    __atomic_store_n(ring->result_head, head + 1, __ATOMIC_RELEASE);
    return true;
}

static const char *words_of(int error)
{
    switch (error) {
    case ENOSYS: return "this kernel has no io_uring of Linux 5.4 or later";
    case EPERM: return "io_uring is not permitted (kernel.io_uring_disabled, or a seccomp filter)";
    case ENOMEM: return "no memory may be locked for an io_uring (RLIMIT_MEMLOCK)";
    default: return "io_uring_setup(2) fails";
    }
}

const char *ring_lacks(void)
{
    struct ring ring;
    if (ring_open(&ring, 1, 2) < 0)
        return words_of(errno);
    ring_close(&ring);
    return NULL;
}

/* The flags are looked at before the descriptor is: EBADF is the answer of a kernel that knows
 * them. */
static int try_multishot(struct ring *ring)
{
    struct io_uring_cqe result;
    struct io_uring_sqe *request = ring_request(ring);
    if (!request)
        return errno;
    request->opcode = IORING_OP_ACCEPT;
    request->fd = -1;
    request->ioprio = IORING_ACCEPT_MULTISHOT;
    if (ring_wait(ring) < 0 || !ring_result(ring, &result))
        return errno;
    return -result.res;
}

const char *ring_lacks_multishot(void)
{
    struct ring ring;
    if (ring_open(&ring, 1, 2) < 0)
        return words_of(errno);
    int answer = try_multishot(&ring);
    ring_close(&ring);
    return answer == EBADF ? NULL : "multishot accept needs Linux 5.19";
}
