/* frames - an application for raw streams: what comes is sent back, but for the words below. It is
 * cut as --set framing= says. tests/system/stream.bats drives it. */
#define _GNU_SOURCE
#include <drover.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Bytes of a frame of a flood. */
#define FLOOD_FRAME 1000

static const char *framing, *banner;
static int64_t max;

static const struct drover_key keys[] = {
    {"framing", DROVER_TEXT, "lines", 0, 0, "raw, lines, 2 or 4", &framing},
    {"banner", DROVER_TEXT, NULL, 0, 0, "what a client is told first", &banner},
    {"max", DROVER_SIZE, "0", 0, 1 << 30, "bytes of a frame", &max},
    {0}};

enum { OPENED, ENDED, RESET, TOO_LONG, TIMED_OUT, TORN, CUT, OTHERS, DRAINED, REFUSED };

static const struct drover_metric metrics[] = {
    [OPENED] = {"opened", DROVER_GAUGE, "streams that are open"},
    [ENDED] = {"ended", DROVER_COUNTER, "closed with 0"},
    [RESET] = {"reset", DROVER_COUNTER, "with ECONNRESET or EPIPE"},
    [TOO_LONG] = {"too_long", DROVER_COUNTER, "with EMSGSIZE"},
    [TIMED_OUT] = {"timed_out", DROVER_COUNTER, "with ETIMEDOUT"},
    [TORN] = {"torn", DROVER_COUNTER, "with EPROTO"},
    [CUT] = {"cut", DROVER_COUNTER, "with ESHUTDOWN"},
    [OTHERS] = {"others", DROVER_COUNTER, "with something else"},
    [DRAINED] = {"drained", DROVER_COUNTER, "called"},
    [REFUSED] = {"refused", DROVER_COUNTER, "sends with EAGAIN"},
    [REFUSED + 1] = {0}};

struct client {
    struct drover_stream *stream;
    struct drover_timer *timer;
    long flood; /* frames still to send */
    int stays;  /* when the worker leaves */
};

static void tell(struct drover_stream *stream, const char *text)
{
    drover_stream_send(stream, text, strlen(text));
}

/* The number at the end of a word; -1: it is another one. */
static long number_of(const char *bytes, size_t n, const char *text)
{
    char number[32];
    size_t length = strlen(text);
    if (n < length || memcmp(bytes, text, length) != 0)
        return -1;
    snprintf(number, sizeof number, "%.*s", (int)(n - length), bytes + length);
    return strtol(number, NULL, 10);
}

static int is_word(const char *bytes, size_t n, const char *text)
{
    return n == strlen(text) && memcmp(bytes, text, n) == 0;
}

/* ---------------------------------------------------------------------------------- the words */

static void tell_who(struct drover_stream *stream)
{
    char host[DROVER_HOST_SIZE], text[DROVER_HOST_SIZE + 16];
    uint16_t port;
    drover_stream_client(stream, host, &port);
    snprintf(text, sizeof text, "%s %d", host, port);
    tell(stream, text);
}

static void tell_metric(void *state, const struct drover_metric *metric, int64_t value)
{
    char *text = state;
    size_t n = strlen(text);
    snprintf(text + n, 1000 - n, "%s=%lld ", metric->name, (long long)value);
}

static void tell_counts(struct drover_stream *stream)
{
    char text[1000] = "";
    drover_metrics_each(drover_stream_worker(stream), tell_metric, text);
    tell(stream, text);
}

/* As many frames as the queue takes, the rest when it has drained. */
static void flood(struct client *client)
{
    char text[FLOOD_FRAME + 1];
    for (; client->flood > 0; client->flood--) {
        snprintf(text, sizeof text, "%0*ld", FLOOD_FRAME, client->flood);
        if (drover_stream_send(client->stream, text, FLOOD_FRAME) == 0)
            continue;
        if (errno == EAGAIN)
            drover_metric_add(drover_stream_worker(client->stream), REFUSED, 1);
        return;
    }
}

/* What sending a frame of so many bytes says. */
static void tell_size(struct drover_stream *stream, size_t n, char with)
{
    char *bytes = malloc(n + 1);
    if (!bytes)
        return;
    memset(bytes, 'x', n);
    bytes[n / 2] = with;
    tell(stream, drover_stream_send(stream, bytes, n) == 0 ? "sent" : strerrorname_np(errno));
    free(bytes);
}

static void end(struct drover_stream *stream)
{
    tell(stream, "bye");
    drover_stream_end(stream);
    if (drover_stream_send(stream, "late", 4) == 0 || errno != EPIPE)
        drover_log("a frame was sent after the end");
}

static void on_time(void *state)
{
    struct client *client = state;
    client->timer = NULL;
    tell(client->stream, "later");
}

/* ------------------------------------------------------------------------------ the protocol */

static int come(void *context, struct drover_stream *stream)
{
    struct client *client = calloc(1, sizeof *client);
    (void)context;
    if (!client)
        return -1;
    client->stream = stream;
    drover_stream_attach(stream, client);
    if (banner && strcmp(banner, "refused") == 0) {
        free(client);
        return -1;
    }
    drover_metric_add(drover_stream_worker(stream), OPENED, 1);
    if (banner)
        tell(stream, banner);
    if (banner && strcmp(banner, "closed") == 0)
        drover_stream_end(stream);
    return 0;
}

static void frame(void *context, struct drover_stream *stream, const char *bytes, size_t n)
{
    struct client *client = drover_stream_attached(stream);
    long value;
    (void)context;
    if (is_word(bytes, n, "who"))
        tell_who(stream);
    else if (is_word(bytes, n, "count"))
        tell_counts(stream);
    else if (is_word(bytes, n, "end"))
        end(stream);
    else if (is_word(bytes, n, "stay"))
        client->stays = 1, tell(stream, "staying");
    else if ((value = number_of(bytes, n, "flood ")) >= 0)
        client->flood = value, flood(client);
    else if ((value = number_of(bytes, n, "size ")) >= 0)
        tell_size(stream, (size_t)value, 'x');
    else if ((value = number_of(bytes, n, "break ")) >= 0)
        tell_size(stream, (size_t)value, '\n');
    else if ((value = number_of(bytes, n, "later ")) >= 0)
        client->timer = drover_timer_start(drover_stream_worker(stream), (uint64_t)value, on_time,
                                           client);
    else if (drover_stream_send(stream, bytes, n) < 0)
        drover_log("echo: %s", strerrorname_np(errno));
}

static void drained(void *context, struct drover_stream *stream)
{
    (void)context;
    drover_metric_add(drover_stream_worker(stream), DRAINED, 1);
    flood(drover_stream_attached(stream));
}

static void leaving(void *context, struct drover_stream *stream)
{
    const struct client *client = drover_stream_attached(stream);
    (void)context;
    tell(stream, "leaving");
    if (!client->stays)
        drover_stream_end(stream);
}

static unsigned metric_of(int error)
{
    switch (error) {
    case 0: return ENDED;
    case ECONNRESET:
    case EPIPE: return RESET;
    case EMSGSIZE: return TOO_LONG;
    case ETIMEDOUT: return TIMED_OUT;
    case EPROTO: return TORN;
    case ESHUTDOWN: return CUT;
    default: return OTHERS;
    }
}

static void closed(void *context, struct drover_stream *stream, int error)
{
    struct client *client = drover_stream_attached(stream);
    struct drover_worker *worker = drover_stream_worker(stream);
    (void)context;
    drover_metric_add(worker, OPENED, -1);
    drover_metric_add(worker, metric_of(error), 1);
    drover_timer_stop(client->timer);
    free(client);
}

static struct drover_protocol protocol = {.speaks_first = 1,
                                          .open = come,
                                          .frame = frame,
                                          .drained = drained,
                                          .leaving = leaving,
                                          .close = closed};

static int before_fork(void *context, char why[DROVER_WHY_SIZE])
{
    static const char *const names[] = {[DROVER_RAW] = "raw",
                                        [DROVER_LINES] = "lines",
                                        [DROVER_PREFIX_2] = "2",
                                        [DROVER_PREFIX_4] = "4"};
    (void)context;
    protocol.frame_max = (size_t)max;
    for (int i = DROVER_RAW; i <= DROVER_PREFIX_4; i++)
        if (strcmp(framing, names[i]) == 0) {
            protocol.framing = (enum drover_framing)i;
            return 0;
        }
    snprintf(why, DROVER_WHY_SIZE, "--set framing=%s: there is no such framing", framing);
    return EX_USAGE;
}

static const struct drover_app app = {.name = "frames",
                                      .keys = keys,
                                      .metrics = metrics,
                                      .before_fork = before_fork,
                                      .stream = &protocol};
DROVER_MODULE(app);

int main(int argc, char *argv[])
{
    return drover_main(argc, argv, &app);
}
