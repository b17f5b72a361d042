#include "worker/answer.h"

#include <sys/socket.h>

#include "answers.h"

#define DATE     784111777 /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define NOW      (DATE + 60)
#define NOW_TEXT "Sun, 06 Nov 1994 08:50:37 GMT"
#define TEXT     "Content-Type: text/plain; charset=utf-8"
#define HTML     "Content-Type: text/html; charset=utf-8"

/* ----------------------------------------------------------- an application, a function a row */

typedef void answer_fn(const struct drover_request *request, struct drover_response *response);

static void say_hello(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_body(response, "hello", 5);
}

static void say_nothing(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    (void)response;
}

static void say_type(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_type(response, "a/b");
}

static void say_json(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_type(response, "application/json");
    drover_response_field(response, "X-One", "1");
    drover_response_field(response, "X-Two", "2");
    drover_response_body(response, "{", 1);
    drover_response_body(response, "}", 1);
}

static void say_not_found(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 404);
}

static void say_not_found_itself(const struct drover_request *request,
                                 struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 404);
    drover_response_body(response, "gone", 4);
}

static void say_empty_not_found(const struct drover_request *request,
                                struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 404);
    drover_response_body(response, "", 0);
}

static void redirect(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 301);
    drover_response_field(response, "Location", "/there");
}

static void say_no_content(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 204);
    drover_response_type(response, "text/html");
    drover_response_body(response, "not to be sent", 14);
}

static void say_not_modified(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 304);
    drover_response_etag(response, "\"v1\"");
    drover_response_body(response, "not to be sent", 14);
}

static void say_unknown_status(const struct drover_request *request,
                               struct drover_response *response)
{
    (void)request;
    drover_response_status(response, 599);
}

static void say_two_statuses(const struct drover_request *request, struct drover_response *response)
{
    say_not_found(request, response);
    cr_expect_eq(drover_response_status(response, 200), -1);
    cr_expect_not_null(drover_response_error(response));
}

static void say_hello_and_no_content(const struct drover_request *request,
                                     struct drover_response *response)
{
    say_hello(request, response);
    cr_expect_eq(drover_response_status(response, 204), -1);
    cr_expect_not_null(drover_response_error(response));
}

static void say_split_field(const struct drover_request *request, struct drover_response *response)
{
    cr_expect_eq(drover_response_field(response, "X", "a\r\n\r\nb"), -1);
    cr_expect_eq(drover_response_type(response, "a/b\r\nX: y"), -1);
    cr_expect_not_null(drover_response_error(response));
    say_hello(request, response);
}

static void say_tagged(const struct drover_request *request, struct drover_response *response)
{
    say_hello(request, response);
    drover_response_etag(response, "\"v1\"");
    drover_response_modified(response, DATE);
}

static void say_coded(const struct drover_request *request, struct drover_response *response)
{
    say_tagged(request, response);
    drover_response_field(response, "Content-Encoding", "gzip");
    drover_response_field(response, "X-One", "1");
    drover_response_field(response, "content-language", "de");
    drover_response_field(response, "Vary", "a");
}

static void say_tagged_error(const struct drover_request *request, struct drover_response *response)
{
    say_tagged(request, response);
    drover_response_status(response, 500);
}

static int open_alphabet(void)
{
    int fd = memfd_create("alphabet", MFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "abcdefghijklmnopqrstuvwxyz", 26), 26);
    return fd;
}

static void send_file(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_type(response, "text/x");
    drover_response_etag(response, "\"v1\"");
    drover_response_modified(response, DATE);
    drover_response_file(response, open_alphabet(), 26);
}

static void send_weak_file(const struct drover_request *request, struct drover_response *response)
{
    send_file(request, response);
    drover_response_etag(response, "W/\"v1\"");
}

static void send_plain_file(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_file(response, open_alphabet(), 26);
}

static void send_start_of_file(const struct drover_request *request,
                               struct drover_response *response)
{
    (void)request;
    drover_response_file(response, open_alphabet(), 3);
}

static void send_empty_file(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_file(response, make_file(0), 0);
}

static void send_error_file(const struct drover_request *request, struct drover_response *response)
{
    send_plain_file(request, response);
    drover_response_status(response, 404);
}

static void send_no_content_and_a_file(const struct drover_request *request,
                                       struct drover_response *response)
{
    drover_response_status(response, 204);
    send_plain_file(request, response);
}

static void send_file_and_no_content(const struct drover_request *request,
                                     struct drover_response *response)
{
    send_plain_file(request, response);
    drover_response_status(response, 204);
}

/* It has become shorter since it was looked at. */
static void send_short_file(const struct drover_request *request, struct drover_response *response)
{
    send_file(request, response);
    response->size = 27;
}

/* No answer is written by hand: this one shows what the application was given. */
static void echo(const struct drover_request *request, struct drover_response *response)
{
    struct drover_span method = drover_request_method(request);
    struct drover_span path = drover_request_path(request);
    struct drover_span query = drover_request_query(request);
    struct drover_span x = drover_request_field(request, "X");
    cr_assert_eq(path.p[path.n], '\0');
    drover_response_body(response, method.p, method.n);
    drover_response_body(response, " ", 1);
    drover_response_body(response, path.p, path.n);
    drover_response_body(response, " ", 1);
    drover_response_body(response, query.p, query.n);
    drover_response_body(response, " ", 1);
    drover_response_body(response, x.p, x.n);
}

static void must_not_be_asked(const struct drover_request *request,
                              struct drover_response *response)
{
    (void)response;
    cr_assert_fail("%.*s", (int)drover_request_path(request).n, drover_request_path(request).p);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    answer_fn **answer = context;
    (*answer)(request, response);
}

/* ------------------------------------------------------------------------------ one exchange */

struct rig {
    answer_fn *answer;
    struct drover_app app;
    struct exchange_env env;
    struct exchange *exchange;
    struct buf out;
};

static void open_rig(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    rig->app = (struct drover_app){.name = "test", .context = &rig->answer, .handle = handle};
    exchange_env_open(&rig->env, &rig->app);
    exchange_tick(&rig->env, NOW);
    rig->exchange = exchange_new(&rig->env);
    cr_assert_not_null(rig->exchange);
}

static void close_rig(struct rig *rig)
{
    exchange_free(rig->exchange);
    exchange_env_close(&rig->env);
    buf_free(&rig->out);
}

/* Sends the payload to a socket and appends what comes out at its other end. */
static void drain(struct payload *payload, struct buf *out)
{
    enum payload_result result;
    uint64_t sent = 0;
    size_t before = out->len;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    do {
        result = payload_send(payload, ends[0], &sent);
        cr_assert_neq(result, PAYLOAD_FAILED, "%m");
        for (ssize_t n = 1; n > 0;) {
            char *to = buf_room(out, 65536);
            n = recv(ends[1], to, 65536, 0);
            buf_grow(out, n > 0 ? (size_t)n : 0);
        }
    } while (result == PAYLOAD_BLOCKED);
    cr_expect_eq(sent, out->len - before);
    close(ends[0]);
    close(ends[1]);
    payload_free(payload);
}

/* Parses the request, and has the application asked. */
static void ask(struct rig *rig, const char *request, answer_fn *answer)
{
    int n = http_parse_head(&rig->exchange->request.head, request, strlen(request));
    cr_assert_eq(n, (int)strlen(request), "%s: %d", request, n);
    rig->answer = answer;
    exchange_begin(rig->exchange);
    exchange_body_end(rig->exchange);
    cr_assert(exchange_is_ready(rig->exchange));
}

/* The answer's bytes are appended to rig->out. Returns whether the connection is kept. */
static bool run(struct rig *rig, const char *request, answer_fn *answer, bool last)
{
    struct payload *payload = NULL;
    ask(rig, request, answer);
    cr_assert_eq(answer_write(rig->exchange, &rig->out, &payload, last), ANSWER_WHOLE);
    bool keep = !rig->exchange->close;
    exchange_reset(rig->exchange);
    if (payload)
        drain(payload, &rig->out);
    cr_assert_not(rig->out.failed);
    return keep;
}

static struct reply only_answer(const struct rig *rig, bool to_head)
{
    struct span bytes = {.p = rig->out.p, .n = rig->out.len};
    struct reply answer = take_answer(&bytes, to_head);
    cr_assert_eq(bytes.n, 0, "%zu bytes follow: %.*s", bytes.n, (int)bytes.n, bytes.p);
    cr_assert(span_eq(answer_field(&answer, "Date"), SPAN(NOW_TEXT)));
    return answer;
}

/* `text` NULL: the page of this status. */
static void expect_body(const struct reply *answer, const char *text, const char *name)
{
    struct buf page = {0};
    if (text)
        buf_str(&page, text);
    else
        http_page(&page, answer->status);
    cr_expect(span_eq(answer->body, (struct span){.p = page.p, .n = page.len}),
              "%s: the body is %.*s", name, (int)answer->body.n, answer->body.p);
    buf_free(&page);
}

/* The page of this status; its length stands in the fields as "*". */
#define PAGE NULL

/* Host is there already, and the empty line. */
static const struct row {
    const char *name;
    const char *line;   /* method and target */
    const char *fields; /* of the request */
    answer_fn *answer;
    int status;
    const char *lines;
    const char *body;
} rows[] = {
    {"a body", "GET /", "", say_hello, 200, TEXT "\nContent-Length: 5", "hello"},
    {"no body", "GET /", "", say_nothing, 200, "Content-Length: 0", ""},
    {"a type without a body", "GET /", "", say_type, 200, "Content-Type: a/b\nContent-Length: 0",
     ""},
    {"a type and fields", "GET /", "", say_json, 200,
     "Content-Type: application/json\nContent-Length: 2\nX-One: 1\nX-Two: 2", "{}"},
    {"an error gets a page", "GET /", "", say_not_found, 404, HTML "\nContent-Length: *", PAGE},
    {"but not over its own", "GET /", "", say_not_found_itself, 404, TEXT "\nContent-Length: 4",
     "gone"},
    {"even if that is empty", "GET /", "", say_empty_not_found, 404, TEXT "\nContent-Length: 0",
     ""},
    {"a redirect", "GET /", "", redirect, 301, HTML "\nContent-Length: *\nLocation: /there", PAGE},
    {"204 has no body", "GET /", "", say_no_content, 204, "", ""},
    {"304 has no body", "GET /", "", say_not_modified, 304, "ETag: \"v1\"", ""},
    {"a status without a phrase", "GET /", "", say_unknown_status, 599, HTML "\nContent-Length: *",
     PAGE},
    {"of two statuses, the first", "GET /", "", say_two_statuses, 404, HTML "\nContent-Length: *",
     PAGE},
    {"no 204 with a body", "GET /", "", say_hello_and_no_content, 200, TEXT "\nContent-Length: 5",
     "hello"},
    {"no field that splits the head", "GET /", "", say_split_field, 200, TEXT "\nContent-Length: 5",
     "hello"},
    {"another method", "DELETE /", "", say_hello, 200, TEXT "\nContent-Length: 5", "hello"},

    {"what the application sees", "GET /a//./b%20c?d=%20&e", "X:  y \r\n", echo, 200,
     TEXT "\nContent-Length: 20", "GET /a/b c d=%20&e y"},
    {"the path of an absolute form", "GET http://x/a?b", "", echo, 200, TEXT "\nContent-Length: 9",
     "GET /a b "},
    {"an absolute form without one", "GET http://x", "", echo, 200, TEXT "\nContent-Length: 7",
     "GET /  "},
    {"a POST", "POST /p", "Content-Length: 3\r\n", echo, 200, TEXT "\nContent-Length: 9",
     "POST /p  "},

    {"OPTIONS of the server", "OPTIONS *", "", must_not_be_asked, 204, "Allow: GET, HEAD, OPTIONS",
     ""},
    {"OPTIONS of something", "OPTIONS /a", "", echo, 200, TEXT "\nContent-Length: 12",
     "OPTIONS /a  "},
    {"an unknown method", "BREW /", "", must_not_be_asked, 501, HTML "\nContent-Length: *", PAGE},
    {"CONNECT", "CONNECT x:80", "", must_not_be_asked, 501, HTML "\nContent-Length: *", PAGE},
    {"an unknown expectation", "GET /", "Expect: wonders\r\n", must_not_be_asked, 417,
     HTML "\nContent-Length: *", PAGE},
    {"above the root", "GET /..", "", must_not_be_asked, 400, HTML "\nContent-Length: *", PAGE},
    {"a wrong escape", "GET /%zz", "", must_not_be_asked, 400, HTML "\nContent-Length: *", PAGE},
    {"an escaped NUL", "GET /%00", "", must_not_be_asked, 400, HTML "\nContent-Length: *", PAGE},
    {"an escaped slash", "GET /%2F", "", must_not_be_asked, 404, HTML "\nContent-Length: *", PAGE},
    {"an escaped CRLF is a name", "GET /%0d%0aX:y", "", echo, 200, TEXT "\nContent-Length: 12",
     "GET /\r\nX:y  "},
};

#define VALIDATORS "ETag: \"v1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT"
#define SAME       "If-None-Match: \"v1\"\r\n"
#define SINCE      "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define BEFORE     "Sun, 06 Nov 1994 08:49:36 GMT\r\n"
#define TAGGED     TEXT "\nContent-Length: 5\n" VALIDATORS

static const struct row conditionals[] = {
    {"validators", "GET /", "", say_tagged, 200, TAGGED, "hello"},
    {"the same tag", "GET /", SAME, say_tagged, 304, VALIDATORS, ""},
    {"a 304 does not describe the body", "GET /", SAME, say_coded, 304,
     VALIDATORS "\nX-One: 1\nVary: a", ""},
    {"the same tag, weak", "GET /", "If-None-Match: W/\"v1\"\r\n", say_tagged, 304, VALIDATORS, ""},
    {"any tag", "GET /", "If-None-Match: *\r\n", say_tagged, 304, VALIDATORS, ""},
    {"another tag", "GET /", "If-None-Match: \"v2\"\r\n", say_tagged, 200, TAGGED, "hello"},
    {"not modified", "GET /", SINCE, say_tagged, 304, VALIDATORS, ""},
    {"modified", "GET /", "If-Modified-Since: " BEFORE, say_tagged, 200, TAGGED, "hello"},
    {"the tag before the date", "GET /", "If-None-Match: \"v2\"\r\n" SINCE, say_tagged, 200, TAGGED,
     "hello"},
    {"it is as wanted", "GET /", "If-Match: \"v1\"\r\n", say_tagged, 200, TAGGED, "hello"},
    {"it is not as wanted", "GET /", "If-Match: \"v2\"\r\n", say_tagged, 412,
     HTML "\nContent-Length: *", PAGE},
    {"it was modified", "GET /", "If-Unmodified-Since: " BEFORE, say_tagged, 412,
     HTML "\nContent-Length: *", PAGE},
    {"only a success is conditional", "GET /", SAME, say_tagged_error, 500, TAGGED, "hello"},
    {"another method is not drover's", "PUT /", "If-Match: \"v2\"\r\n", say_tagged, 200, TAGGED,
     "hello"},
    {"nothing to compare", "GET /", SAME, say_hello, 200, TEXT "\nContent-Length: 5", "hello"},
    {"a tag is wanted, and there is none", "GET /", "If-Match: \"v1\"\r\n", say_hello, 412,
     HTML "\nContent-Length: *", PAGE},
    {"anything is known, and there is something", "GET /", "If-None-Match: *\r\n", say_hello, 304,
     "", ""},
    {"a date, and there is none", "GET /", SINCE, say_hello, 200, TEXT "\nContent-Length: 5",
     "hello"},
    {"a file", "GET /", SAME, send_file, 304, VALIDATORS, ""},
    {"a file, wanted otherwise", "GET /", "If-Match: \"v2\"\r\n", send_file, 412,
     HTML "\nContent-Length: *", PAGE},
};

#define FILE_LINES "Content-Type: text/x\nAccept-Ranges: bytes\n" VALIDATORS
#define WHOLE      FILE_LINES "\nContent-Length: 26"
#define PART(length, range) \
    FILE_LINES "\nContent-Length: " length "\nContent-Range: bytes " range "/26"
#define ALPHABET "abcdefghijklmnopqrstuvwxyz"
#define REFUSED  HTML "\nContent-Length: *\nContent-Range: bytes */26"
#define PLAIN    TEXT "\nContent-Length: 26\nAccept-Ranges: bytes"

static const struct row files[] = {
    {"whole", "GET /", "", send_file, 200, WHOLE, ALPHABET},
    {"without a type", "GET /", "", send_plain_file, 200, PLAIN, ALPHABET},
    {"its start alone", "GET /", "", send_start_of_file, 200,
     TEXT "\nContent-Length: 3\nAccept-Ranges: bytes", "abc"},
    {"empty", "GET /", "", send_empty_file, 200, TEXT "\nContent-Length: 0\nAccept-Ranges: bytes",
     ""},
    {"as an error's body", "GET /", "Range: bytes=0-1\r\n", send_error_file, 404,
     TEXT "\nContent-Length: 26", ALPHABET},
    {"not with 204", "GET /", "Range: bytes=0-1\r\n", send_no_content_and_a_file, 204, "", ""},
    {"204 not with one", "GET /", "", send_file_and_no_content, 200, PLAIN, ALPHABET},
    {"shorter than it was", "GET /", "", send_short_file, 500, HTML "\nContent-Length: *", PAGE},
    {"a range that is no longer there", "GET /", "Range: bytes=20-26\r\n", send_short_file, 500,
     HTML "\nContent-Length: *", PAGE},
    {"to a POST, whole", "POST /", "Range: bytes=0-1\r\n", send_file, 200, WHOLE, ALPHABET},

    {"first bytes", "GET /", "Range: bytes=0-4\r\n", send_file, 206, PART("5", "0-4"), "abcde"},
    {"one byte", "GET /", "Range: bytes=25-25\r\n", send_file, 206, PART("1", "25-25"), "z"},
    {"the rest", "GET /", "Range: bytes=20-\r\n", send_file, 206, PART("6", "20-25"), "uvwxyz"},
    {"clipped", "GET /", "Range: bytes=20-99\r\n", send_file, 206, PART("6", "20-25"), "uvwxyz"},
    {"last bytes", "GET /", "Range: bytes=-3\r\n", send_file, 206, PART("3", "23-25"), "xyz"},
    {"all bytes", "GET /", "Range: bytes=0-\r\n", send_file, 206, PART("26", "0-25"), ALPHABET},
    {"one of two is there", "GET /", "Range: bytes=99-,0-0\r\n", send_file, 206, PART("1", "0-0"),
     "a"},
    {"behind the end", "GET /", "Range: bytes=26-\r\n", send_file, 416, REFUSED, PAGE},
    {"no last bytes", "GET /", "Range: bytes=-0\r\n", send_file, 416, REFUSED, PAGE},
    {"malformed", "GET /", "Range: bytes=5-1\r\n", send_file, 200, WHOLE, ALPHABET},
    {"two lines", "GET /", "Range: bytes=0-1\r\nRange: bytes=2-3\r\n", send_file, 200, WHOLE,
     ALPHABET},
    {"another unit", "GET /", "Range: lines=0-1\r\n", send_file, 200, WHOLE, ALPHABET},
    {"more than there is", "GET /", "Range: bytes=0-,0-\r\n", send_file, 200, WHOLE, ALPHABET},
    {"of an empty file", "GET /", "Range: bytes=0-0\r\n", send_empty_file, 416,
     HTML "\nContent-Length: *\nContent-Range: bytes */0", PAGE},

    {"if it is the same", "GET /", "Range: bytes=0-0\r\nIf-Range: \"v1\"\r\n", send_file, 206,
     PART("1", "0-0"), "a"},
    {"if it is of the same date", "GET /",
     "Range: bytes=0-0\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", send_file, 206,
     PART("1", "0-0"), "a"},
    {"if it is another", "GET /", "Range: bytes=0-0\r\nIf-Range: \"v2\"\r\n", send_file, 200, WHOLE,
     ALPHABET},
    {"if it is another, behind the end", "GET /", "Range: bytes=99-\r\nIf-Range: \"v2\"\r\n",
     send_file, 200, WHOLE, ALPHABET},
    {"a weak tag is not the same", "GET /", "Range: bytes=0-0\r\nIf-Range: W/\"v1\"\r\n",
     send_weak_file, 200,
     "Content-Type: text/x\nContent-Length: 26\nAccept-Ranges: bytes\nETag: W/\"v1\"\n"
     "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
     ALPHABET},
    {"known already, and a range", "GET /", SAME "Range: bytes=0-0\r\n", send_file, 304, VALIDATORS,
     ""},
};

static void write_request(char *request, size_t size, const char *line, const char *fields)
{
    snprintf(request, size, "%s HTTP/1.1\r\nHost: x\r\n%s\r\n", line, fields);
}

/* A page's length is not typed a second time. */
static void fill_length(char *lines, size_t size, const struct row *row)
{
    struct buf page = {0};
    const char *star = row->body ? NULL : strchr(row->lines, '*');
    http_page(&page, row->status);
    if (star)
        snprintf(lines, size, "%.*s%zu%s", (int)(star - row->lines), row->lines, page.len,
                 star + 1);
    else
        snprintf(lines, size, "%s", row->lines);
    buf_free(&page);
}

/* HEAD is GET without the body, but that it knows no ranges. */
static void check(const struct row *row, bool to_head)
{
    struct rig rig;
    char request[512], lines[512];
    write_request(request, sizeof request, row->line, row->fields);
    if (to_head) {
        if (strncmp(request, "GET ", 4) != 0 || strstr(row->fields, "Range") ||
            row->answer == echo || row->answer == send_short_file)
            return;
        memmove(request + 5, request + 4, strlen(request + 4) + 1);
        memcpy(request, "HEAD ", 5);
    }
    open_rig(&rig);
    fill_length(lines, sizeof lines, row);
    cr_expect(run(&rig, request, row->answer, false), "%s: is kept", row->name);
    struct reply answer = only_answer(&rig, to_head);
    cr_expect_eq(answer.status, row->status, "%s: %d", row->name, answer.status);
    expect_lines(&answer, lines, row->name);
    if (!to_head)
        expect_body(&answer, row->body, row->name);
    close_rig(&rig);
}

static void check_all(const struct row *table, size_t count)
{
    int before = count_fds();
    for (size_t i = 0; i < count; i++)
        for (int to_head = 0; to_head <= 1; to_head++)
            check(&table[i], to_head);
    cr_expect_eq(count_fds(), before, "files are closed");
}

Test(answer, answers)
{
    check_all(rows, LENGTH(rows));
}

Test(answer, conditional_answers)
{
    check_all(conditionals, LENGTH(conditionals));
}

Test(answer, files_and_ranges)
{
    check_all(files, LENGTH(files));
}

Test(answer, head_knows_no_ranges)
{
    struct rig rig;
    open_rig(&rig);
    run(&rig, "HEAD / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4\r\n\r\n", send_file, false);
    struct reply answer = only_answer(&rig, true);
    cr_expect_eq(answer.status, 200);
    expect_lines(&answer, WHOLE, "HEAD");
    close_rig(&rig);
}

/* --------------------------------------------------------------------------- several ranges */

static const struct {
    const char *name;
    const char *range;
    answer_fn *answer;
    const char *type; /* of every part */
    const char *body; /* the boundary is "B" here */
} multiparts[] = {
    {"two", "bytes=0-1,24-", send_file, "text/x",
     "--B\r\nContent-Type: text/x\r\nContent-Range: bytes 0-1/26\r\n\r\nab\r\n"
     "--B\r\nContent-Type: text/x\r\nContent-Range: bytes 24-25/26\r\n\r\nyz\r\n--B--\r\n"},
    {"as they were asked for", "bytes=5-5, -1, 0-2", send_file, "text/x",
     "--B\r\nContent-Type: text/x\r\nContent-Range: bytes 5-5/26\r\n\r\nf\r\n"
     "--B\r\nContent-Type: text/x\r\nContent-Range: bytes 25-25/26\r\n\r\nz\r\n"
     "--B\r\nContent-Type: text/x\r\nContent-Range: bytes 0-2/26\r\n\r\nabc\r\n--B--\r\n"},
    {"without a type of its own", "bytes=0-0,2-2", send_plain_file, "text/plain",
     "--B\r\n" TEXT "\r\nContent-Range: bytes 0-0/26\r\n\r\na\r\n"
     "--B\r\n" TEXT "\r\nContent-Range: bytes 2-2/26\r\n\r\nc\r\n--B--\r\n"},
};

/* Puts the boundary that the answer has in the place of "--B". */
static void fill_boundary(struct buf *body, const char *text, struct span boundary)
{
    for (; *text; text++) {
        buf_add(body, text, 1);
        if (strncmp(text, "--B", 3) == 0) {
            buf_lit(body, "-");
            buf_span(body, boundary);
            text += 2;
        }
    }
}

static struct span boundary_of(const struct reply *answer)
{
    const struct span start = SPAN("multipart/byteranges; boundary=");
    struct span type = answer_field(answer, "Content-Type");
    cr_assert(type.n > start.n && memcmp(type.p, start.p, start.n) == 0, "%.*s", (int)type.n,
              type.p);
    return (struct span){.p = type.p + start.n, .n = type.n - start.n};
}

Test(answer, several_ranges)
{
    for (size_t i = 0; i < LENGTH(multiparts); i++) {
        struct rig rig;
        struct buf body = {0};
        char request[256], fields[128];
        open_rig(&rig);
        snprintf(fields, sizeof fields, "Range: %s\r\n", multiparts[i].range);
        write_request(request, sizeof request, "GET /", fields);
        run(&rig, request, multiparts[i].answer, false);
        struct reply answer = only_answer(&rig, false);
        cr_expect_eq(answer.status, 206, "%s", multiparts[i].name);
        cr_expect_null(answer_field(&answer, "Content-Range").p, "it stands in the parts");
        fill_boundary(&body, multiparts[i].body, boundary_of(&answer));
        cr_expect(span_eq(answer.body, (struct span){.p = body.p, .n = body.len}), "%s:\n%.*s",
                  multiparts[i].name, (int)answer.body.n, answer.body.p);
        buf_free(&body);
        close_rig(&rig);
    }
}

/* What a file holds cannot end a part: nobody knows the boundary before it is sent. */
Test(answer, boundaries_differ)
{
    char seen[6][32];
    for (size_t i = 0; i < LENGTH(seen); i++) {
        static struct rig rig; /* the same one three times */
        if (i % 3 == 0)
            open_rig(&rig);
        buf_clear(&rig.out);
        run(&rig, "GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0,2-2\r\n\r\n", send_file, false);
        struct reply answer = only_answer(&rig, false);
        struct span boundary = boundary_of(&answer);
        cr_assert(boundary.n >= 16 && boundary.n < sizeof seen[i], "%zu bytes", boundary.n);
        snprintf(seen[i], sizeof seen[i], "%.*s", (int)boundary.n, boundary.p);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(seen[i], seen[k]);
        if (i % 3 == 2)
            close_rig(&rig);
    }
}

Test(answer, as_many_ranges_as_allowed_and_one_more)
{
    for (int count = HTTP_RANGES_MAX; count <= HTTP_RANGES_MAX + 1; count++) {
        struct rig rig;
        struct buf fields = {0};
        char request[1024];
        open_rig(&rig);
        buf_lit(&fields, "Range: bytes=0-0");
        for (int i = 1; i < count; i++)
            buf_lit(&fields, ",99-"); /* well formed, though not there */
        buf_lit(&fields, "\r\n");
        buf_add(&fields, "", 1);
        write_request(request, sizeof request, "GET /", fields.p);
        run(&rig, request, send_file, false);
        cr_expect_eq(only_answer(&rig, false).status, count > HTTP_RANGES_MAX ? 200 : 206);
        buf_free(&fields);
        close_rig(&rig);
    }
}

/* ------------------------------------------------------------------------------ large files */

static size_t large_size;

static void send_large(const struct drover_request *request, struct drover_response *response)
{
    (void)request;
    drover_response_file(response, make_file(large_size), large_size);
}

static void expect_bytes(struct span body, size_t first, size_t length)
{
    cr_assert_eq(body.n, length, "%zu of %zu bytes", body.n, length);
    for (size_t i = 0; i < length; i++)
        cr_assert_eq(body.p[i], byte_at(first + i), "byte %zu of %zu", i, length);
}

/* Around the length where a copy gives way to sendfile, and around a turn's limit. */
Test(answer, files_of_all_lengths)
{
    static const size_t sizes[] = {1,
                                   FILE_INLINE_MAX - 1,
                                   FILE_INLINE_MAX,
                                   FILE_INLINE_MAX + 1,
                                   SENDFILE_TURN_MAX - 1,
                                   SENDFILE_TURN_MAX,
                                   SENDFILE_TURN_MAX + 1,
                                   3 * SENDFILE_TURN_MAX};
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct rig rig;
        open_rig(&rig);
        large_size = sizes[i];
        run(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", send_large, false);
        expect_bytes(only_answer(&rig, false).body, 0, sizes[i]);
        close_rig(&rig);
    }
}

Test(answer, a_large_range)
{
    struct rig rig;
    open_rig(&rig);
    large_size = 300000;
    run(&rig, "GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=1000-200999\r\n\r\n", send_large, false);
    struct reply answer = only_answer(&rig, false);
    cr_expect_eq(answer.status, 206);
    expect_bytes(answer.body, 1000, 200000);
    close_rig(&rig);
}

Test(answer, head_of_a_large_file_opens_no_payload)
{
    struct rig rig;
    struct payload *payload = NULL;
    const char request[] = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
    open_rig(&rig);
    large_size = 300000;
    ask(&rig, request, send_large);
    answer_write(rig.exchange, &rig.out, &payload, false);
    cr_expect_null(payload);
    struct reply answer = only_answer(&rig, true);
    cr_expect(span_eq(answer_field(&answer, "Content-Length"), SPAN("300000")));
    close_rig(&rig);
}

/* ------------------------------------------------------------------------------- persistence */

static const struct {
    const char *name;
    const char *version;
    const char *connection; /* the request's field; NULL: none */
    bool last;
    const char *said; /* the answer's field; NULL: none */
} keeps[] = {
    {"1.1", "1.1", NULL, false, NULL},
    {"1.1 keep-alive", "1.1", "keep-alive", false, NULL},
    {"1.1 close", "1.1", "close", false, "close"},
    {"1.1 Close among others", "1.1", "x, Close", false, "close"},
    {"1.1 last", "1.1", NULL, true, "close"},
    {"1.0", "1.0", NULL, false, "close"},
    {"1.0 keep-alive", "1.0", "Keep-Alive", false, "keep-alive"},
    {"1.0 close", "1.0", "close", false, "close"},
    {"1.0 both", "1.0", "close, keep-alive", false, "close"},
    {"1.0 last", "1.0", "keep-alive", true, "close"},
};

static void check_persistence(size_t i, answer_fn *answer)
{
    struct rig rig;
    char request[256];
    const char *connection = keeps[i].connection;
    snprintf(request, sizeof request, "GET / HTTP/%s\r\nHost: x\r\n%s%s%s\r\n", keeps[i].version,
             connection ? "Connection: " : "", connection ? connection : "",
             connection ? "\r\n" : "");
    open_rig(&rig);
    bool keep = run(&rig, request, answer, keeps[i].last);
    struct reply a = only_answer(&rig, false);
    struct span said = answer_field(&a, "Connection");
    cr_expect(span_eq(said, span_of(keeps[i].said)), "%s: %.*s", keeps[i].name, (int)said.n,
              said.p);
    bool closes = keeps[i].said && strcmp(keeps[i].said, "close") == 0;
    cr_expect_eq(keep, !closes, "%s: what is said is done", keeps[i].name);
    close_rig(&rig);
}

Test(answer, persistence)
{
    for (size_t i = 0; i < LENGTH(keeps); i++) {
        check_persistence(i, say_hello);
        check_persistence(i, say_not_found);
        check_persistence(i, say_no_content);
        check_persistence(i, send_file);
        check_persistence(i, send_short_file);
    }
}

/* ------------------------------------------------------------------------- one after another */

Test(answer, nothing_of_one_answer_is_in_the_next)
{
    struct rig rig;
    answer_fn *const order[] = {send_file, say_nothing,    say_json,    say_hello,  redirect,
                                say_hello, say_no_content, say_nothing, say_tagged, say_not_found};
    open_rig(&rig);
    for (size_t i = 0; i < LENGTH(order); i++)
        run(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", order[i], false);
    struct span all = {.p = rig.out.p, .n = rig.out.len};
    for (size_t i = 0; i < LENGTH(order); i++) {
        struct rig alone;
        open_rig(&alone);
        run(&alone, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", order[i], false);
        cr_assert_leq(alone.out.len, all.n);
        cr_expect_eq(memcmp(all.p, alone.out.p, alone.out.len), 0, "answer %zu", i);
        all.p += alone.out.len;
        all.n -= alone.out.len;
        close_rig(&alone);
    }
    cr_expect_eq(all.n, 0);
    close_rig(&rig);
}

Test(answer, a_failure_takes_back_its_own_bytes_alone)
{
    struct rig rig;
    open_rig(&rig);
    run(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", say_hello, false);
    run(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", send_short_file, false);
    struct span all = {.p = rig.out.p, .n = rig.out.len};
    cr_expect_eq(take_answer(&all, false).status, 200);
    cr_expect_eq(take_answer(&all, false).status, 500);
    cr_expect_eq(all.n, 0);
    close_rig(&rig);
}

Test(answer, the_date_is_that_of_the_last_tick)
{
    struct rig rig;
    open_rig(&rig);
    for (int i = 0; i < 3; i++) {
        exchange_tick(&rig.env, NOW + i / 2);
        run(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", say_hello, false);
    }
    struct span all = {.p = rig.out.p, .n = rig.out.len};
    for (int i = 0; i < 3; i++) {
        char date[HTTP_DATE_LENGTH + 1];
        struct reply answer = take_answer(&all, false);
        http_date_format(date, NOW + i / 2);
        cr_expect(span_eq(answer_field(&answer, "Date"), span_of(date)), "%d", i);
    }
    close_rig(&rig);
}

/* --------------------------------------------------------------------------------- refusals */

/* Whatever the request was, a HEAD of before too, and whatever had been answered. */
Test(answer, refusals)
{
    static const int statuses[] = {400, 408, 413, 414, 431, 501, 503, 505};
    for (size_t i = 0; i < LENGTH(statuses); i++) {
        struct rig rig;
        char lines[128];
        struct buf page = {0};
        open_rig(&rig);
        run(&rig, "HEAD / HTTP/1.0\r\n\r\n", send_file, false);
        buf_clear(&rig.out);
        answer_refuse(rig.exchange, &rig.out, statuses[i], HTTP_GET);
        struct reply answer = only_answer(&rig, false);
        http_page(&page, statuses[i]);
        snprintf(lines, sizeof lines, "Connection: close\n" HTML "\nContent-Length: %zu", page.len);
        cr_expect_eq(answer.status, statuses[i]);
        expect_lines(&answer, lines, "a refusal");
        expect_body(&answer, PAGE, "a refusal");
        buf_free(&page);
        close_rig(&rig);
    }
}

/* ------------------------------------------------------------------------ the pages of an app */

typedef void page_fn(struct drover_response *response);

static page_fn *page;

static void page_of(void *context, int status, struct drover_response *response)
{
    (void)context;
    cr_expect_eq(status, 404);
    page(response);
}

static void page_text(struct drover_response *response)
{
    drover_response_body(response, "sorry", 5);
}

static void page_json(struct drover_response *response)
{
    drover_response_type(response, "application/json");
    drover_response_body(response, "{}", 2);
}

static void page_none(struct drover_response *response)
{
    drover_response_type(response, "application/json");
}

static void page_file(struct drover_response *response)
{
    drover_response_file(response, open_alphabet(), 26);
}

static long pull_never(void *state, char *to, size_t room)
{
    (void)state;
    (void)to;
    (void)room;
    cr_assert_fail("a page is not streamed");
    return DROVER_FAILED;
}

static void page_stream(struct drover_response *response)
{
    drover_response_pull(response, -1, pull_never, NULL);
}

static void page_status(struct drover_response *response)
{
    drover_response_status(response, 204);
    drover_response_defer(response);
}

static const struct {
    const char *name;
    page_fn *page;
    const char *lines;
    const char *body; /* NULL: the short one */
} pages[] = {
    {"text", page_text, TEXT "\nContent-Length: 5", "sorry"},
    {"with a type", page_json, "Content-Type: application/json\nContent-Length: 2", "{}"},
    {"without a body", page_none, HTML "\nContent-Length: *", PAGE},
    {"a file", page_file, HTML "\nContent-Length: *", PAGE},
    {"a stream", page_stream, HTML "\nContent-Length: *", PAGE},
    {"another status", page_status, HTML "\nContent-Length: *", PAGE},
};

/* For an answer of the application, and for one of the server. */
Test(answer, pages)
{
    int before = count_fds();
    for (size_t i = 0; i < 2 * LENGTH(pages); i++) {
        struct rig rig;
        char lines[128], closing[160];
        const char *name = pages[i / 2].name;
        struct row row = {.status = 404, .lines = pages[i / 2].lines, .body = pages[i / 2].body};
        open_rig(&rig);
        rig.app.page = page_of;
        page = pages[i / 2].page;
        fill_length(lines, sizeof lines, &row);
        snprintf(closing, sizeof closing, "%s\nConnection: close", lines);
        if (i % 2)
            answer_refuse(rig.exchange, &rig.out, 404, HTTP_GET);
        else
            run(&rig, "GET /none HTTP/1.1\r\nHost: x\r\n\r\n", say_not_found, false);
        struct reply answer = only_answer(&rig, false);
        cr_expect_eq(answer.status, 404, "%s", name);
        expect_lines(&answer, i % 2 ? closing : lines, name);
        expect_body(&answer, row.body, name);
        close_rig(&rig);
    }
    cr_expect_eq(count_fds(), before);
}

static void page_request(struct drover_response *response)
{
    const struct drover_request *request = drover_response_request(response);
    struct drover_span name, value;
    cr_expect_eq(drover_request_path(request).n, 0);
    cr_expect_eq(drover_request_method(request).n, 0);
    cr_expect_eq(drover_request_query(request).n, 0);
    cr_expect_null(drover_request_field(request, "Host").p);
    cr_expect_eq(drover_request_field_at(request, 0, &name, &value), -1);
}

/* The bytes of the request before are gone when another one is refused. */
Test(answer, the_page_of_a_refusal_sees_no_other_request)
{
    struct rig rig;
    char *request = strdup("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n");
    open_rig(&rig);
    run(&rig, request, say_hello, false);
    free(request);
    rig.app.page = page_of;
    page = page_request;
    answer_refuse(rig.exchange, &rig.out, 404, HTTP_GET);
    close_rig(&rig);
}

static void page_without_memory(struct drover_response *response)
{
    drover_response_field(response, "X-Half", "x");
    response->fields.len -= 3;
    response->fields.failed = true;
}

/* Found out when it is too late for another answer. */
Test(answer, half_a_head_is_none)
{
    struct rig rig;
    struct payload *payload = NULL;
    open_rig(&rig);
    rig.app.page = page_of;
    page = page_without_memory;
    ask(&rig, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", say_not_found);
    answer_write(rig.exchange, &rig.out, &payload, false);
    cr_expect(rig.out.failed, "nothing of it is sent");
    close_rig(&rig);
}
