#include "lab/trial/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "http/date.h"
#include "http/parse.h"
#include "http/respond.h"

/*
 * The stamp is the end of an answer. Its numbers have as many digits as their types' largest
 * values, so it never grows:
 *
 *     worker 0000000003 accepted 0000000012345678901 us
 */
#define STAMP_WORKER   "worker "
#define STAMP_ACCEPTED " accepted "
#define STAMP_END      " us\n"
#define WORKER_DIGITS  10 /* UINT32_MAX */
#define TIME_DIGITS    19 /* INT64_MAX */

/* Where its parts are in it. */
#define WORKER_AT   (sizeof STAMP_WORKER - 1)
#define ACCEPTED_AT (WORKER_AT + WORKER_DIGITS)
#define TIME_AT     (ACCEPTED_AT + sizeof STAMP_ACCEPTED - 1)
#define END_AT      (TIME_AT + TIME_DIGITS)
#define STAMP_SIZE  (END_AT + sizeof STAMP_END - 1)
#define STAMP_AT    (SESSION_ANSWER_SIZE - STAMP_SIZE)

/* What spaces before the stamp make up for. */
#define CLOSE_PADDING (sizeof "keep-alive" - sizeof "close")

#define COST_PATH "/cost/"

/* Of session_burn(): turns of its loop between two looks at the clock, which take 0.3 us or more,
 * and so few that no product of them overflows. */
#define BURN_TURNS_MIN 1024
#define BURN_TURNS_MAX (1 << 20)

static const char *date_now(void)
{
    /* A thread has its own, since some I/O models have many. */
    static _Thread_local struct {
        time_t date;
        char text[HTTP_DATE_LENGTH + 1];
    } last;
    time_t date = clock_date();
    if (date != last.date) {
        last.date = date;
        http_date_format(last.text, date);
    }
    return last.text;
}

static void add_head(struct buf *out, int status, bool close, size_t length)
{
    struct http_head head = {
        .status = status,
        .persistence = close ? HTTP_CLOSE : HTTP_KEEP_SAID,
        .date = date_now(),
        .type = SPAN("text/plain"),
        .has_length = true,
        .length = length,
    };
    http_respond_head(out, &head);
}

static void add_spaces(struct buf *out, size_t n)
{
    char *to = buf_room(out, n);
    if (!to)
        return;
    memset(to, ' ', n);
    buf_grow(out, n);
}

static void put_digits(char *to, size_t n, uint64_t value)
{
    for (; n > 0; n--, value /= 10)
        to[n - 1] = (char)('0' + value % 10);
}

static void add_stamp(struct buf *out, const struct session_stamp *stamp)
{
    char text[STAMP_SIZE];
    memcpy(text, STAMP_WORKER, WORKER_AT);
    put_digits(text + WORKER_AT, WORKER_DIGITS, stamp->worker);
    memcpy(text + ACCEPTED_AT, STAMP_ACCEPTED, TIME_AT - ACCEPTED_AT);
    put_digits(text + TIME_AT, TIME_DIGITS,
               stamp->accepted_us > 0 ? (uint64_t)stamp->accepted_us : 0);
    memcpy(text + END_AT, STAMP_END, STAMP_SIZE - END_AT);
    buf_add(out, text, sizeof text);
}

static void answer(struct buf *out, const struct session_stamp *stamp, bool close)
{
    size_t padding = close ? CLOSE_PADDING : 0;
    add_head(out, 200, close, padding + STAMP_SIZE);
    add_spaces(out, padding);
    add_stamp(out, stamp);
}

/* Its body fills what the head leaves, which is from 10 to 99 bytes with any status: how long the
 * head is does not change with the figure. */
static void refuse(struct buf *out, int status)
{
    size_t start = out->len;
    add_head(out, status, true, 10);
    if (out->failed)
        return;
    size_t body = SESSION_ANSWER_SIZE - (out->len - start);
    out->len = start;
    add_head(out, status, true, body);
    add_spaces(out, body - 1);
    buf_lit(out, "\n");
}

void session_greet(const struct session_stamp *stamp, struct buf *out)
{
    answer(out, stamp, true);
}

static uint64_t cost_of(struct span path)
{
    const size_t n = sizeof COST_PATH - 1;
    uint64_t cost_us;
    if (path.n < n || memcmp(path.p, COST_PATH, n) != 0 ||
        !span_to_u64((struct span){path.p + n, path.n - n}, &cost_us))
        return 0;
    return cost_us < SESSION_COST_MAX_US ? cost_us : SESSION_COST_MAX_US;
}

/* The status of a refusal; 0: it is served. An answer to HEAD would be shorter than the others. */
static int refusal_of(const struct http_request *request)
{
    if (request->method != HTTP_GET)
        return 501;
    if (request->chunked || request->content_length > 0)
        return 413;
    return request->expect_unknown ? 417 : 0;
}

static enum session_verdict serve(const struct http_request *request,
                                  const struct session_stamp *stamp, struct buf *out,
                                  uint64_t *cost_us)
{
    int status = refusal_of(request);
    if (status != 0) {
        refuse(out, status);
        return SESSION_CLOSE;
    }
    *cost_us += cost_of(request->path);
    answer(out, stamp, !request->keep_alive);
    return request->keep_alive ? SESSION_KEEP : SESSION_CLOSE;
}

/* Serves what is whole; *used: bytes of these requests. */
static enum session_verdict serve_all(const struct session_stamp *stamp, const char *bytes,
                                      size_t length, struct buf *out, uint64_t *cost_us,
                                      size_t *used)
{
    struct http_request request;
    enum session_verdict verdict = SESSION_KEEP;
    *used = 0;
    while (verdict == SESSION_KEEP && *used < length) {
        int head = http_parse_head(&request, bytes + *used, length - *used);
        if (head == 0)
            break;
        if (head < 0) {
            refuse(out, -head);
            return SESSION_CLOSE;
        }
        *used += (size_t)head;
        verdict = serve(&request, stamp, out, cost_us);
    }
    return out->failed ? SESSION_CLOSE : verdict;
}

enum session_verdict session_feed(struct session *session, const struct session_stamp *stamp,
                                  const char *bytes, size_t length, struct buf *out,
                                  uint64_t *cost_us)
{
    struct buf *rest = &session->rest;
    bool has_rest = rest->len > 0;
    if (has_rest) {
        buf_add(rest, bytes, length);
        bytes = rest->p;
        length = rest->len;
    }
    size_t used = 0;
    enum session_verdict verdict = rest->failed
                                       ? SESSION_CLOSE
                                       : serve_all(stamp, bytes, length, out, cost_us, &used);
    if (verdict == SESSION_CLOSE || used == length)
        buf_free(rest);
    else if (has_rest)
        buf_drop(rest, used);
    else
        buf_add(rest, bytes + used, length - used);
    return rest->failed ? SESSION_CLOSE : verdict;
}

void session_free(struct session *session)
{
    buf_free(&session->rest);
}

size_t session_request(char *to, size_t size, uint64_t cost_us, bool close)
{
    char path[sizeof COST_PATH + 20] = "/";
    if (cost_us > 0)
        snprintf(path, sizeof path, COST_PATH "%" PRIu64, cost_us);
    return (size_t)snprintf(to, size, "GET %s HTTP/1.1\r\nHost: lab\r\n%s\r\n", path,
                            close ? "Connection: close\r\n" : "");
}

/* span_to_u64() takes any number of digits, and here they are all there. */
bool session_read_stamp(const char answer_bytes[SESSION_ANSWER_SIZE], struct session_stamp *stamp)
{
    static const char status[] = "HTTP/1.1 200 ";
    const char *text = answer_bytes + STAMP_AT;
    uint64_t worker;
    uint64_t accepted;
    if (memcmp(answer_bytes, status, sizeof status - 1) != 0 ||
        memcmp(text, STAMP_WORKER, WORKER_AT) != 0 ||
        memcmp(text + ACCEPTED_AT, STAMP_ACCEPTED, TIME_AT - ACCEPTED_AT) != 0 ||
        memcmp(text + END_AT, STAMP_END, STAMP_SIZE - END_AT) != 0 ||
        !span_to_u64((struct span){text + WORKER_AT, WORKER_DIGITS}, &worker) ||
        !span_to_u64((struct span){text + TIME_AT, TIME_DIGITS}, &accepted) ||
        worker > UINT32_MAX || accepted > INT64_MAX)
        return false;
    *stamp = (struct session_stamp){.worker = (unsigned)worker, .accepted_us = (int64_t)accepted};
    return true;
}

/* -1: there is no such clock; nobody spins for ever then. */
static int64_t thread_cpu_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) < 0)
        return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Turns of the loop that take half of what is left, going by how long the last ones took: few looks
 * at the clock, and the last of them soon after the end. */
static int64_t next_turns(int64_t turns, int64_t took, int64_t left)
{
    turns = turns * (left / 2) / (took > 0 ? took : 1);
    return turns < BURN_TURNS_MIN   ? BURN_TURNS_MIN
           : turns > BURN_TURNS_MAX ? BURN_TURNS_MAX
                                    : turns;
}

void session_burn(uint64_t cost_us)
{
    int64_t turns = BURN_TURNS_MIN;
    int64_t now = cost_us > 0 ? thread_cpu_ns() : -1;
    int64_t end = now + (int64_t)(cost_us * 1000);
    while (now >= 0 && now < end) {
        for (volatile int64_t i = 0; i < turns; i = i + 1)
            ;
        int64_t then = now;
        now = thread_cpu_ns();
        turns = next_turns(turns, now - then, end - now);
    }
}
