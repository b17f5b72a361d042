/* later - an application for HTTP whose answers take time: deferred ones, streamed ones, bodies as
 * they come, upgrades. tests/system/answer.bats drives it.
 *
 * The first segment of the path says what is done, the query's numbers, parted by '&', with what.
 */
#define _GNU_SOURCE
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { RELEASED, GONE, FINISHED, RECEIVED, PULLED, HELD };

static const struct drover_metric metrics[] = {
    [RELEASED] = {"released", DROVER_COUNTER, "what was attached, given back"},
    [GONE] = {"gone", DROVER_COUNTER, "clients that did not wait for the answer"},
    [FINISHED] = {"finished", DROVER_COUNTER, "deferred answers"},
    [RECEIVED] = {"received", DROVER_COUNTER, "bytes of bodies, as they came"},
    [PULLED] = {"pulled", DROVER_COUNTER, "bytes of streamed answers"},
    [HELD] = {"held", DROVER_GAUGE, "what is attached"},
    [HELD + 1] = {0}};

static struct drover_worker *worker; /* a process has one */

/* What a request has beyond its turn. */
struct job {
    struct drover_response *response;
    struct drover_timer *timer;
    struct job *next; /* of those that wait for a thread */
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

/* ------------------------------------------------------------------------------ deferred */

/* What a request says of itself is still there when its handler has returned. */
static void say_it(struct drover_response *r, const struct drover_request *q)
{
    struct drover_span it = drover_request_field(q, "X-It"), name, value;
    char host[DROVER_HOST_SIZE] = "nobody";
    size_t count = 0;
    while (drover_request_field_at(q, count, &name, &value) == 0)
        count++;
    drover_request_client(q, host, NULL);
    if (it.p)
        say(r, "%.*s %s %zu %.*s %s\n", (int)it.n, it.p, drover_request_path(q).p, count,
            (int)drover_request_authority(q).n, drover_request_authority(q).p, host);
}

static void on_time(void *state)
{
    struct job *job = state;
    char waited[32];
    job->timer = NULL;
    snprintf(waited, sizeof waited, "%lld", (long long)drover_now(worker) - job->b);
    drover_response_field(job->response, "X-Waited", waited);
    say(job->response, "after %ld\n", job->a);
    say_it(job->response, drover_response_request(job->response));
    finish(job);
}

static void after(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    job->b = drover_now(worker);
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

/* Finished as soon as nobody waits any more. */
static void gone(void *state)
{
    finish(state);
}

static void until_gone(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    drover_response_on_gone(r, gone, job);
}

/* Finished when the worker leaves. One request at a time. */
static void until_leaving(const struct drover_request *q, struct drover_response *r)
{
    drover_response_defer(r);
    drover_worker_attach(worker, new_job(q, r));
}

static void leaving(void *context, struct drover_worker *w)
{
    struct job *job = drover_worker_attached(w);
    (void)context;
    if (!job)
        return;
    say(job->response, "leaving\n");
    finish(job);
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
    snprintf(script, sizeof script, "sleep 0.%03ld; echo child %ld", job->b, job->a);
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

/* A regular file cannot be watched, nor what nobody watches be unwatched; and the last word on a
 * descriptor counts. */
static void on_wrong(void *state, int fd, unsigned what)
{
    (void)fd, (void)what;
    drover_response_status(((struct job *)state)->response, 500);
}

static void on_writable(void *state, int fd, unsigned what)
{
    struct job *job = state;
    say(job->response, "writable %d", what == DROVER_WRITABLE && fd == job->fd);
    close(job->a > 0 ? (int)job->a : -1);
    drover_unwatch(worker, fd);
    close(fd);
    job->fd = -1;
    finish(job);
}

static void watch(const struct drover_request *q, struct drover_response *r)
{
    int ends[2], fd = memfd_create("watch", MFD_CLOEXEC);
    struct job *job = new_job(q, r);
    if (fd < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        drover_response_status(r, 503);
        return;
    }
    drover_watch(worker, fd, DROVER_READABLE, on_wrong, job);
    say(r, "%s ", strerrorname_np(errno));
    drover_unwatch(worker, fd);
    say(r, "%s ", strerrorname_np(errno));
    close(fd);
    job->fd = ends[1];
    job->a = ends[0];
    drover_response_defer(r);
    drover_watch(worker, job->fd, DROVER_READABLE | DROVER_WRITABLE, on_wrong, job);
    drover_watch(worker, job->fd, DROVER_WRITABLE, on_writable, job);
}

/* `a` posts, each from the one before and from the handler in turn: their order is the answer. */
static void on_post(void *state)
{
    struct job *job = state;
    say(job->response, "%ld ", job->done++);
    if (job->done == job->a)
        finish(job);
    else if (job->done >= job->a / 2)
        drover_post(worker, on_post, job);
}

static void posts(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    for (long i = 0; i < job->a / 2; i++)
        drover_post(worker, on_post, job);
}

/* ------------------------------------------------------------------------ other threads */

#define THREADS 4

static pthread_t threads[THREADS];
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
    drover_response_pull(r, -1, pull_event, job);
    job->timer = drover_timer_start(worker, (uint64_t)job->b, on_tick, job);
}

/* What is streamed is known only after `b` milliseconds. */
static void start_events(void *state)
{
    struct job *job = state;
    job->timer = drover_timer_start(worker, 1, on_tick, job);
    drover_response_pull(job->response, -1, pull_event, job);
    finish(job); /* and the job goes on, until the stream is at its end */
}

static void events_later(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_defer(r);
    job->timer = drover_timer_start(worker, (uint64_t)job->b, start_events, job);
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
    drover_response_pull(r, job->a, pull_bytes, job);
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

/* Refused after `b` milliseconds, whatever has come until then. */
static void refuse(void *state)
{
    struct job *job = state;
    job->timer = NULL;
    drover_response_status(job->response, 507);
    finish(job);
}

static void upload_early(const struct drover_request *q, struct drover_response *r)
{
    struct job *job = new_job(q, r);
    drover_response_receive(r, take, job);
    drover_response_defer(r);
    job->timer = drover_timer_start(worker, (uint64_t)job->b, refuse, job);
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
    drover_response_field(r, "Upgrade", "lines");
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

/* ---------------------------------------------------------------------------------- the whole */

static const struct path paths[] = {{"count", count},
                                    {"after", after},
                                    {"at-once", at_once},
                                    {"until-gone", until_gone},
                                    {"until-leaving", until_leaving},
                                    {"never", never},
                                    {"child", child},
                                    {"watch", watch},
                                    {"thread", ask_thread},
                                    {"posts", posts},
                                    {"events", events},
                                    {"events-later", events_later},
                                    {"length", length},
                                    {"upload", upload},
                                    {"upload-early", upload_early},
                                    {"upgrade", upgrade},
                                    {"upgrade-later", upgrade_later},
                                    {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static int worker_start(void *context, struct drover_worker *w, char why[DROVER_WHY_SIZE])
{
    (void)context;
    worker = w;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, think, NULL) != 0) {
            snprintf(why, DROVER_WHY_SIZE, "there can be no thread");
            return EX_OSERR;
        }
    return 0;
}

static void worker_stop(void *context, struct drover_worker *w)
{
    (void)context, (void)w;
    pthread_mutex_lock(&lock);
    is_over = 1;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    drover_log("later has joined its threads");
}

static const struct drover_app app = {.name = "later",
                                      .metrics = metrics,
                                      .worker_start = worker_start,
                                      .leaving = leaving,
                                      .worker_stop = worker_stop,
                                      .handle = handle,
                                      .when = DROVER_AT_HEAD};
DROVER_MAIN(app)
