#include "worker/outlet.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "support.h"

/* ------------------------------------------------------- an outlet, its socket, and what comes */

struct rig {
    struct outlet outlet;
    int socket, client;
    uint64_t sent;
    struct buf got;
};

static void open_rig(struct rig *rig)
{
    int ends[2], little = 1;
    *rig = (struct rig){0};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    rig->socket = ends[0];
    rig->client = ends[1];
    setsockopt(rig->socket, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
}

static void close_rig(struct rig *rig)
{
    outlet_free(&rig->outlet);
    close(rig->socket);
    if (rig->client >= 0)
        close(rig->client);
    buf_free(&rig->got);
}

static void client_receive(struct rig *rig)
{
    for (ssize_t n = 1; n > 0;) {
        char *to = buf_room(&rig->got, 65536);
        n = recv(rig->client, to, 65536, 0);
        buf_grow(&rig->got, n > 0 ? (size_t)n : 0);
    }
}

/* Until the outlet says something else than that the socket is full. */
static enum outlet_result send_all(struct rig *rig)
{
    enum outlet_result result;
    while ((result = outlet_send(&rig->outlet, rig->socket, &rig->sent)) == OUTLET_BLOCKED)
        client_receive(rig);
    client_receive(rig);
    return result;
}

static void add_bytes(struct rig *rig, size_t from, size_t length)
{
    for (size_t i = from; i < from + length; i++)
        buf_add(&rig->outlet.bytes, &(char){byte_at(i)}, 1);
}

static void add_file(struct rig *rig, size_t size)
{
    rig->outlet.payload = payload_new(make_file(size), 1);
    cr_assert_not_null(rig->outlet.payload);
    payload_add(rig->outlet.payload, 0, size);
}

static void expect_pattern(const struct rig *rig, size_t at, size_t length)
{
    cr_assert_leq(at + length, rig->got.len);
    for (size_t i = 0; i < length; i++)
        cr_assert_eq(rig->got.p[at + i], byte_at(i), "byte %zu", i);
}

/* --------------------------------------------------------------------- an answer that is pulled */

static struct source_of_bytes {
    size_t total, at, piece;
    long last; /* what it says at its end */
} given;

static long pull(void *state, char *to, size_t room)
{
    struct source_of_bytes *s = state;
    size_t n = s->total - s->at < s->piece ? s->total - s->at : s->piece;
    n = n < room ? n : room;
    if (n == 0)
        return s->last;
    for (size_t i = 0; i < n; i++)
        to[i] = byte_at(s->at + i);
    s->at += n;
    return (long)n;
}

static const struct drover_app app = {.name = "test"};
static struct exchange_env env;

static struct exchange *add_pulled(struct rig *rig, size_t total, size_t piece, long last)
{
    exchange_env_open(&env, &app);
    struct exchange *exchange = exchange_new(&env);
    cr_assert_not_null(exchange);
    given = (struct source_of_bytes){.total = total, .piece = piece, .last = last};
    exchange->request.head.minor = 1;
    cr_assert_eq(drover_response_pull(&exchange->response, (int64_t)total, pull, &given), 0);
    rig->outlet.pulled = exchange;
    return exchange;
}

/* ------------------------------------------------------------------------------------ the tests */

Test(outlet, nothing)
{
    struct rig rig;
    open_rig(&rig);
    cr_expect_eq(send_all(&rig), OUTLET_EMPTY);
    cr_expect_eq(rig.sent, 0);
    close_rig(&rig);
}

Test(outlet, bytes_then_a_file)
{
    static const size_t sizes[][2] = {{1, 1}, {0, 300000}, {300000, 1}, {300000, 3000000}};
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(sizes); i++) {
        struct rig rig;
        open_rig(&rig);
        add_bytes(&rig, 0, sizes[i][0]);
        add_file(&rig, sizes[i][1]);
        cr_expect_eq(send_all(&rig), OUTLET_EMPTY);
        cr_expect_eq(rig.sent, sizes[i][0] + sizes[i][1]);
        cr_assert_eq(rig.got.len, rig.sent);
        expect_pattern(&rig, 0, sizes[i][0]);
        expect_pattern(&rig, sizes[i][0], sizes[i][1]);
        cr_expect_null(rig.outlet.payload);
        close_rig(&rig);
    }
    cr_expect_eq(count_fds(), before);
}

Test(outlet, bytes_then_what_is_pulled)
{
    static const size_t pieces[] = {1000, PULL_PIECE_MAX, PULL_PIECE_MAX + 1000};
    for (size_t i = 0; i < LENGTH(pieces); i++) {
        struct rig rig;
        open_rig(&rig);
        struct exchange *exchange = add_pulled(&rig, 500000, pieces[i], DROVER_END);
        add_bytes(&rig, 0, 10);
        cr_expect_eq(send_all(&rig), OUTLET_EMPTY);
        cr_expect_null(rig.outlet.pulled);
        cr_expect_eq(rig.sent, 500010);
        cr_assert_eq(rig.got.len, rig.sent);
        expect_pattern(&rig, 10, 500000);
        exchange_free(exchange);
        exchange_env_close(&env);
        close_rig(&rig);
    }
}

/* Nothing is pulled before what is there has left. */
Test(outlet, it_is_pulled_as_the_socket_takes)
{
    struct rig rig;
    open_rig(&rig);
    struct exchange *exchange = add_pulled(&rig, 3000000, 1000, DROVER_END);
    cr_expect_eq(outlet_send(&rig.outlet, rig.socket, &rig.sent), OUTLET_BLOCKED);
    cr_expect_leq(given.at, rig.sent + 1000);
    size_t at = given.at;
    for (int i = 0; i < 5; i++)
        cr_expect_eq(outlet_send(&rig.outlet, rig.socket, &rig.sent), OUTLET_BLOCKED);
    cr_expect_eq(given.at, at);
    cr_expect_leq(rig.outlet.bytes.len, 1000);
    exchange_free(exchange);
    exchange_env_close(&env);
    close_rig(&rig);
}

/* A socket that takes all: others have their turn nevertheless. */
Test(outlet, a_turn_has_an_end)
{
    struct rig rig;
    int much = 8 * 1024 * 1024;
    open_rig(&rig);
    if (setsockopt(rig.socket, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof much) < 0)
        cr_skip_test("a socket buffer of %d bytes: %m", much);
    struct exchange *exchange = add_pulled(&rig, 3000000, PULL_PIECE_MAX, DROVER_END);
    cr_expect_eq(outlet_send(&rig.outlet, rig.socket, &rig.sent), OUTLET_BLOCKED);
    cr_expect_eq(rig.sent, PULL_TURN_MAX);
    cr_expect_eq(send_all(&rig), OUTLET_EMPTY);
    cr_expect_eq(rig.sent, 3000000);
    exchange_free(exchange);
    exchange_env_close(&env);
    close_rig(&rig);
}

Test(outlet, what_the_application_says)
{
    static const struct {
        long last;
        enum outlet_result result;
    } ends[] = {{DROVER_LATER, OUTLET_STARVED},
                {DROVER_FAILED, OUTLET_FAILED},
                {DROVER_END, OUTLET_FAILED}, /* too early */
                {PULL_PIECE_MAX + 1, OUTLET_FAILED},
                {-77, OUTLET_FAILED}};
    for (size_t i = 0; i < LENGTH(ends); i++) {
        struct rig rig;
        open_rig(&rig);
        struct exchange *exchange = add_pulled(&rig, 1000, 100, ends[i].last);
        given.total = 300;
        cr_expect_eq(send_all(&rig), ends[i].result, "%ld", ends[i].last);
        cr_expect_eq(rig.got.len, 300, "%ld: what it had given has left", ends[i].last);
        if (ends[i].result == OUTLET_STARVED) {
            given.total = 1000;
            cr_expect_eq(send_all(&rig), OUTLET_EMPTY);
            cr_expect_eq(rig.got.len, 1000);
        }
        exchange_free(exchange);
        exchange_env_close(&env);
        close_rig(&rig);
    }
}

Test(outlet, a_client_that_is_gone)
{
    struct rig rig;
    open_rig(&rig);
    add_bytes(&rig, 0, 300000);
    cr_expect_eq(outlet_send(&rig.outlet, rig.socket, &rig.sent), OUTLET_BLOCKED);
    close(rig.client);
    rig.client = -1;
    cr_expect_eq(outlet_send(&rig.outlet, rig.socket, &rig.sent), OUTLET_FAILED);
    close_rig(&rig);
}

/* The sanitizer sees what it does not give back. */
Test(outlet, freed_with_all_it_has)
{
    struct rig rig;
    int before = count_fds();
    open_rig(&rig);
    add_bytes(&rig, 0, 1000);
    add_file(&rig, 1000);
    close_rig(&rig);
    cr_expect_eq(count_fds(), before);
}
