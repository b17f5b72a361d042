/*
 * payload - the part of an answer that goes from a file to the socket by sendfile(2), with the
 * texts between the parts where there are several (multipart/byteranges).
 */
#ifndef DROVER_WORKER_PAYLOAD_H
#define DROVER_WORKER_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct payload_part {
    size_t text_end; /* this part's text is from the end of the one before to here */
    uint64_t offset; /* where in the file */
    uint64_t length; /* bytes that follow the text; may be 0 */
};

struct payload {
    int fd;          /* owned; -1: there are texts alone */
    struct buf text; /* owned: the texts of all parts, one behind the other */
    size_t text_at;  /* bytes of it that were sent */
    size_t at;       /* the part that is being sent */
    size_t count;
    size_t parts_max;
    struct payload_part parts[];
};

enum payload_result {
    PAYLOAD_DONE,
    PAYLOAD_BLOCKED, /* the socket takes no more now, or the turn is over */
    PAYLOAD_FAILED,  /* the connection is gone, or the file has become shorter: errno tells */
};

/* Takes over the descriptor, on failure too. NULL when memory ran out. */
struct payload *payload_new(int fd, size_t parts_max);

/* Adds a part whose text is what was appended to payload->text since the part before. */
void payload_add(struct payload *payload, uint64_t offset, uint64_t length);

/* Sends up to SENDFILE_TURN_MAX bytes. *sent grows by what left. */
enum payload_result payload_send(struct payload *payload, int socket, uint64_t *sent);

void payload_free(struct payload *payload);

#endif
