#include "worker/framing.h"

#include <string.h>

#include "base/limits.h"

size_t framing_max(const struct drover_protocol *protocol)
{
    size_t max = protocol->frame_max ? protocol->frame_max : FRAME_MAX_DEFAULT;
    if (protocol->framing == DROVER_PREFIX_2 && max > UINT16_MAX)
        return UINT16_MAX;
    return max < FRAME_MAX ? max : FRAME_MAX;
}

static struct span take(struct span *input, size_t n)
{
    struct span taken = {.p = input->p, .n = n};
    input->p += n;
    input->n -= n;
    return taken;
}

static int take_line(size_t max, struct span *input, struct span *frame)
{
    /* A line end stands behind the longest line at the latest, "\r\n" perhaps. */
    size_t look = input->n < max + 2 ? input->n : max + 2;
    const char *end = look > 0 ? memchr(input->p, '\n', look) : NULL;
    if (!end)
        return look == max + 2 ? -1 : 0;
    *frame = take(input, (size_t)(end - input->p) + 1);
    frame->n--;
    if (frame->n > 0 && frame->p[frame->n - 1] == '\r')
        frame->n--;
    return frame->n <= max ? 1 : -1;
}

static int take_prefixed(size_t digits, size_t max, struct span *input, struct span *frame)
{
    size_t n = 0;
    if (input->n < digits)
        return 0;
    for (size_t i = 0; i < digits; i++)
        n = n << 8 | (unsigned char)input->p[i];
    if (n > max)
        return -1;
    if (input->n - digits < n)
        return 0;
    take(input, digits);
    *frame = take(input, n);
    return 1;
}

int framing_take(const struct drover_protocol *protocol, struct span *input, struct span *frame)
{
    size_t max = framing_max(protocol);
    switch (protocol->framing) {
    case DROVER_LINES: return take_line(max, input, frame);
    case DROVER_PREFIX_2: return take_prefixed(2, max, input, frame);
    case DROVER_PREFIX_4: return take_prefixed(4, max, input, frame);
    case DROVER_RAW: break;
    }
    if (input->n == 0)
        return 0;
    *frame = take(input, input->n);
    return 1;
}

bool framing_allows(const struct drover_protocol *protocol, struct span frame)
{
    if (protocol->framing == DROVER_RAW)
        return true;
    if (protocol->framing == DROVER_LINES && frame.n > 0 && memchr(frame.p, '\n', frame.n))
        return false;
    return frame.n <= framing_max(protocol);
}

static void write_length(struct buf *out, size_t digits, size_t n)
{
    char prefix[sizeof(uint32_t)];
    for (size_t i = 0; i < digits; i++)
        prefix[i] = (char)(n >> 8 * (digits - 1 - i));
    buf_add(out, prefix, digits);
}

void framing_write(const struct drover_protocol *protocol, struct buf *out, struct span frame)
{
    if (protocol->framing == DROVER_PREFIX_2)
        write_length(out, 2, frame.n);
    else if (protocol->framing == DROVER_PREFIX_4)
        write_length(out, 4, frame.n);
    buf_span(out, frame);
    if (protocol->framing == DROVER_LINES)
        buf_lit(out, "\n");
}
