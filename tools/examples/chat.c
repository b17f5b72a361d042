/* chat - lines for everybody: `nc HOST PORT`, give a name, then talk. Those in one worker hear each
 * other, since workers are processes of their own: run it with --workers 1. */
#include <drover.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LENGTH 1000

struct member {
    struct member *next;
    struct drover_stream *stream;
    char name[32]; /* empty until it is given */
};

static struct member *members;

/* Who does not read misses lines: a send that fails is not repeated. */
static void tell_all(const struct member *from, const char *what, size_t n, const char *bytes)
{
    char line[LINE_MAX_LENGTH + 1];
    snprintf(line, sizeof line, "%s%s%.*s", from->name, what, (int)n, bytes);
    for (const struct member *to = members; to && from->name[0]; to = to->next)
        if (to->name[0])
            drover_stream_send(to->stream, line, strlen(line));
}

static int come(void *context, struct drover_stream *stream)
{
    struct member *member = calloc(1, sizeof *member);
    (void)context;
    if (!member)
        return -1;
    *member = (struct member){.next = members, .stream = stream};
    members = member;
    drover_stream_attach(stream, member);
    drover_stream_send(stream, "Your name?", 10);
    return 0;
}

static void hear(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    struct member *member = drover_stream_attached(stream);
    (void)context;
    if (member->name[0]) {
        tell_all(member, ": ", length, bytes);
        return;
    }
    snprintf(member->name, sizeof member->name, "%.*s", (int)length, bytes);
    tell_all(member, " has come", 0, "");
}

static void leave(void *context, struct drover_stream *stream, int error)
{
    struct member *member = drover_stream_attached(stream), **link = &members;
    (void)context, (void)error;
    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    tell_all(member, " has left", 0, "");
    free(member);
}

static const struct drover_protocol lines = {.framing = DROVER_LINES,
                                             .frame_max = LINE_MAX_LENGTH,
                                             .speaks_first = 1,
                                             .open = come,
                                             .frame = hear,
                                             .close = leave};
static const struct drover_app app = {.name = "chat", .stream = &lines};
DROVER_MODULE(app);

int main(int argc, char *argv[])
{
    return drover_main(argc, argv, &app);
}
