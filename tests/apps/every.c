/* every - an application that uses every function of drover.h for HTTP, each for something that a
 * client can see; frames.c is the one for raw streams. tests/system/api*.bats drive it.
 *
 * The first segment of the path says what is done, the query's numbers, parted by '&', with what.
 */
#define _GNU_SOURCE
#include <drover.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ what is configured */

static const char *word, *broken;
static int64_t number, size, duration;
static int is_loud, is_whole;

static const struct drover_key keys[] = {
    {"word", DROVER_TEXT, NULL, 0, 0, "a text", &word},
    {"broken", DROVER_TEXT, NULL, 0, 0, "workers do not start, for this reason", &broken},
    {"number", DROVER_NUMBER, "-3", -5, 5, "a number", &number},
    {"size", DROVER_SIZE, "64k", 1024, 1 << 30, "bytes", &size},
    {"duration", DROVER_DURATION, "1s", 0, 60000, "milliseconds", &duration},
    {"loud", DROVER_YES_NO, "no", 0, 0, "errors are told", &is_loud},
    {"whole", DROVER_YES_NO, "no", 0, 0, "handlers are called once the body is whole", &is_whole},
    {0}};

enum { ADDED, RELEASED, GONE, FINISHED, RECEIVED, PULLED, HELD, LEVEL };

static const struct drover_metric metrics[] = {
    [ADDED] = {"added", DROVER_COUNTER, "by /add"},
    [RELEASED] = {"released", DROVER_COUNTER, "what was attached, given back"},
    [GONE] = {"gone", DROVER_COUNTER, "clients that did not wait for the answer"},
    [FINISHED] = {"finished", DROVER_COUNTER, "deferred answers"},
    [RECEIVED] = {"received", DROVER_COUNTER, "bytes of bodies, as they came"},
    [PULLED] = {"pulled", DROVER_COUNTER, "bytes of streamed answers"},
    [HELD] = {"held", DROVER_GAUGE, "what is attached"},
    [LEVEL] = {"level", DROVER_GAUGE, "by /level"},
    [LEVEL + 1] = {0}};

/* What all processes share: how often each hook was called. */
static struct shared {
    int before_fork, worker_start, worker_stop;
    pid_t master;
} * shared;

static struct drover_worker *worker; /* a process has one */
static char last_error[256];         /* of the last response that was misused */

/* ---------------------------------------------------------------------------------- helpers */

__attribute__((format(printf, 2, 3))) static void say(struct drover_response *r, const char *format,
                                                      ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    drover_response_body(r, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void say_span(struct drover_response *r, const char *name, struct drover_span s)
{
    say(r, "%s=", name);
    drover_response_body(r, s.p, s.n);
    say(r, "\n");
}

/* The index-th number of the query; 0 when there is none. */
static long argument(const struct drover_request *request, int index)
{
    char text[64];
    struct drover_span query = drover_request_query(request);
    snprintf(text, sizeof text, "%.*s", (int)query.n, query.n > 0 ? query.p : "");
    char *at = text;
    while (index-- > 0 && (at = strchr(at, '&')))
        at++;
    return at ? strtol(at, NULL, 10) : 0;
}

/* What a request has beyond its turn. */
struct job {
    struct drover_response *response;
    struct drover_timer *timer;
    struct job *next; /* of those that wait for the thread */
    int fd;           /* of the child's pipe, -1: none */
    pid_t child;
    long a, b, done; /* numbers of each path's own */
    uint32_t sum;
    char text[128];
};

static void release(void *state)
{
    struct job *job = state;
    drover_timer_stop(job->timer);
    if (job->fd >= 0) {
        drover_unwatch(worker, job->fd);
        close(job->fd);
    }
    drover_metric_add(worker, RELEASED, 1);
    drover_metric_add(worker, HELD, -1);
    free(job);
}

static struct job *new_job(const struct drover_request *request, struct drover_response *r)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    *job = (struct job){
        .response = r, .fd = -1, .a = argument(request, 0), .b = argument(request, 1)};
    drover_metric_add(worker, HELD, 1);
    drover_response_attach(r, job, release);
    return job;
}

static void finish(struct job *job)
{
    if (drover_response_is_gone(job->response))
        drover_metric_add(worker, GONE, 1);
    drover_metric_add(worker, FINISHED, 1);
    drover_response_finish(job->response);
}

/* --------------------------------------------------------------------------- at once */

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
    say_span(r, "path", drover_request_path(q));
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

static void count_one(void *response, const struct drover_metric *metric, int64_t value)
{
    say(response, "%s %lld\n", metric->name, (long long)value);
}

static void count(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    drover_metrics_each(drover_response_worker(r), count_one, r);
}

static void add(const struct drover_request *q, struct drover_response *r)
{
    drover_metric_add(worker, ADDED, argument(q, 0));
    drover_metric_add(worker, LEVEL + 1, 1); /* there is none: nothing happens */
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

/* ------------------------------------------------------------------------------ deferred */

static void on_time(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    say(job->response, "after %ld\n", job->a);
    finish(job);
}

static void after(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    job->timer = drover_timer_start(worker, (uint64_t)job->a, on_time, job);
}

/* Finished before the handler has returned. */
static void at_once(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    say(r, "at once\n");
    finish(job);
}

/* Finished as soon as nobody waits any more: looks every 10 ms. */
static void look(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    if (drover_response_is_gone(job->response))
        finish(job);
    else
        job->timer = drover_timer_start(worker, 10, look, job);
}

static void until_gone(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    job->timer = drover_timer_start(worker, 10, look, job);
}

static void never(const struct drover_request *q, struct drover_response *r)
{
    if (new_job(q, r))
        drover_response_defer(r);
}

/* The child's output is the answer. */
static void on_output(void *state, int fd, unsigned events)
{
    struct job *job = state;
    char bytes[1000];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0)
        drover_response_body(job->response, bytes, (size_t)n);
    if (n > 0 || (n < 0 && errno == EAGAIN) || !(events & DROVER_READABLE))
        return;
    waitpid(job->child, NULL, 0); /* it has closed its output, and so is at its end */
    drover_unwatch(worker, fd);
    close(fd);
    job->fd = -1;
    finish(job);
}

/* A child shall not have the worker's blocked signals. */
static pid_t spawn(char *const argv[], int out)
{
    pid_t pid = -1;
    sigset_t none;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (posix_spawn(&pid, argv[0], &actions, &attributes, argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return pid;
}

static void child(const struct drover_request *q, struct drover_response *r)
{
    int ends[2];
    char script[64], sh[] = "/bin/sh", c[] = "-c";
    struct job *job = new_job(q, r);
    snprintf(script, sizeof script, "sleep 0.0%ld; echo child %ld", job->b, job->a);
    char *argv[] = {sh, c, script, NULL};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        drover_response_status(r, 503);
        return;
    }
    job->fd = ends[0];
    job->child = spawn(argv, ends[1]);
    close(ends[1]);
    drover_response_defer(r);
    drover_watch(worker, job->fd, DROVER_READABLE, on_output, job);
}

/* ------------------------------------------------------------------------ another thread */

static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;
static int is_over;

static void on_done(void *state)
{
    struct job *job = state;
    say(job->response, "thread %ld %s\n", job->a, job->text);
    finish(job);
}

static struct job *next_job(void)
{
    pthread_mutex_lock(&lock);
    while (!first && !is_over)
        pthread_cond_wait(&news, &lock);
    struct job *job = first;
    if (job && !(first = job->next))
        last = &first;
    pthread_mutex_unlock(&lock);
    return job;
}

static void *think(void *context)
{
    struct job *job;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    while ((job = next_job())) {
        snprintf(job->text, sizeof job->text, "%s",
                 sigismember(&blocked, SIGTERM) ? "blocked" : "open to signals");
        usleep((useconds_t)job->b * 1000);
        drover_post(worker, on_done, job);
    }
    return context;
}

static void ask_thread(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    pthread_mutex_lock(&lock);
    *last = job;
    last = &job->next;
    pthread_cond_signal(&news);
    pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------------------ streamed */

/* Server-sent events: `a` of them, `b` milliseconds apart, without end if `a` is 0. */
static void on_tick(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    job->done++;
    if (!job->a || job->done < job->a)
        job->timer = drover_timer_start(worker, (uint64_t)job->b, on_tick, job);
    drover_response_resume(job->response);
}

static long pull_event(void *state, char *to, size_t room)
{
    struct job *job = state;
    if (job->sum == job->done)
        return job->a && job->done == job->a ? DROVER_END : DROVER_LATER;
    int n = snprintf(to, room, "data: %u\n\n", (unsigned)++job->sum);
    drover_metric_add(worker, PULLED, n);
    return n;
}

static void events(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_type(r, "text/event-stream");
    drover_response_stream(r, -1, pull_event, job);
    job->timer = drover_timer_start(worker, (uint64_t)job->b, on_tick, job);
}

/* Says that there are `a` bytes, and has `b`; then it ends or, for "FAILED" in its path, fails. */
static long pull_bytes(void *state, char *to, size_t room)
{
    struct job *job = state;
    size_t left = (size_t)(job->b - job->done), n = left < room ? left : room;
    if (n == 0)
        return job->text[0] ? DROVER_FAILED : DROVER_END;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)('a' + (job->done + (long)i) % 26);
    job->done += (long)n;
    drover_metric_add(worker, PULLED, (int64_t)n);
    return (long)n;
}

static void length(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    snprintf(job->text, sizeof job->text, "%s", strstr(drover_request_path(q).p, "/failed") ?: "");
    drover_response_stream(r, job->a, pull_bytes, job);
}

/* ------------------------------------------------------------------------------ received */

static void later(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    say(job->response, "later %ld %08x\n", job->done, job->sum);
    finish(job);
}

/* FNV-1a of it all. `a`: bytes at most, 0: any; `b`: milliseconds until it is answered. */
static int take(void *state, struct drover_response *r, const char *bytes, size_t n)
{
    struct job *job = state;
    job->done += (long)n;
    drover_metric_add(worker, RECEIVED, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        job->sum = (job->sum ^ (unsigned char)bytes[i]) * 16777619u;
    if (job->a && job->done > job->a)
        return drover_response_status(r, 413), -1;
    if (n > 0)
        return 0;
    if (!job->b)
        return say(r, "%ld %08x\n", job->done, job->sum), 0;
    job->timer = drover_timer_start(worker, (uint64_t)job->b, later, job);
    return drover_response_defer(r);
}

static void upload(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    job->sum = 2166136261u;
    drover_response_receive(r, take, job);
}

/* ------------------------------------------------------------------------------ upgraded */

static void hear(void *context, struct drover_stream *stream, const char *bytes, size_t n)
{
    (void)context;
    if (n == 3 && memcmp(bytes, "end", 3) == 0)
        drover_stream_end(stream);
    else
        drover_stream_send(stream, bytes, n);
}

static int greet(void *context, struct drover_stream *stream)
{
    const char *text = drover_stream_attached(stream);
    (void)context;
    drover_metric_add(drover_stream_worker(stream), HELD, 1);
    return drover_stream_send(stream, text, strlen(text));
}

static void say_leaving(void *context, struct drover_stream *stream)
{
    (void)context;
    drover_stream_send(stream, "leaving", 7);
    drover_stream_end(stream);
}

static void part(void *context, struct drover_stream *stream, int error)
{
    (void)context, (void)error;
    free(drover_stream_attached(stream));
    drover_metric_add(worker, HELD, -1);
}

static const struct drover_protocol lines = {
    .framing = DROVER_LINES, .open = greet, .frame = hear, .leaving = say_leaving, .close = part};

static void upgrade(const struct drover_request *q, struct drover_response *r)
{
    char *text = strdup("welcome");
    (void)q;
    drover_response_field(r, "X-Every", "upgraded");
    if (drover_response_upgrade(r, "lines", &lines, text) == 0)
        return;
    drover_response_status(r, 426);
    free(text);
}

/* Upgraded only after `a` milliseconds. */
static void upgrade_now(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    upgrade(drover_response_request(job->response), job->response);
    finish(job);
}

static void upgrade_later(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    job->timer = drover_timer_start(worker, (uint64_t)job->a, upgrade_now, job);
}

/* -------------------------------------------------------------------------------- misused */

static long pull_and_meddle(void *state, char *to, size_t room)
{
    struct job *job = state;
    (void)room;
    if (job->done++)
        return DROVER_END;
    drover_response_field(job->response, "X-Late", "1");
    snprintf(last_error, sizeof last_error, "%s", drover_response_error(job->response));
    memcpy(to, "streamed\n", 9);
    return 9;
}

static long pull_too_much(void *state, char *to, size_t room)
{
    (void)state, (void)to;
    return (long)room + 1;
}

static void stream_then_file(const struct drover_request *q, struct drover_response *r)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    drover_response_stream(r, -1, pull_and_meddle, new_job(q, r));
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

static void meddle_with_attached(const struct job *job, struct drover_response *r)
{
    drover_response_attach(r, r, NULL);
    say(r, drover_response_attached(r) == job ? "attached\n" : "replaced\n");
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
    else if (strcmp(kind, "etag") == 0)
        drover_response_etag(r, "no quotes"), say(r, "etag\n");
    else if (strcmp(kind, "attached") == 0)
        meddle_with_attached(new_job(q, r), r);
    else if (strcmp(kind, "late") == 0)
        drover_response_stream(r, -1, pull_and_meddle, new_job(q, r));
    else if (strcmp(kind, "file") == 0)
        stream_then_file(q, r);
    else if (strcmp(kind, "much") == 0)
        drover_response_stream(r, -1, pull_too_much, NULL);
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

static const struct {
    const char *path;
    void (*answer)(const struct drover_request *q, struct drover_response *r);
} paths[] = {{"describe", describe},
             {"keys", show_keys},
             {"hooks", show_hooks},
             {"count", count},
             {"add", add},
             {"level", level},
             {"body", body},
             {"file", file},
             {"status", give_status},
             {"after", after},
             {"at-once", at_once},
             {"until-gone", until_gone},
             {"never", never},
             {"child", child},
             {"thread", ask_thread},
             {"events", events},
             {"length", length},
             {"upload", upload},
             {"upgrade", upgrade},
             {"upgrade-later", upgrade_later},
             {"misuse", misuse},
             {"error", show_error}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    const char *path = drover_request_path(q).p + 1;
    size_t n = strcspn(path, "/");
    (void)context;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strlen(paths[i].path) == n && memcmp(paths[i].path, path, n) == 0) {
            paths[i].answer(q, r);
            return;
        }
    drover_response_status(r, 404);
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
    (void)context;
    if (broken) {
        snprintf(why, DROVER_WHY_SIZE, "%s", broken);
        return EX_CONFIG;
    }
    worker = w;
    __atomic_add_fetch(&shared->worker_start, 1, __ATOMIC_RELAXED);
    return pthread_create(&thread, NULL, think, NULL) == 0 ? 0 : EX_OSERR;
}

static void worker_stop(void *context, struct drover_worker *w)
{
    int64_t before = drover_now(w);
    (void)context;
    pthread_mutex_lock(&lock);
    is_over = 1;
    pthread_cond_signal(&news);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    __atomic_add_fetch(&shared->worker_stop, 1, __ATOMIC_RELAXED);
    drover_log("every has joined its thread, at %s", before > 0 ? "a time" : "no time");
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
