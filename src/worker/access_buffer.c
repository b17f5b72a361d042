#include "worker/access_buffer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/nowait.h"
#include "base/span.h"

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

/* What waits; nothing, where that cannot be. It is read once: the worker has ended, but others have
 * this memory, too, and what was sound may change. */
static struct span waiting(const struct access_buffer *buffer)
{
    size_t length = __atomic_load_n(&buffer->length, __ATOMIC_RELAXED);
    size_t start = __atomic_load_n(&buffer->start, __ATOMIC_RELAXED);
    bool is_sound = length <= sizeof buffer->bytes && start <= length;
    return is_sound ? (struct span){.p = buffer->bytes + start, .n = length - start}
                    : (struct span){.p = buffer->bytes};
}

/* Up to the next newline, and with it; all, where somebody has taken that away. */
static size_t line_of(struct span lines)
{
    const char *end = lines.n > 0 ? memchr(lines.p, '\n', lines.n) : NULL;
    return end ? (size_t)(end - lines.p) + 1 : lines.n;
}

/* Whole lines, as many as go at once; one alone if it is longer. */
static size_t piece_of(struct span lines, const struct access_file *file)
{
    if (lines.n <= file->piece_max)
        return lines.n;
    const char *end = memrchr(lines.p, '\n', file->piece_max);
    return end ? (size_t)(end - lines.p) + 1 : line_of(lines);
}

/* Bytes of the lines that have left; -1 with errno set. */
static ssize_t write_piece(struct span lines, const struct access_file *file)
{
    char newline[] = "\n";
    bool is_ragged = take_ragged(file) && !is_empty(file);
    struct iovec parts[] = {{newline, is_ragged},
                            {(void *)(uintptr_t)lines.p, piece_of(lines, file)}};
    ssize_t written = nowait_writev(file->fd, parts + !is_ragged, 1 + is_ragged);
    if (written <= 0 && is_ragged)
        set_ragged(file);
    return written < 0 ? -1 : written - is_ragged;
}

/* Takes what has left off the lines, and the rest of a line of which a part has. */
static int write_some(struct span *lines, const struct access_file *file, uint64_t *lost)
{
    ssize_t written = write_piece(*lines, file);
    if (written < 0)
        return -1;
    lines->p += written;
    lines->n -= (size_t)written;
    if (written == 0 || lines->p[-1] == '\n')
        return 0;
    size_t rest = line_of(*lines);
    set_ragged(file);
    *lost += rest > 1; /* all but the newline is all of it */
    lines->p += rest;
    lines->n -= rest;
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
    struct span lines = waiting(buffer);
    buffer->is_writing = true;
    while (lines.n > 0 && result == 0) {
        result = write_some(&lines, file, lost);
        buffer->start = (size_t)(lines.p - buffer->bytes);
    }
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

static uint64_t count_lines(struct span lines)
{
    uint64_t count = 0;
    for (size_t i = 0; i < lines.n; i++)
        count += lines.p[i] == '\n';
    return count;
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
static struct span sound(struct span lines)
{
    if (lines.n > 0 && lines.p[lines.n - 1] != '\n')
        lines.n = 0;
    return lines;
}

uint64_t access_buffer_rescue(struct access_buffer *buffer, const struct access_file *file)
{
    uint64_t lost = 0;
    struct span lines = sound(waiting(buffer));
    if (buffer->is_writing && file->piece_max > PIPE_BUF && ends_within_line(file->fd))
        set_ragged(file);
    int result = buffer->is_moving || file->fd < 0 ? -1 : 0;
    while (lines.n > 0 && result == 0)
        result = write_some(&lines, file, &lost);
    forget_all(buffer);
    buffer->is_moving = buffer->is_writing = false;
    return lost + count_lines(lines);
}
