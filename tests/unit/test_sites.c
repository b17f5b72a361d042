/* Several applications in one worker: whose request it is, and what each of them sees. */
#include "worker/sites.h"

#include "support.h"
#include "worker/answer.h"
#include "worker/exchange.h"

/* An application that notes what it was called with. */
struct one {
    const char *name;
    struct drover_app app;
    char path[64], prefix[64];
    char body[16];
    int asked, asked_ready, begun, left, stopped, pages;
    int fails; /* worker_start() */
    struct drover_worker *worker;
};

struct server {
    struct one own, upload, files;
    struct drover_worker main;
    struct board *board;
    struct site_app apps[3];
    struct sites sites;
    struct routes *routes;
    struct exchange_env env;
    struct exchange *exchange;
};

static void note(char *to, size_t size, struct drover_span span)
{
    snprintf(to, size, "%.*s", (int)span.n, span.p ? span.p : "");
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    struct one *one = context;
    one->asked++;
    note(one->path, sizeof one->path, drover_request_path(request));
    note(one->prefix, sizeof one->prefix, drover_request_prefix(request));
    note(one->body, sizeof one->body, drover_request_body(request));
    cr_expect_eq(drover_request_path(request).p[drover_request_path(request).n], '\0');
    one->worker = drover_response_worker(response);
    cr_expect_eq(drover_worker_attached(one->worker), one, "of %s", one->name);
}

static struct drover_prepared *ready(void *context, const struct drover_request *request,
                                     struct drover_worker *worker)
{
    struct one *one = context;
    one->asked_ready++;
    note(one->path, sizeof one->path, drover_request_path(request));
    cr_expect_eq(drover_worker_attached(worker), one);
    return NULL;
}

static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    struct one *one = context;
    one->begun++;
    drover_worker_attach(worker, one);
    snprintf(why, DROVER_WHY_SIZE, "no such luck");
    return one->fails;
}

static void leave(void *context, struct drover_worker *worker)
{
    struct one *one = context;
    one->left += drover_worker_attached(worker) == one;
}

static void stop(void *context, struct drover_worker *worker)
{
    struct one *one = context;
    one->stopped += drover_worker_attached(worker) == one;
}

static void page(void *context, int status, struct drover_response *response)
{
    struct one *one = context;
    (void)status;
    one->pages++;
    drover_response_body(response, one->name, strlen(one->name));
}

static const struct drover_metric own_metrics[] = {{"a", DROVER_COUNTER, "."}, {.name = NULL}};
static const struct drover_metric upload_metrics[] = {{"b", DROVER_COUNTER, "."}, {.name = NULL}};
static const struct drover_metric all_metrics[] = {
    {"a", DROVER_COUNTER, "."}, {"b", DROVER_COUNTER, "."}, {.name = NULL}};

static void make(struct one *one, const char *name, enum drover_when when)
{
    one->name = name;
    one->app = (struct drover_app){.name = name,
                                   .context = one,
                                   .handle = handle,
                                   .when = when,
                                   .worker_start = start,
                                   .leaving = leave,
                                   .worker_stop = stop,
                                   .page = page};
}

static void add_route(struct server *s, const char *host, const char *prefix, unsigned app)
{
    const struct route route = {.prefix = span_of(prefix), .app = app, .is_directory = app == 2};
    cr_assert_eq(routes_add(s->routes, host, &route), 0);
}

static void open_server(struct server *s)
{
    *s = (struct server){.routes = routes_new(), .board = board_open(NULL)};
    make(&s->own, "own", DROVER_AT_HEAD);
    make(&s->upload, "upload", DROVER_WITH_BODY);
    make(&s->files, "files", DROVER_AT_HEAD);
    s->own.app.metrics = own_metrics;
    s->upload.app.metrics = upload_metrics;
    s->files.app.ready = ready;
    add_route(s, "up", "", 1);
    add_route(s, NULL, "/files", 2);
    s->apps[0] = (struct site_app){.app = &s->own.app};
    s->apps[1] = (struct site_app){.app = &s->upload.app, .site = "up", .metrics_at = 1};
    s->apps[2] = (struct site_app){.app = &s->files.app, .site = "files", .metrics_at = 2};
    s->sites = (struct sites){
        .count = 3, .apps = s->apps, .metrics = all_metrics, .routes = s->routes};
    s->main = (struct drover_worker){.app = &s->own.app,
                                     .main = &s->main,
                                     .board = s->board,
                                     .row = &s->board->rows[0],
                                     .now = 7};
    exchange_env_open(&s->env, &s->own.app);
    s->env.worker = &s->main;
    cr_assert_eq(sites_open(&s->sites, &s->main, &s->env), 0);
    s->exchange = exchange_new(&s->env);
}

static void open_started(struct server *s)
{
    char why[64];
    open_server(s);
    cr_assert_eq(sites_start(&s->env, why, sizeof why), 0);
}

static void close_server(struct server *s)
{
    exchange_free(s->exchange);
    exchange_env_close(&s->env);
    sites_close(&s->env);
    routes_free(s->routes);
    board_close(s->board);
}

static void parse(struct server *s, const char *method, const char *target, const char *fields)
{
    static char head[512];
    int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n%s\r\n", method, target, fields);
    exchange_reset(s->exchange);
    cr_assert_eq(http_parse_head(&s->exchange->request.head, head, (size_t)n), n, "%s", head);
}

static void ask(struct server *s, const char *method, const char *target, const char *fields)
{
    parse(s, method, target, fields);
    exchange_begin(s->exchange);
}

Test(sites, each_has_its_own_requests_and_its_own_worker)
{
    struct server s;
    open_started(&s);
    ask(&s, "GET", "/a", "Host: x\r\n");
    cr_expect_eq(s.own.asked, 1);
    cr_expect_str_eq(s.own.path, "/a");
    ask(&s, "GET", "/a", "Host: UP:80\r\n");
    exchange_body_end(s.exchange);
    cr_expect_eq(s.upload.asked, 1);
    ask(&s, "GET", "/files/a%20b", "Host: x\r\n");
    cr_expect_eq(s.files.asked, 1);
    cr_expect_eq(s.own.asked, 1);
    cr_expect_eq(s.own.worker, &s.main);
    cr_expect_neq(s.upload.worker, s.own.worker);
    cr_expect_neq(s.upload.worker, s.files.worker);
    cr_expect_eq(drover_now(s.files.worker), 7);
    close_server(&s);
}

Test(sites, the_target_goes_before_host)
{
    struct server s;
    open_started(&s);
    ask(&s, "GET", "http://up/a", "Host: x\r\n");
    exchange_body_end(s.exchange);
    cr_expect_eq(s.upload.asked, 1);
    ask(&s, "GET", "http://x/a", "Host: up\r\n");
    cr_expect_eq(s.own.asked, 1);
    close_server(&s);
}

static const struct {
    const char *target, *path, *prefix; /* path: NULL: it is not theirs */
} targets[] = {
    {"/files/", "/", "/files"},          {"/files/a/b?c", "/a/b", "/files"},
    {"//files//a", "/a", "/files"},      {"/files/../files/a", "/a", "/files"},
    {"/%66iles/a", "/a", "/files"},      {"/files/./", "/", "/files"},
    {"/x/../files/a/..", "/", "/files"}, {"/filesystem", NULL, NULL},
    {"/files/../a", NULL, NULL},         {"/files/%2e%2e/a", NULL, NULL},
    {"/files%2fa", NULL, NULL},          {"/Files/a", NULL, NULL},
    {"/a/files/", NULL, NULL},
};

Test(sites, a_prefix_is_taken_off_whole_segments_of_the_decoded_path)
{
    struct server s;
    open_started(&s);
    for (size_t i = 0; i < LENGTH(targets); i++) {
        s.files.asked = 0;
        ask(&s, "GET", targets[i].target, "Host: x\r\n");
        cr_expect_eq(s.files.asked, targets[i].path != NULL, "%s", targets[i].target);
        if (!targets[i].path)
            continue;
        cr_expect_str_eq(s.files.path, targets[i].path, "%s", targets[i].target);
        cr_expect_str_eq(s.files.prefix, targets[i].prefix, "%s", targets[i].target);
    }
    close_server(&s);
}

/* What the fields of an answer are, in one string. */
static const char *fields_of(const struct server *s)
{
    static char text[256];
    note(text, sizeof text,
         (struct drover_span){.p = s->exchange->response.fields.p,
                              .n = s->exchange->response.fields.len});
    return text;
}

Test(sites, a_directory_without_its_slash_is_sent_on)
{
    struct server s;
    open_started(&s);
    ask(&s, "GET", "/files?a=/b", "Host: x\r\n");
    cr_expect_eq(s.files.asked, 0);
    cr_expect_eq(s.exchange->response.status, 301);
    cr_expect_str_eq(fields_of(&s), "Location: /files/?a=/b\r\n");
    parse(&s, "GET", "/files", "Host: x\r\n");
    cr_expect_null(exchange_ready(s.exchange));
    cr_expect_eq(s.files.asked_ready, 0);
    ask(&s, "POST", "/files", "Host: x\r\n");
    cr_expect_eq(s.files.asked, 1);
    cr_expect_str_eq(s.files.path, "/");
    close_server(&s);
}

Test(sites, who_has_no_answers_that_stand_ready_is_not_asked_for_one)
{
    struct server s;
    open_started(&s);
    parse(&s, "GET", "/a", "Host: x\r\n");
    cr_expect_null(exchange_ready(s.exchange));
    parse(&s, "GET", "/files/a", "Host: x\r\n");
    cr_expect_null(exchange_ready(s.exchange));
    cr_expect_eq(s.files.asked_ready, 1);
    cr_expect_str_eq(s.files.path, "/a");
    close_server(&s);
}

Test(sites, a_body_becomes_what_its_own_application_wants)
{
    struct server s;
    open_started(&s);
    ask(&s, "POST", "/a", "Host: up\r\nContent-Length: 5\r\n");
    cr_expect_eq(s.upload.asked, 0);
    cr_expect_eq(exchange_body(s.exchange, SPAN("hello")), 0);
    exchange_body_end(s.exchange);
    cr_expect_eq(s.upload.asked, 1);
    cr_expect_str_eq(s.upload.body, "hello");
    ask(&s, "POST", "/files/a", "Host: x\r\nContent-Length: 5\r\n");
    cr_expect_eq(s.files.asked, 1);
    cr_expect(exchange_drops(s.exchange));
    close_server(&s);
}

/* The name of whose page the answer has. */
static const char *page_of(struct server *s)
{
    static char text[1024];
    struct buf out = {0};
    struct payload *payload;
    answer_write(s->exchange, &out, &payload, false);
    note(text, sizeof text, (struct drover_span){.p = out.p, .n = out.len});
    buf_free(&out);
    const char *body = strstr(text, "\r\n\r\n");
    return body ? body + 4 : text;
}

Test(sites, the_page_of_a_refusal_is_the_sites)
{
    struct server s;
    open_started(&s);
    ask(&s, "GET", "/files", "Host: x\r\n");
    cr_expect_str_eq(page_of(&s), "files");
    ask(&s, "POST", "/a", "Host: up\r\nContent-Length: 5\r\n");
    const struct refused of_upload = exchange_refused(s.exchange);
    struct exchange *other = exchange_new(&s.env);
    struct buf out = {0};
    exchange_enter(other, &of_upload);
    answer_refuse(other, &out, 413, of_upload.method);
    cr_expect_eq(s.upload.pages, 1);
    buf_clear(&out);
    exchange_enter(other, &(struct refused){.method = HTTP_GET});
    answer_refuse(other, &out, 400, HTTP_GET);
    cr_expect_eq(s.own.pages, 1, "what cannot be read is nobody's");
    ask(&s, "GET", "/files/%00", "Host: up\r\n");
    cr_expect_eq(s.exchange->response.status, 400);
    cr_expect_str_eq(page_of(&s), "own");
    buf_free(&out);
    exchange_free(other);
    close_server(&s);
}

Test(sites, all_are_started_left_and_stopped)
{
    struct server s;
    open_started(&s);
    sites_leave(&s.env);
    sites_stop(&s.env);
    const struct one *all[] = {&s.own, &s.upload, &s.files};
    for (size_t i = 0; i < LENGTH(all); i++)
        cr_expect(all[i]->begun == 1 && all[i]->left == 1 && all[i]->stopped == 1, "%s",
                  all[i]->name);
    close_server(&s);
}

Test(sites, the_first_that_does_not_start_is_named)
{
    struct server s;
    char why[64] = "";
    open_server(&s);
    s.upload.fails = 78;
    cr_expect_eq(sites_start(&s.env, why, sizeof why), 78);
    cr_expect_str_eq(why, "site up: no such luck");
    s.own.fails = 66;
    cr_expect_eq(sites_start(&s.env, why, sizeof why), 66);
    cr_expect_str_eq(why, "no such luck");
    close_server(&s);
}

static void sum(void *argument, const struct drover_metric *metric, int64_t value)
{
    char *text = argument;
    if (strncmp(metric->name, "drover_", 7) != 0)
        sprintf(text + strlen(text), "%s=%lld ", metric->name, (long long)value);
}

Test(sites, each_counts_its_own_metrics_and_all_are_told)
{
    struct server s;
    char text[64] = "";
    open_started(&s);
    drover_metric_add(&s.main, 0, 3);
    drover_metric_add(&s.env.others[0], 0, 4);
    drover_metric_add(&s.env.others[0], 1, 5);
    drover_metric_add(&s.env.others[1], 0, 6);
    drover_metrics_each(&s.env.others[1], sum, text);
    cr_expect_str_eq(text, "a=3 b=4 ");
    close_server(&s);
}
