#include "worker/payload.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "support.h"

/* Both ends non-blocking; what is sent to ends[0] comes out at ends[1]. */
static void open_ends(int ends[2])
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_ends(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* Appends all that has come. */
static void receive(int end, struct buf *to)
{
    ssize_t n;
    do {
        char *room = buf_room(to, 65536);
        cr_assert_not_null(room);
        n = recv(end, room, 65536, 0);
        buf_grow(to, n > 0 ? (size_t)n : 0);
    } while (n > 0);
}

/* Sends it all to a client that reads. */
static uint64_t send_all(struct payload *payload, struct buf *got)
{
    enum payload_result result;
    uint64_t sent = 0;
    int ends[2];
    open_ends(ends);
    do {
        uint64_t before = sent;
        result = payload_send(payload, ends[0], &sent);
        cr_assert_neq(result, PAYLOAD_FAILED, "%m");
        cr_assert_leq(sent - before, SENDFILE_TURN_MAX + payload->text.len, "a turn is over");
        receive(ends[1], got);
    } while (result == PAYLOAD_BLOCKED);
    close_ends(ends);
    return sent;
}

/* Before, between and behind the pieces of a file stand texts, some of them empty. */
static const struct {
    const char *name;
    size_t size; /* of the file */
    struct {
        const char *text; /* NULL: no more parts */
        uint64_t offset, length;
    } parts[5];
} rows[] = {
    {"a whole file", 100, {{"", 0, 100}}},
    {"its middle", 100, {{"", 30, 40}}},
    {"its last byte", 100, {{"", 99, 1}}},
    {"a text alone", 0, {{"text", 0, 0}}},
    {"nothing at all", 10, {{"", 0, 0}}},
    {"no parts", 10, {{NULL, 0, 0}}},
    {"texts and pieces", 100, {{"<", 0, 10}, {"><", 50, 10}, {">", 0, 0}}},
    {"pieces out of order", 100, {{"a", 90, 10}, {"", 0, 1}, {"b", 90, 10}, {"c", 0, 0}}},
    {"texts around nothing", 100, {{"a", 5, 0}, {"b", 0, 0}, {"c", 7, 1}}},
    {"large pieces", 1000000, {{"-", 0, 1000000}, {"--", 1, 999999}, {"---", 0, 0}}},
    {"longer than a turn", 5000000, {{"", 0, 5000000}, {"end", 0, 0}}},
};

static struct payload *open_payload(size_t row, struct buf *expected)
{
    struct payload *payload = payload_new(make_file(rows[row].size), 5);
    cr_assert_not_null(payload);
    for (int i = 0; i < 5 && rows[row].parts[i].text; i++) {
        uint64_t offset = rows[row].parts[i].offset, length = rows[row].parts[i].length;
        buf_str(&payload->text, rows[row].parts[i].text);
        payload_add(payload, offset, length);
        buf_str(expected, rows[row].parts[i].text);
        for (uint64_t k = 0; k < length; k++) {
            char byte = byte_at(offset + k);
            buf_add(expected, &byte, 1);
        }
    }
    return payload;
}

Test(payload, parts)
{
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct buf expected = {0}, got = {0};
        struct payload *payload = open_payload(i, &expected);
        uint64_t sent = send_all(payload, &got);
        cr_expect_eq(sent, expected.len, "%s: sent %llu", rows[i].name, (unsigned long long)sent);
        cr_assert_eq(got.len, expected.len, "%s: came %zu", rows[i].name, got.len);
        if (got.len > 0)
            cr_expect_eq(memcmp(got.p, expected.p, got.len), 0, "%s", rows[i].name);
        payload_free(payload);
        buf_free(&expected);
        buf_free(&got);
    }
    cr_expect_eq(count_fds(), before, "files are closed");
}

Test(payload, a_client_that_does_not_read)
{
    struct buf expected = {0}, got = {0};
    struct payload *payload = open_payload(LENGTH(rows) - 2, &expected);
    uint64_t sent = 0, before;
    int ends[2];
    open_ends(ends);
    do {
        before = sent;
        cr_assert_eq(payload_send(payload, ends[0], &sent), PAYLOAD_BLOCKED);
    } while (sent > before);
    cr_expect_eq(payload_send(payload, ends[0], &sent), PAYLOAD_BLOCKED);
    cr_expect_eq(sent, before, "nothing is counted that was not sent");
    cr_expect_lt(sent, expected.len);
    enum payload_result result;
    do {
        receive(ends[1], &got);
        result = payload_send(payload, ends[0], &sent);
    } while (result == PAYLOAD_BLOCKED);
    receive(ends[1], &got);
    cr_expect_eq(result, PAYLOAD_DONE);
    cr_assert_eq(got.len, expected.len);
    cr_expect_eq(memcmp(got.p, expected.p, got.len), 0, "it went on where it had been");
    payload_free(payload);
    buf_free(&expected);
    buf_free(&got);
    close_ends(ends);
}

Test(payload, a_file_that_has_become_shorter)
{
    struct buf got = {0};
    struct payload *payload = payload_new(make_file(10), 1);
    uint64_t sent = 0;
    int ends[2];
    open_ends(ends);
    payload_add(payload, 0, 11);
    cr_expect_eq(payload_send(payload, ends[0], &sent), PAYLOAD_FAILED);
    cr_expect_eq(errno, ENODATA, "%m");
    receive(ends[1], &got);
    cr_expect_eq(got.len, 10);
    buf_free(&got);
    payload_free(payload);
    close_ends(ends);
}

/* SIGPIPE is blocked in all of drover: sendfile(2) cannot be told not to raise it. */
Test(payload, a_client_that_is_gone)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_only, NULL);
    for (int with_text = 0; with_text <= 1; with_text++) {
        struct payload *payload = payload_new(make_file(10), 1);
        uint64_t sent = 0;
        int ends[2];
        open_ends(ends);
        close(ends[1]);
        if (with_text)
            buf_lit(&payload->text, "text");
        payload_add(payload, 0, 10);
        cr_expect_eq(payload_send(payload, ends[0], &sent), PAYLOAD_FAILED);
        cr_expect_eq(errno, EPIPE, "%m");
        cr_expect_eq(sent, 0);
        payload_free(payload);
        close(ends[0]);
    }
}

Test(payload, nothing_is_freed)
{
    payload_free(NULL);
}
