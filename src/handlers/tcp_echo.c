#include "handlers/tcp_echo.h"

/* A gap in an echo would be a lie. It cannot be full: nothing is read while bytes wait. */
static void frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context;
    if (drover_stream_send(stream, bytes, length) < 0)
        drover_stream_end(stream);
}

static const struct drover_protocol protocol = {.framing = DROVER_RAW, .frame = frame};

const struct drover_app tcp_echo_app = {.name = "tcp-echo", .stream = &protocol};
