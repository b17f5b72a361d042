#include "worker/access_buffer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nowait.h"

/* ------------------------------------------------------------------------------ the memory */

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, size, MADV_DONTDUMP); /* a core would have all of it, and touch each page for that */
    return p;
}

struct access_buffer *access_buffers_open(size_t count)
{
    return map(count * sizeof(struct access_buffer));
}

struct access_shared *access_shared_open(void)
{
    return map(sizeof(struct access_shared));
}

void access_buffers_close(struct access_buffer *buffers, size_t count)
{
    if (buffers)
        munmap(buffers, count * sizeof *buffers);
}

void access_shared_close(struct access_shared *shared)
{
    if (shared)
        munmap(shared, sizeof *shared);
}

/* -------------------------------------------------------------------------------- the file */

struct access_file access_file_of(int fd, struct access_shared *shared)
{
    struct access_file file = {.fd = fd, .id = 1, .piece_max = SIZE_MAX, .shared = shared};
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return file;
    file.id = (uint64_t)st.st_ino * 31 + (uint64_t)st.st_dev + 1;
    if (!S_ISREG(st.st_mode))
        file.piece_max = PIPE_BUF;
    return file;
}

static bool take_ragged(const struct access_file *file)
{
    uint64_t id = file->id;
    return __atomic_load_n(&file->shared->ragged, __ATOMIC_RELAXED) == id &&
           __atomic_compare_exchange_n(&file->shared->ragged, &id, 0, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

/* Somebody has emptied it meanwhile, perhaps. */
static bool is_empty(const struct access_file *file)
{
    struct stat st;
    return fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

static void set_ragged(const struct access_file *file)
{
    __atomic_store_n(&file->shared->ragged, file->id, __ATOMIC_RELAXED);
}

/* Whole lines from the start, as many as go at once; one alone if it is longer. */
static size_t piece_of(const struct access_buffer *buffer, const struct access_file *file)
{
    const char *start = buffer->bytes + buffer->start;
    size_t n = buffer->length - buffer->start;
    if (n <= file->piece_max)
        return n;
    const char *end = memrchr(start, '\n', file->piece_max);
    if (!end)
        end = memchr(start, '\n', n);
    return (size_t)(end - start) + 1;
}

/* The rest of a line of which a part has left with the n bytes from the start on. */
static size_t rest_of_line(const struct access_buffer *buffer, size_t n)
{
    const char *at = buffer->bytes + buffer->start + n;
    if (n == 0 || at[-1] == '\n')
        return 0;
    const char *end = memchr(at, '\n', buffer->length - buffer->start - n);
    return (size_t)(end - at) + 1;
}

/* Bytes of the lines that have left; -1 with errno set. */
static ssize_t write_piece(const struct access_buffer *buffer, const struct access_file *file)
{
    char newline[] = "\n";
    bool is_ragged = take_ragged(file) && !is_empty(file);
    struct iovec parts[] = {
        {newline, is_ragged},
        {(void *)(uintptr_t)(buffer->bytes + buffer->start), piece_of(buffer, file)}};
    ssize_t written = nowait_writev(file->fd, parts + !is_ragged, 1 + is_ragged);
    if (written <= 0 && is_ragged)
        set_ragged(file);
    return written < 0 ? -1 : written - is_ragged;
}

static int write_some(struct access_buffer *buffer, const struct access_file *file, uint64_t *lost)
{
    ssize_t written = write_piece(buffer, file);
    if (written < 0)
        return -1;
    size_t rest = rest_of_line(buffer, (size_t)written);
    if (rest > 0) {
        set_ragged(file);
        *lost += rest > 1; /* all but the newline is all of it */
    }
    buffer->start += (size_t)written + rest;
    return 0;
}

/* The master may have to go on from any point of this. */
static void forget_all(struct access_buffer *buffer)
{
    __atomic_store_n(&buffer->length, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&buffer->start, 0, __ATOMIC_RELEASE);
}

int access_buffer_write(struct access_buffer *buffer, const struct access_file *file,
                        uint64_t *lost)
{
    int result = 0;
    buffer->is_writing = true;
    while (buffer->start < buffer->length && result == 0)
        result = write_some(buffer, file, lost);
    if (result == 0)
        forget_all(buffer);
    buffer->is_writing = false;
    return result;
}

void access_buffer_shift(struct access_buffer *buffer)
{
    size_t n = buffer->length - buffer->start;
    if (buffer->start == 0)
        return;
    __atomic_store_n(&buffer->is_moving, true, __ATOMIC_SEQ_CST);
    memmove(buffer->bytes, buffer->bytes + buffer->start, n);
    buffer->start = 0;
    buffer->length = n;
    __atomic_store_n(&buffer->is_moving, false, __ATOMIC_SEQ_CST);
}

uint64_t access_buffer_drop(struct access_buffer *buffer)
{
    uint64_t lines = 0;
    for (size_t i = buffer->start; i < buffer->length; i++)
        lines += buffer->bytes[i] == '\n';
    forget_all(buffer);
    return lines;
}

/* --------------------------------------------------------------------------------- the rest */

/* Does it end within a line? What cannot be read does not. */
static bool ends_within_line(int fd)
{
    char path[32], last = '\n';
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    off_t size = reader < 0 ? 0 : lseek(reader, 0, SEEK_END);
    if (size > 0 && pread(reader, &last, 1, size - 1) < 0)
        last = '\n';
    if (reader >= 0)
        close(reader);
    return last != '\n';
}

/* Whoever has ended may have written anywhere before that, and whoever goes on must not end, too.
 */
static bool is_sound(const struct access_buffer *buffer)
{
    size_t start = buffer->start, length = buffer->length;
    return length <= sizeof buffer->bytes && start <= length &&
           (start == length || buffer->bytes[length - 1] == '\n');
}

uint64_t access_buffer_rescue(struct access_buffer *buffer, const struct access_file *file)
{
    uint64_t lost = 0;
    if (!is_sound(buffer))
        forget_all(buffer);
    if (buffer->is_writing && file->piece_max > PIPE_BUF && ends_within_line(file->fd))
        set_ragged(file);
    if (!buffer->is_moving && file->fd >= 0)
        access_buffer_write(buffer, file, &lost);
    lost += access_buffer_drop(buffer);
    buffer->is_moving = buffer->is_writing = false;
    return lost;
}
