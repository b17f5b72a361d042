#include "worker/outlet.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "worker/answer.h"

void outlet_free(struct outlet *outlet)
{
    buf_free(&outlet->bytes);
    prepared_drop(outlet->prepared);
    payload_free(outlet->payload);
    *outlet = (struct outlet){0};
}

ssize_t outlet_write(int socket, const char *bytes, size_t length, bool more)
{
    if (length == 0)
        return 0;
    ssize_t n = send(socket, bytes, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    return n;
}

uint64_t outlet_queued(int socket)
{
    int bytes;
    return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

void outlet_put_prepared(struct outlet *outlet, struct drover_prepared *prepared, struct span rest)
{
    outlet->prepared = prepared_hold(prepared);
    outlet->rest = rest;
}

/* Takes off what leaves. `more`: others follow. */
static enum outlet_result send_span(struct span *span, int socket, bool more, uint64_t *sent)
{
    while (span->n > 0) {
        ssize_t n = outlet_write(socket, span->p, span->n, more);
        if (n < 0)
            return OUTLET_FAILED;
        if (n == 0)
            return OUTLET_BLOCKED;
        span->p += n;
        span->n -= (size_t)n;
        *sent += (uint64_t)n;
    }
    return OUTLET_EMPTY;
}

static enum outlet_result send_prepared(struct outlet *outlet, int socket, uint64_t *sent)
{
    enum outlet_result result = send_span(&outlet->rest, socket, false, sent);
    if (result == OUTLET_EMPTY) {
        prepared_drop(outlet->prepared);
        outlet->prepared = NULL;
    }
    return result;
}

static enum outlet_result send_bytes(struct outlet *outlet, int socket, uint64_t *sent)
{
    if (outlet->bytes.len == 0)
        return OUTLET_EMPTY; /* nor is there an address */
    struct span left = {.p = outlet->bytes.p + outlet->at, .n = outlet->bytes.len - outlet->at};
    enum outlet_result result = send_span(&left, socket, outlet->payload != NULL, sent);
    outlet->at = outlet->bytes.len - left.n;
    if (result == OUTLET_EMPTY) {
        buf_clear(&outlet->bytes);
        outlet->at = 0;
    }
    return result;
}

static enum outlet_result send_payload(struct outlet *outlet, int socket, uint64_t *sent)
{
    enum payload_result result = payload_send(outlet->payload, socket, sent);
    if (result == PAYLOAD_FAILED)
        return OUTLET_FAILED;
    if (result == PAYLOAD_BLOCKED)
        return OUTLET_BLOCKED;
    payload_free(outlet->payload);
    outlet->payload = NULL;
    return OUTLET_EMPTY;
}

static enum outlet_result pull(struct outlet *outlet)
{
    switch (answer_pull(outlet->pulled, &outlet->bytes)) {
    case PIECE_MORE: break;
    case PIECE_LAST: outlet->pulled = NULL; break;
    case PIECE_LATER: return OUTLET_STARVED;
    case PIECE_FAILED: return OUTLET_FAILED;
    }
    return OUTLET_EMPTY;
}

enum outlet_result outlet_send(struct outlet *outlet, int socket, uint64_t *sent)
{
    uint64_t until = *sent + PULL_TURN_MAX;
    enum outlet_result result = OUTLET_EMPTY;
    if (outlet->prepared)
        result = send_prepared(outlet, socket, sent);
    if (result == OUTLET_EMPTY)
        result = send_bytes(outlet, socket, sent);
    if (result == OUTLET_EMPTY && outlet->payload)
        result = send_payload(outlet, socket, sent);
    while (result == OUTLET_EMPTY && outlet->pulled) {
        if (*sent >= until)
            return OUTLET_BLOCKED;
        result = pull(outlet);
        if (result == OUTLET_EMPTY)
            result = send_bytes(outlet, socket, sent);
    }
    return result;
}
