#include "worker/body.h"

#include "base/limits.h"

struct body body_of(const struct http_request *request)
{
    return (struct body){.is_chunked = request->chunked, .left = request->content_length};
}

static int take_known(struct body *body, struct span *input)
{
    if (body->left > BODY_DISCARD_MAX)
        return -413;
    size_t n = input->n < body->left ? input->n : (size_t)body->left;
    input->p += n;
    input->n -= n;
    body->left -= n;
    return body->left == 0;
}

static int take_chunked(struct body *body, struct span *input)
{
    struct span data;
    while (input->n > 0) {
        int whole = http_chunked_read(&body->chunked, input, &data);
        if (whole < 0)
            return -400;
        body->seen += data.n;
        if (body->seen > BODY_DISCARD_MAX)
            return -413;
        if (whole)
            return 1;
    }
    return 0;
}

int body_take(struct body *body, struct span *input)
{
    return body->is_chunked ? take_chunked(body, input) : take_known(body, input);
}
