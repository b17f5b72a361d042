#include "worker/unsent.h"

#include "rig.h"

/* Connections beside the rig's own, each with a client. */
static struct rig rig;
static struct conn others[UNSENT_MAX];
static int clients[UNSENT_MAX];
static int count;
static struct drover_prepared *page; /* a short one, and one that no socket takes at once */
static struct drover_prepared *large;
static struct unsent *all;

static void setup(void)
{
    open_env(&rig);
    all = &rig.env.unsent;
    page = prepare(&rig, 100);
    large = prepare(&rig, 4 * 1024 * 1024);
}

static void teardown(void)
{
    for (int i = 0; i < count; i++) {
        conn_close(&others[i], &rig.env);
        close(clients[i]);
    }
    cr_expect_eq(all->count, 0, "those that have closed are not there");
    cr_expect_eq(page->holders, 1, "%u", page->holders);
    cr_expect_eq(large->holders, 1, "%u", large->holders);
    drover_prepared_free(page);
    drover_prepared_free(large);
    close_rig(&rig);
}

TestSuite(unsent, .init = setup, .fini = teardown);

static void connect_all(int number)
{
    for (count = 0; count < number; count++) {
        int ends[2];
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        conn_open(&others[count], &rig.env, ends[0], false);
        clients[count] = ends[1];
    }
}

static void add(int conn, struct drover_prepared *answer)
{
    cr_assert(unsent_has_room(all));
    unsent_add(all, &others[conn], prepared_hold(answer));
    cr_expect(others[conn].is_unsent);
}

static void send_all(void)
{
    unsent_send(all, &rig.env.exchanges);
}

/* Reads what has come; appends it to *got. */
static void hear(int client, struct buf *got)
{
    for (ssize_t n = 1; n > 0;) {
        char *to = buf_room(got, 65536);
        cr_assert_not_null(to);
        n = recv(clients[client], to, 65536, 0);
        buf_grow(got, n > 0 ? (size_t)n : 0);
    }
}

static size_t heard(int client)
{
    struct buf got = {0};
    hear(client, &got);
    size_t n = got.len;
    buf_free(&got);
    return n;
}

static struct span whole_of(struct drover_prepared *answer)
{
    return prepared_whole(answer, &rig.env.exchanges);
}

Test(unsent, nothing_leaves_before_it_is_sent)
{
    connect_all(3);
    for (int i = 0; i < 3; i++)
        add(i, page);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(heard(i), 0);
    send_all();
    cr_expect_eq(all->count, 0);
    for (int i = 0; i < 3; i++) {
        struct buf got = {0};
        hear(i, &got);
        cr_expect(span_eq(span_of_buf(&got), whole_of(page)));
        cr_expect_not(others[i].is_unsent);
        buf_free(&got);
    }
    cr_expect_eq(page->holders, 1);
    send_all();
    cr_expect_eq(heard(0), 0, "once");
}

Test(unsent, its_time_is_that_of_the_sending)
{
    char date[HTTP_DATE_LENGTH + 1];
    struct buf got = {0};
    connect_all(1);
    add(0, page);
    exchange_tick(&rig.env.exchanges, NOW + 7);
    http_date_format(date, NOW + 7);
    send_all();
    hear(0, &got);
    cr_expect_not_null(memmem(got.p, got.len, date, HTTP_DATE_LENGTH));
    buf_free(&got);
}

/* The rest is the connection's own; the others have all. */
Test(unsent, in_part)
{
    struct buf got = {0};
    connect_all(3);
    add(0, page);
    add(1, large);
    add(2, page);
    send_all();
    cr_assert_eq(all->count, 1);
    struct unsent_one one = all->list[0];
    cr_expect_eq(one.conn, &others[1]);
    cr_expect(others[1].is_unsent);
    cr_expect(one.sent > 0 && one.sent < whole_of(large).n, "%zu", one.sent);
    cr_expect_not(one.is_broken);
    cr_expect_eq(heard(0), whole_of(page).n);
    cr_expect_eq(heard(2), whole_of(page).n);
    send_all();
    cr_expect_eq(all->count, 1, "it is not tried again");
    cr_expect_eq(all->list[0].sent, one.sent);
    all->count = all->tried = 0; /* as conns_flush() does */
    enum conn_want want = conn_unsent(&one, &rig.env);
    cr_expect_eq(want, CONN_WANT_WRITE);
    cr_expect_not(others[1].is_unsent);
    prepared_drop(one.answer); /* before the rest has left */
    while (want == CONN_WANT_WRITE) {
        hear(1, &got);
        want = conn_step(&others[1], &rig.env);
    }
    hear(1, &got);
    cr_expect_eq(want, CONN_WANT_READ);
    cr_expect(span_eq(span_of_buf(&got), whole_of(large)), "%zu bytes", got.len);
    buf_free(&got);
}

/* What comes behind one that was tried has its turn. */
Test(unsent, more_come_behind_what_was_tried)
{
    connect_all(3);
    add(0, large);
    send_all();
    add(1, page);
    add(2, large);
    cr_expect_eq(heard(1), 0);
    send_all();
    cr_expect_eq(heard(1), whole_of(page).n);
    cr_assert_eq(all->count, 2);
    cr_expect_eq(all->tried, 2);
    cr_expect_eq(all->list[0].conn, &others[0]);
    cr_expect_eq(all->list[1].conn, &others[2]);
    cr_expect(all->list[1].sent > 0);
}

Test(unsent, a_socket_that_takes_nothing_is_not_broken)
{
    char bytes[4096] = {0};
    connect_all(1);
    while (send(others[0].fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0) {
    }
    add(0, page);
    send_all();
    cr_assert_eq(all->count, 1);
    cr_expect_eq(all->list[0].sent, 0);
    cr_expect_not(all->list[0].is_broken);
}

Test(unsent, broken)
{
    connect_all(2);
    add(0, page);
    add(1, page);
    shutdown(clients[0], SHUT_RDWR);
    send_all();
    cr_assert_eq(all->count, 1);
    struct unsent_one one = all->list[0];
    cr_expect_eq(one.conn, &others[0]);
    cr_expect(one.is_broken);
    cr_expect_eq(heard(1), whole_of(page).n);
    all->count = all->tried = 0;
    cr_expect_eq(conn_unsent(&one, &rig.env), CONN_WANT_CLOSE);
    prepared_drop(one.answer);
}

/* Of those that were tried, and of those that were not. */
Test(unsent, forgotten)
{
    connect_all(4);
    add(0, large);
    add(1, large);
    send_all();
    add(2, page);
    add(3, page);
    unsent_forget(all, &others[0]);
    cr_expect_eq(large->holders, 2);
    unsent_forget(all, &others[2]);
    cr_expect_eq(page->holders, 2);
    cr_expect_eq(all->tried, 1);
    cr_assert_eq(all->count, 2);
    cr_expect_eq(all->list[0].conn, &others[1]);
    cr_expect_eq(all->list[1].conn, &others[3]);
    unsent_forget(all, &rig.conn);
    cr_expect_eq(all->count, 2, "one that is not there");
    send_all();
    cr_expect_eq(heard(3), whole_of(page).n);
    cr_expect_eq(heard(2), 0);
}

Test(unsent, who_closes_is_forgotten)
{
    connect_all(2);
    add(0, page);
    add(1, page);
    conn_close(&others[1], &rig.env);
    cr_expect_eq(page->holders, 2);
    send_all();
    cr_expect_eq(heard(0), whole_of(page).n);
    close(clients[1]);
    count = 1;
}

Test(unsent, full)
{
    connect_all(UNSENT_MAX);
    for (int i = 0; i < UNSENT_MAX; i++)
        add(i, page);
    cr_expect_not(unsent_has_room(all));
    send_all();
    cr_expect(unsent_has_room(all));
    for (int i = 0; i < UNSENT_MAX; i++)
        cr_expect_eq(heard(i), whole_of(page).n);
}
