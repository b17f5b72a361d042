/* every - an application for HTTP, each path of which uses some functions of drover.h for something
 * that a client can see: what is answered at once, keys, metrics, hooks, misuse. later.c is the one
 * for what takes time, frames.c for raw streams. tests/system/api.bats drives it.
 *
 * The first segment of the path says what is done, the query's numbers, parted by '&', with what.
 */
#define _GNU_SOURCE
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ what is configured */

static const char *word, *broken;
static int64_t number, size, duration, refusal;
static int is_loud, is_whole;

static const struct drover_key keys[] = {
    {"word", DROVER_TEXT, NULL, 0, 0, "a text", &word},
    {"broken", DROVER_TEXT, NULL, 0, 0, "workers do not start, for this reason", &broken},
    {"status", DROVER_NUMBER, "78", 64, 78, "theirs, then", &refusal},
    {"number", DROVER_NUMBER, "-3", -5, 5, "a number", &number},
    {"size", DROVER_SIZE, "64k", 1024, 1 << 30, "bytes", &size},
    {"duration", DROVER_DURATION, "1s", 0, 60000, "milliseconds", &duration},
    {"loud", DROVER_YES_NO, "no", 0, 0, "errors are told", &is_loud},
    {"whole", DROVER_YES_NO, "no", 0, 0, "handlers are called once the body is whole", &is_whole},
    {0}};

enum { ADDED, LEVEL };

static const struct drover_metric metrics[] = {[ADDED] = {"added", DROVER_COUNTER, "by /add"},
                                               [LEVEL] = {"level", DROVER_GAUGE, "by /level"},
                                               [LEVEL + 1] = {0}};

/* What all processes share: how often each hook was called. */
static struct shared {
    int before_fork, worker_start, worker_stop;
    pid_t master;
} * shared;

static struct drover_worker *worker; /* a process has one */
static char last_error[256];         /* of the last response that was misused */

/* --------------------------------------------------------------------------------- at once */

static void add_name(struct drover_response *r, const struct drover_request *q, const char *name)
{
    struct drover_span value = drover_request_field(q, name);
    if (value.p)
        say_span(r, name, value);
}

static void describe(const struct drover_request *q, struct drover_response *r)
{
    char host[DROVER_HOST_SIZE], encoded[512];
    uint16_t port = 0;
    struct drover_span name, value;
    say_span(r, "method", drover_request_method(q));
    say(r, "is=%d%d%d\n", drover_request_is(q, "GET"), drover_request_is(q, "get"),
        drover_request_is(q, "GETS"));
    say_span(r, "path", drover_request_path(q));
    say_span(r, "prefix", drover_request_prefix(q));
    say_span(r, "query", drover_request_query(q));
    say_span(r, "authority", drover_request_authority(q));
    for (size_t i = 0; drover_request_field_at(q, i, &name, &value) == 0; i++)
        say(r, "field %zu: %.*s: %.*s\n", i, (int)name.n, name.p, (int)value.n, value.p);
    add_name(r, q, "x-it");
    if (drover_request_client(q, host, &port) == 0)
        say(r, "client=%s port=%d\n", host, port);
    say(r, "coding=%u\n", drover_request_coding(q, DROVER_BR | DROVER_GZIP | DROVER_IDENTITY));
    if (drover_path_encode(drover_request_path(q), encoded, sizeof encoded) > 0)
        say(r, "encoded=%s\n", encoded);
    say(r, "short=%ld", drover_path_encode(drover_request_path(q), encoded, 2));
    say(r, " %s\ntype=%s\n", strerrorname_np(errno), drover_media_type(drover_request_path(q).p));
    drover_response_field(r, "X-Every", "one");
    drover_response_type(r, "text/x-every");
}

/* The path /last tells who it was, who may have gone meanwhile. */
static char last_client[DROVER_HOST_SIZE];

static void note_client(const struct drover_request *q, struct drover_response *r)
{
    (void)r;
    if (drover_request_client(q, last_client, NULL) < 0)
        snprintf(last_client, sizeof last_client, "%s", strerrorname_np(errno));
}

static void tell_client(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s", last_client);
}

static void show_keys(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s %lld %lld %lld %d\n", word ? word : "NULL", (long long)number, (long long)size,
        (long long)duration, is_loud);
}

static void show_hooks(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%d %d %d %d\n", shared->before_fork, shared->worker_start, shared->worker_stop,
        shared->master == getppid());
}

static void add(const struct drover_request *q, struct drover_response *r)
{
    drover_metric_add(worker, ADDED, argument(q, 0));
    say(r, "%d\n", getpid());
}

/* `a`: of the worker with this pid alone. */
static void level(const struct drover_request *q, struct drover_response *r)
{
    if (argument(q, 0) == getpid())
        drover_metric_set(worker, LEVEL, argument(q, 1));
    say(r, "%d\n", getpid());
}

static void body(const struct drover_request *q, struct drover_response *r)
{
    struct drover_span bytes = drover_request_body(q);
    say(r, "%zu %d\n", bytes.n, bytes.p != NULL);
    drover_response_body(r, bytes.p, bytes.n);
}

/* Any bytes, by a file that has no name. */
static void file(const struct drover_request *q, struct drover_response *r)
{
    int fd = memfd_create("every", MFD_CLOEXEC);
    long n = argument(q, 0);
    if (fd < 0 || ftruncate(fd, n) < 0)
        drover_response_status(r, 500);
    drover_response_body(r, "dropped", 7);
    drover_response_etag(r, "\"every\"");
    drover_response_modified(r, 86400);
    drover_response_file(r, fd, (uint64_t)n);
}

static void give_status(const struct drover_request *q, struct drover_response *r)
{
    drover_response_status(r, (int)argument(q, 0));
}

/* -------------------------------------------------------------------------------- misused */

/* Something is set when the head has left, and again when the body has. */
static long pull_and_meddle(void *state, char *to, size_t room)
{
    static int pulled;
    (void)room;
    drover_response_field(state, "X-Late", "1");
    snprintf(last_error, sizeof last_error, "%s", drover_response_error(state));
    if (pulled++ % 2)
        return DROVER_END;
    memcpy(to, "streamed\n", 9);
    return 9;
}

static long pull_too_much(void *state, char *to, size_t room)
{
    (void)state, (void)to;
    return (long)room + 1;
}

static void stream_then_file(struct drover_response *r)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    drover_response_pull(r, -1, pull_and_meddle, r);
    drover_response_file(r, fd, 1);
    if (fcntl(fd, F_GETFD) >= 0)
        drover_response_status(r, 500); /* it is not closed */
}

static void misuse_fields(struct drover_response *r)
{
    drover_response_field(r, "Content-Length", "5");
    drover_response_field(r, "X Y", "5");
    drover_response_field(r, "X-Y", "5\r\nX-Z: 6");
    say(r, "fields\n");
}

static void attach_twice(struct drover_response *r)
{
    drover_response_attach(r, last_error, NULL);
    drover_response_attach(r, r, free);
    say(r, drover_response_attached(r) == last_error ? "attached\n" : "replaced\n");
}

static int take(void *state, struct drover_response *r, const char *bytes, size_t n)
{
    (void)state, (void)bytes;
    say(r, "%zu\n", n);
    return 0;
}

static void misuse_ours(struct drover_response *r)
{
    drover_response_field(r, "Content-Type", "text/x-every");
    say(r, "ours\n");
}

static void misuse_metric(struct drover_response *r)
{
    drover_metric_add(worker, LEVEL + 1, 1); /* there is none: nothing is counted */
    drover_metric_set(worker, LEVEL + 1, 1);
    say(r, "counted\n");
}

static void misuse(const struct drover_request *q, struct drover_response *r)
{
    const char *kind = drover_request_path(q).p + strlen("/misuse/");
    if (strcmp(kind, "statuses") == 0)
        drover_response_status(r, 201), drover_response_status(r, 404), say(r, "two\n");
    else if (strcmp(kind, "odd-status") == 0)
        drover_response_status(r, 600), say(r, "odd\n");
    else if (strcmp(kind, "204-body") == 0)
        drover_response_status(r, 204), say(r, "body\n");
    else if (strcmp(kind, "body-204") == 0)
        say(r, "body\n"), drover_response_status(r, 204);
    else if (strcmp(kind, "fields") == 0)
        misuse_fields(r);
    else if (strcmp(kind, "ours") == 0)
        misuse_ours(r);
    else if (strcmp(kind, "metric") == 0)
        misuse_metric(r);
    else if (strcmp(kind, "descriptor") == 0)
        drover_response_file(r, 1000000, 5);
    else if (strcmp(kind, "no-pull") == 0)
        drover_response_pull(r, -1, NULL, NULL), say(r, "no pull\n");
    else if (strcmp(kind, "finish") == 0)
        say(r, "finished\n"), drover_response_finish(r);
    else if (strcmp(kind, "etag") == 0)
        drover_response_etag(r, "no quotes"), say(r, "etag\n");
    else if (strcmp(kind, "attached") == 0)
        attach_twice(r);
    else if (strcmp(kind, "late") == 0)
        drover_response_pull(r, -1, pull_and_meddle, r);
    else if (strcmp(kind, "file") == 0)
        stream_then_file(r);
    else if (strcmp(kind, "much") == 0)
        drover_response_pull(r, -1, pull_too_much, NULL);
    else if (strcmp(kind, "receive") == 0 && is_whole)
        drover_response_receive(r, take, NULL), say(r, "received\n");
    if (drover_response_error(r))
        snprintf(last_error, sizeof last_error, "%s", drover_response_error(r));
}

static void show_error(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s", last_error);
    last_error[0] = '\0';
}

/* ---------------------------------------------------------------------------------- the whole */

static const struct path paths[] = {{"describe", describe},
                                    {"keys", show_keys},
                                    {"hooks", show_hooks},
                                    {"count", count},
                                    {"add", add},
                                    {"level", level},
                                    {"body", body},
                                    {"file", file},
                                    {"status", give_status},
                                    {"misuse", misuse},
                                    {"error", show_error},
                                    {"client", note_client},
                                    {"last", tell_client},
                                    {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static void page(void *context, int status, struct drover_response *r)
{
    (void)context;
    if (status == 410) /* left to drover */
        return;
    say(r, "every: %d\n", status);
    drover_response_type(r, "text/x-page");
    drover_response_field(r, "X-Page", "1");
}

static struct drover_app app;

static int before_fork(void *context, char why[DROVER_WHY_SIZE])
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        snprintf(why, DROVER_WHY_SIZE, "mmap: %s", strerror(errno));
        return EX_OSERR;
    }
    shared->before_fork++;
    shared->master = getpid();
    app.when = is_whole ? DROVER_WITH_BODY : DROVER_AT_HEAD;
    drover_log("every is loaded, %s", context == &app ? "with its context" : "without");
    return 0;
}

static int worker_start(void *context, struct drover_worker *w, char why[DROVER_WHY_SIZE])
{
    if (broken) {
        snprintf(why, DROVER_WHY_SIZE, "%s", broken);
        return (int)refusal;
    }
    worker = w;
    (void)context;
    __atomic_add_fetch(&shared->worker_start, 1, __ATOMIC_RELAXED);
    return 0;
}

static void worker_stop(void *context, struct drover_worker *w)
{
    (void)context;
    __atomic_add_fetch(&shared->worker_stop, 1, __ATOMIC_RELAXED);
    drover_log("every has stopped, %s worker", w == worker ? "its" : "another");
}

static struct drover_app app = {.name = "every",
                                .context = &app,
                                .keys = keys,
                                .metrics = metrics,
                                .before_fork = before_fork,
                                .worker_start = worker_start,
                                .worker_stop = worker_stop,
                                .handle = handle,
                                .when = DROVER_AT_HEAD,
                                .page = page};
DROVER_MODULE(app);

int main(int argc, char *argv[])
{
    return drover_main(argc, argv, &app);
}
