/*
 * session - one connection's side of HTTP/1.1 as all strategies and models serve it: bytes in,
 * answers out, over the server's own parser. No descriptor and no clock.
 *
 * Every answer has the same number of bytes and says which worker gave it and when that worker had
 * accepted the connection, so that a client has to look at one place alone. What a request costs is
 * its path's: "/cost/250" asks for 250 microseconds of CPU time, anything else for none.
 */
#ifndef DROVER_LAB_SESSION_H
#define DROVER_LAB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes of every answer; 200 with Connection: close is as long as without. */
#define SESSION_ANSWER_SIZE 192

struct session_stamp {
    unsigned worker;     /* its slot */
    int64_t accepted_us; /* clock_us() */
};

/* Zeroed: a new connection. */
struct session {
    struct buf rest; /* owned: the start of a request that is not whole */
};

enum session_verdict {
    SESSION_KEEP,  /* send what was appended, then read on */
    SESSION_CLOSE, /* send what was appended, then close: the client wants it, or sent nonsense */
};

/*
 * Takes what was read from the client, and appends an answer to *out for each request that is whole
 * by now. *cost_us grows by the CPU time that these ask for; to be burnt before they are sent.
 */
enum session_verdict session_feed(struct session *session, const struct session_stamp *stamp,
                                  const char *bytes, size_t length, struct buf *out,
                                  uint64_t *cost_us);

void session_free(struct session *session);

/* The answer of a server that speaks first: to nothing that was asked. */
void session_greet(const struct session_stamp *stamp, struct buf *out);

/* Writes a request; `close`: the last one of its connection. Returns its length, < size. */
size_t session_request(char *to, size_t size, uint64_t cost_us, bool close);

/* Reads the stamp of a whole answer. False when it is none. */
bool session_read_stamp(const char answer[SESSION_ANSWER_SIZE], struct session_stamp *stamp);

/* Uses up so much CPU time of this thread. */
void session_burn(uint64_t cost_us);

#endif
