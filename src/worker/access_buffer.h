/*
 * access_buffer - whole lines of the access log on their way to its file, in memory that a worker
 * shares with the master: what a worker had logged when it was killed, the master writes.
 *
 * One a row of the board. Whoever writes a row's buffer to the file is alone in that: the row's
 * worker, or the master once that has ended. A file takes all the lines that there are, or as many
 * as it has room for; those stay here, and what else comes is dropped by the caller. Where room
 * ended within a line, that line is lost, and whoever writes to the file next begins with a
 * newline.
 *
 * A worker that was killed within write(2) may have written already: its lines may be there twice.
 */
#ifndef DROVER_WORKER_ACCESS_BUFFER_H
#define DROVER_WORKER_ACCESS_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "worker/access_line.h"

struct access_buffer {
    size_t length;      /* bytes, of whole lines */
    size_t start;       /* those before it have left */
    uint8_t is_writing; /* they are given to the file; of a bool that others write any byte may lie
                         * there */
    uint8_t is_moving;  /* they are not in one piece */
    char bytes[ACCESS_GATHER_MAX + ACCESS_LINE_ROOM];
};

/* What all processes of a server share for its log files. */
struct access_shared {
    uint64_t ragged; /* the file that ends within a line; 0: none */
};

/* A file that lines go to. */
struct access_file {
    int fd;           /* -1: none */
    uint64_t id;      /* never 0 */
    size_t piece_max; /* bytes that are written at once: PIPE_BUF for a pipe, so that lines of
                       * several processes do not mix */
    struct access_shared *shared;
};

/* So many, mapped, zeroed, shared with what is forked from here on; memory that is not written
 * costs nothing. NULL with errno set. */
struct access_buffer *access_buffers_open(size_t count);
struct access_shared *access_shared_open(void);

/* NULL is allowed. */
void access_buffers_close(struct access_buffer *buffers, size_t count);
void access_shared_close(struct access_shared *shared);

/* Of a descriptor, which stays the caller's. */
struct access_file access_file_of(int fd, struct access_shared *shared);

/*
 * Writes the lines. 0 when all have left; else -1 with errno set, and those that have not stay.
 * *lost grows by the lines of which a part has left.
 */
int access_buffer_write(struct access_buffer *buffer, const struct access_file *file,
                        uint64_t *lost);

/* Room for one more line; NULL: there is none. access_buffer_add() is told its length. */
static inline char *access_buffer_room(struct access_buffer *buffer)
{
    return buffer->length <= ACCESS_GATHER_MAX ? buffer->bytes + buffer->length : NULL;
}

static inline void access_buffer_add(struct access_buffer *buffer, size_t length)
{
    __atomic_store_n(&buffer->length, buffer->length + length, __ATOMIC_RELEASE);
}

/* Makes room where a part of the lines has left. */
void access_buffer_shift(struct access_buffer *buffer);

/* For the master: the worker has ended. Writes what it has left, and forgets what cannot be
 * written. Returns how many lines that are. What lies there is not trusted, nor that it stays. */
uint64_t access_buffer_rescue(struct access_buffer *buffer, const struct access_file *file);

#endif
