/* chat - `nc HOST PORT`, a name, then lines for all who are in this worker: use --workers 1. */
#include <drover.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct member {
    struct member *next;
    struct drover_stream *stream;
    char name[32]; /* empty until it is given */
} * members;

static void tell_all(const struct member *from, const char *what, const char *bytes, size_t n)
{
    char line[1001];
    snprintf(line, sizeof line, "%s%s%.*s", from->name, what, (int)n, bytes);
    for (const struct member *to = members; to && from->name[0]; to = to->next)
        if (to->name[0])
            drover_stream_send(to->stream, line, strlen(line)); /* who does not read misses it */
}

static int come(void *context, struct drover_stream *stream)
{
    struct member *member = calloc(1, sizeof *member);
    if (!member)
        return -1; /* then leave() is not called either */
    *member = (struct member){.next = members, .stream = stream};
    drover_stream_attach(stream, member);
    members = member;
    drover_stream_send(stream, "Your name?", 10);
    return 0;
}

static void hear(void *context, struct drover_stream *stream, const char *bytes, size_t n)
{
    struct member *member = drover_stream_attached(stream);
    int is_new = !member->name[0];
    if (is_new)
        snprintf(member->name, sizeof member->name, "%.*s", (int)n, bytes);
    tell_all(member, is_new ? " has come" : ": ", bytes, is_new ? 0 : n);
}

static void leave(void *context, struct drover_stream *stream, int error)
{
    struct member *member = drover_stream_attached(stream), **link = &members;
    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    tell_all(member, " has left", "", 0);
    free(member);
}

static const struct drover_protocol lines = {.framing = DROVER_LINES,
                                             .frame_max = 1000,
                                             .speaks_first = 1,
                                             .open = come,
                                             .frame = hear,
                                             .close = leave};
static const struct drover_app app = {.name = "chat", .stream = &lines};
DROVER_MAIN(app)
