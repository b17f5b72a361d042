#include "worker/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------ the memory */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* With vm.memfd_noexec=2 there is none but with that flag, which Linux knows since 6.3. */
static int open_memory(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create("drover-board", flags | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("drover-board", flags) : fd;
}

/* For good: whoever reads it asks for that. */
static int size_for_good(int fd)
{
    if (ftruncate(fd, (off_t)sizeof(struct board)) < 0)
        return -1;
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
}

/* -1: of no file. */
static struct board *map(int fd)
{
    int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    void *p = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Whoever gets the descriptor is to read and no more. */
static int open_to_read(int fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The limit of a file's size holds for it, and /proc need not be there. NULL: it cannot be had. */
static struct board *map_file(int *reader)
{
    int memory = open_memory();
    if (memory < 0)
        return NULL;
    struct board *board = NULL;
    *reader = size_for_good(memory) < 0 ? -1 : open_to_read(memory);
    if (*reader >= 0)
        board = map(memory);
    int saved = errno;
    if (!board && *reader >= 0)
        close(*reader);
    close(memory);
    errno = saved;
    return board;
}

struct board *board_open(int *fd)
{
    int reader = -1;
    struct board *board = fd ? map_file(&reader) : NULL;
    int saved = errno;
    if (!board) {
        reader = -1;
        board = map(-1);
    }
    if (!board)
        return NULL;
    board->layout = BOARD_LAYOUT;
    board->size = sizeof *board;
    board->row_count = BOARD_ROWS;
    __atomic_store_n(&board->magic, BOARD_MAGIC, __ATOMIC_RELEASE);
    if (fd)
        *fd = reader;
    errno = saved;
    return board;
}

void board_close(struct board *board)
{
    if (board)
        munmap(board, sizeof *board);
}

static bool is_whole(const struct board *board)
{
    return __atomic_load_n(&board->magic, __ATOMIC_ACQUIRE) == BOARD_MAGIC &&
           board->layout == BOARD_LAYOUT && board->size == sizeof *board;
}

/* Somebody else's may be made shorter while it is read, which is a SIGBUS here. */
static bool is_steady(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK);
}

const struct board *board_map(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return NULL;
    if (st.st_size != (off_t)sizeof(struct board) || !is_steady(fd)) {
        errno = EPROTO;
        return NULL;
    }
    const struct board *board = mmap(NULL, sizeof *board, PROT_READ, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        return NULL;
    if (is_whole(board))
        return board;
    board_unmap(board);
    errno = EPROTO;
    return NULL;
}

void board_unmap(const struct board *board)
{
    if (board)
        munmap((void *)(uintptr_t)board, sizeof *board);
}

/* -------------------------------------------------------------------------------- the rows */

static uint64_t sum_of(const uint64_t *numbers, int count)
{
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

/* What a turn has answered it counts one by one, but their times at its end. Of a turn that had
 * none, nobody knows them: they are put where the row's mean is. */
static void settle(struct board_row *row)
{
    uint64_t requests = sum_of(row->answers, BOARD_CLASSES);
    uint64_t timed = sum_of(row->times, BOARD_BUCKETS);
    board_set(&row->requests, requests);
    if (timed >= requests)
        return;
    uint64_t mean = timed ? row->time_us / timed : 0;
    board_add(&row->times[board_bucket(mean)], (int64_t)(requests - timed));
    board_add(&row->time_us, (int64_t)(mean * (requests - timed)));
}

void board_leave(struct board_row *row, const struct drover_metric *metrics)
{
    settle(row);
    board_set(&row->connections, 0);
    board_set(&row->busy_since, 0);
    board_set(&row->is_paused, 0);
    for (int i = 0; metrics && metrics[i].name && i < DROVER_METRICS_MAX; i++)
        if (metrics[i].type == DROVER_GAUGE)
            board_set(&row->of_app[i], 0);
}

void board_pass(struct board_row *row, uint64_t connections)
{
    uint64_t open = board_get(&row->connections), rest;
    do
        rest = open > connections ? open - connections : 0;
    while (!__atomic_compare_exchange_n(&row->connections, &open, rest, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
}

_Static_assert(sizeof(struct board_row) % sizeof(uint64_t) == 0, "a row is numbers alone");

struct board_row board_sum(const struct board *board)
{
    struct board_row sum = {0};
    uint64_t *to = (uint64_t *)&sum;
    uint64_t count = board_get(&board->row_count);
    for (uint64_t i = 0; i < count && i < BOARD_ROWS; i++) {
        const uint64_t *from = (const uint64_t *)&board->rows[i];
        for (size_t j = 0; j < sizeof sum / sizeof *to; j++)
            to[j] += board_get(&from[j]);
    }
    return sum;
}

/* ------------------------------------------------------------------------------ the events */

void board_tell(struct board *board, int64_t date, unsigned level, const char *text)
{
    struct board_event *event = &board->events[board->event_count % BOARD_EVENTS];
    __atomic_store_n(&event->number, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    event->date = date;
    event->level = level;
    snprintf(event->text, sizeof event->text, "%s", text);
    __atomic_store_n(&event->number, board->event_count + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&board->event_count, board->event_count + 1, __ATOMIC_RELEASE);
}

bool board_event(const struct board *board, uint64_t number, struct board_event *event)
{
    if (number == 0)
        return false;
    const struct board_event *from = &board->events[(number - 1) % BOARD_EVENTS];
    if (__atomic_load_n(&from->number, __ATOMIC_ACQUIRE) != number)
        return false;
    memcpy(event, from, sizeof *event);
    event->text[sizeof event->text - 1] = '\0';
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&from->number, __ATOMIC_RELAXED) == number;
}
