/*
 * session - one connection's side of HTTP/1.1 as all strategies and models serve it: bytes in,
 * answers out, over the server's own parser. No descriptor, and no clock but the one of Date.
 *
 * Every answer has the same number of bytes and says which worker gave it and when that worker had
 * accepted the connection, so that a client has to look at one place alone. What a request costs is
 * its path's: "/cost/250" asks for 250 microseconds of CPU time, anything else for none.
 *
 * A GET without a body is served. Anything else is refused, with 501, 413 or what the parser says
 * of it; such an answer is as long as the others, has no stamp, and is the last of its connection.
 */
#ifndef DROVER_LAB_TRIAL_SESSION_H
#define DROVER_LAB_TRIAL_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes of every answer, whatever its status and whether the connection is kept. */
#define SESSION_ANSWER_SIZE 192

/* CPU time that one request is granted at most; one that asks for more gets so much. */
#define SESSION_COST_MAX_US 1000000

/* Bytes of the longest request that session_request() writes, and its NUL. */
#define SESSION_REQUEST_SIZE 96

struct session_stamp {
    unsigned worker;     /* its slot */
    int64_t accepted_us; /* clock_us() */
};

/* Zeroed: a new connection. */
struct session {
    struct buf rest; /* owned: the start of a request that is not whole; less than HTTP_HEAD_MAX
                        (base/limits.h), and no memory at all while there is none */
};

enum session_verdict {
    SESSION_KEEP,  /* send what was appended, then read on */
    SESSION_CLOSE, /* send what was appended, then close: the client wants it, or sent nonsense */
};

/*
 * Takes what was read from the client, and appends an answer to *out for each request that is whole
 * by now. *cost_us grows by the CPU time that these ask for; to be burnt before they are sent.
 *
 * After SESSION_CLOSE nothing more is fed. Where memory runs out it is SESSION_CLOSE, too, and
 * out->failed if that was the reason.
 */
enum session_verdict session_feed(struct session *session, const struct session_stamp *stamp,
                                  const char *bytes, size_t length, struct buf *out,
                                  uint64_t *cost_us);

void session_free(struct session *session);

/* The answer of a server that speaks first: to nothing that was asked. */
void session_greet(const struct session_stamp *stamp, struct buf *out);

/* Writes a request and a NUL; `close`: the last one of its connection. Returns its length; size is
 * at least SESSION_REQUEST_SIZE. */
size_t session_request(char *to, size_t size, uint64_t cost_us, bool close);

/* Reads the stamp of a whole answer. False when it is none, or a refusal. */
bool session_read_stamp(const char answer_bytes[SESSION_ANSWER_SIZE], struct session_stamp *stamp);

/* Uses up so much CPU time of this thread, nearly all of it in user mode, and too much by some
 * microseconds at most. */
void session_burn(uint64_t cost_us);

#endif
