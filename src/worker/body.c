#include "worker/body.h"

#include "base/limits.h"

struct body body_of(const struct http_request *request)
{
    return (struct body){.is_chunked = request->chunked, .left = request->content_length};
}

static enum body_next next_known(struct body *body, struct span *input, struct span *piece)
{
    size_t n = input->n < body->left ? input->n : (size_t)body->left;
    if (body->left == 0)
        return BODY_WHOLE;
    if (n == 0)
        return BODY_MORE;
    *piece = (struct span){.p = input->p, .n = n};
    input->p += n;
    input->n -= n;
    body->left -= n;
    return BODY_PIECE;
}

static enum body_next next_chunked(struct body *body, struct span *input, struct span *piece)
{
    while (input->n > 0) {
        int whole = http_chunked_read(&body->chunked, input, piece);
        if (whole < 0)
            return BODY_REFUSED;
        if (piece->n > 0)
            return BODY_PIECE;
        if (whole)
            return BODY_WHOLE;
    }
    return BODY_MORE;
}

enum body_next body_next(struct body *body, struct span *input, struct span *piece)
{
    return body->is_chunked ? next_chunked(body, input, piece) : next_known(body, input, piece);
}

bool body_drop(struct body *body, uint64_t bytes)
{
    body->dropped += bytes;
    return body->left <= BODY_DISCARD_MAX && body->dropped + body->left <= BODY_DISCARD_MAX;
}
