/*
 * access - the access log of one worker: a line for every answer, refusals and clients that were
 * turned away among them.
 *
 * The line of an answer that leaves at once is made with it. Where more of it follows, from a file
 * or as the application has it, the line waits for its end, or its connection's, and has what was
 * sent by then.
 *
 * Lines leave when there are ACCESS_GATHER_MAX bytes of them, or ACCESS_FLUSH_MS after the first.
 * A file that takes none costs lines, which are counted on the board, and never waits.
 */
#ifndef DROVER_WORKER_ACCESS_H
#define DROVER_WORKER_ACCESS_H

#include "worker/access_buffer.h"
#include "worker/account.h"

struct access {
    const struct access_format *format; /* borrowed */
    struct access_buffer *buffer;       /* borrowed */
    struct access_file file;
    struct board_row *row; /* lost lines are counted there; borrowed */
    struct access_time time;
    int slot;
    int pid;
    int64_t flush_at; /* as clock_ms(); CLOCK_NEVER: there are no lines */
    int64_t retry_at; /* what could not be written is not tried before */
    int64_t warn_at;
    uint64_t untold; /* lines that were lost, and not told of */
};

/* The line of an answer that has not left whole: see access_answer(). */
struct access_open {
    struct access *access; /* borrowed */
    uint64_t before;       /* bytes that leave in front of it */
    uint64_t head;         /* bytes of its head */
    uint64_t sent;         /* bytes that have left since it was made, those before it too */
    int64_t begun_us;
    size_t length;
    char line[];
};

/* The descriptor stays the caller's. */
void access_init(struct access *access, const struct access_format *format,
                 struct access_buffer *buffer, const struct access_file *file,
                 struct board_row *row, int slot);

/* An answer was made: its line is written, or kept at the connection's work. Unless it is made for
 * the second time, since the worker that had made it has a successor. */
void access_answer(struct access *access, struct conn *conn, struct conn_env *env,
                   const struct account *account);

/* So many bytes of the connection's answers have left. */
static inline void access_sent(struct access_open *open, uint64_t bytes)
{
    if (open)
        open->sent += bytes;
}

/* The answer has left, or its connection has ended: writes the line. Frees it; NULL is allowed. */
void access_close(struct access_open *open);

/* A client was turned away with an answer of so many bytes, `body` of them behind its head. */
void access_shed(struct access *access, const struct conn_env *env, int fd, size_t bytes,
                 size_t body);

/* When access_tick() is due, as clock_ms(). */
static inline int64_t access_next(const struct access *access)
{
    return access->flush_at;
}

void access_tick(struct access *access, int64_t now);

/* The lines go to this file from here on, which stays the caller's, and so does what was gathered
 * if `until` has passed; else that is written to the old one first. */
void access_change(struct access *access, int fd, int64_t until);

/* Writes what there is. What cannot be written stays, for the master. */
void access_flush(struct access *access, int64_t now);

#endif
