#include "worker/payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"

/* The last of one part that was given back, for the next file. */
static struct payload *spare;

static struct payload *take(size_t parts_max)
{
    if (parts_max > 1 || !spare)
        return calloc(1, sizeof(struct payload) + parts_max * sizeof(struct payload_part));
    struct payload *taken = spare;
    spare = NULL;
    memset(taken, 0, sizeof *taken + sizeof *taken->parts);
    return taken;
}

struct payload *payload_new(int fd, size_t parts_max)
{
    struct payload *payload = take(parts_max);
    if (!payload) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    payload->fd = fd;
    payload->parts_max = parts_max;
    return payload;
}

void payload_add(struct payload *payload, uint64_t offset, uint64_t length)
{
    payload->parts[payload->count++] = (struct payload_part){
        .text_end = payload->text.len, .offset = offset, .length = length};
}

void payload_free(struct payload *payload)
{
    if (!payload)
        return;
    if (payload->fd >= 0)
        close(payload->fd);
    buf_free(&payload->text);
    if (spare || payload->parts_max != 1)
        free(payload);
    else
        spare = payload;
}

static enum payload_result failed(void)
{
    return errno == EAGAIN || errno == EINTR ? PAYLOAD_BLOCKED : PAYLOAD_FAILED;
}

static enum payload_result send_text(struct payload *payload, const struct payload_part *part,
                                     int socket, uint64_t *sent)
{
    while (payload->text_at < part->text_end) {
        int more = part->length > 0 ? MSG_MORE : 0;
        ssize_t n = send(socket, payload->text.p + payload->text_at,
                         part->text_end - payload->text_at, MSG_NOSIGNAL | more);
        if (n < 0)
            return failed();
        payload->text_at += (size_t)n;
        *sent += (uint64_t)n;
    }
    return PAYLOAD_DONE;
}

static enum payload_result send_file(struct payload *payload, struct payload_part *part, int socket,
                                     uint64_t *budget, uint64_t *sent)
{
    while (part->length > 0) {
        off_t offset = (off_t)part->offset;
        size_t ask = (size_t)(part->length < *budget ? part->length : *budget);
        if (ask == 0)
            return PAYLOAD_BLOCKED;
        ssize_t n = sendfile(socket, payload->fd, &offset, ask);
        if (n < 0)
            return failed();
        if (n == 0) { /* shorter than it was: the length that was promised cannot be kept */
            errno = ENODATA;
            return PAYLOAD_FAILED;
        }
        part->offset += (uint64_t)n;
        part->length -= (uint64_t)n;
        *budget -= (uint64_t)n;
        *sent += (uint64_t)n;
    }
    return PAYLOAD_DONE;
}

enum payload_result payload_send(struct payload *payload, int socket, uint64_t *sent)
{
    uint64_t budget = SENDFILE_TURN_MAX;
    for (; payload->at < payload->count; payload->at++) {
        struct payload_part *part = &payload->parts[payload->at];
        enum payload_result result = send_text(payload, part, socket, sent);
        if (result == PAYLOAD_DONE)
            result = send_file(payload, part, socket, &budget, sent);
        if (result != PAYLOAD_DONE)
            return result;
    }
    return PAYLOAD_DONE;
}
