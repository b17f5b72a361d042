/* How a connection's last answer leaves: over TCP, where a packet is what both ends pay for. */
#include <linux/tcp.h>
#include <netinet/in.h>

#include "rig.h"

#define LAST "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/* The rig's connection and its client, anew: over loopback. */
static void open_over_tcp(struct rig *rig)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    open_env(rig);
    rig->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(listen(listener, 1), 0, "%m");
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &length), 0, "%m");
    cr_assert_eq(connect(rig->client, (struct sockaddr *)&at, length), 0, "%m");
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    cr_assert_geq(fd, 0, "%m");
    close(listener);
    conn_open(&rig->conn, &rig->env, fd, false);
    rig->is_open = true;
}

static void wait_for_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 10000), 1);
}

/* The client asks, and the connection answers; what it wants then is not done yet. */
static void ask(struct rig *rig, const char *text)
{
    cr_assert_eq(client_send(rig, text, strlen(text)), strlen(text));
    wait_for_bytes(rig->conn.fd);
    rig->want = conn_step(&rig->conn, &rig->env);
}

/* All that the client gets, up to the end. */
static void expect_whole_answer(struct rig *rig)
{
    char *to = buf_room(&rig->got, 4096);
    ssize_t n = 1;
    while (n > 0) {
        n = recv(rig->client, to + rig->got.len, 4096 - rig->got.len, 0);
        buf_grow(&rig->got, n > 0 ? (size_t)n : 0);
    }
    struct span all = span_of_buf(&rig->got);
    struct reply answer = take_answer(&all, false);
    cr_expect_eq(answer.status, 200);
    cr_expect(span_eq(answer.body, SPAN("GET/a")));
    cr_expect_eq(all.n, 0);
}

static struct tcp_info tcp_info_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    cr_assert_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0, "%m");
    return info;
}

Test(sending, the_end_comes_in_the_segment_of_the_last_answer)
{
    struct rig rig;
    open_over_tcp(&rig);
    uint32_t before = tcp_info_of(rig.client).tcpi_segs_in;
    ask(&rig, LAST);
    obey(&rig, rig.want);
    expect_whole_answer(&rig);
    struct tcp_info info = tcp_info_of(rig.client);
    cr_expect_eq(info.tcpi_data_segs_in, 1);
    cr_expect_leq(info.tcpi_segs_in - before, 2,
                  "%u: one to acknowledge the request, and the answer", info.tcpi_segs_in - before);
    close_rig(&rig);
}

Test(sending, the_last_answer_arrives_though_the_client_sends_more_before_the_close)
{
    struct rig rig;
    open_over_tcp(&rig);
    ask(&rig, LAST);
    cr_assert_eq(rig.want, CONN_WANT_CLOSE);
    cr_assert_eq(client_send(&rig, "\r\n", 2), 2);
    wait_for_bytes(rig.conn.fd); /* unread, so that close() resets */
    obey(&rig, rig.want);
    expect_whole_answer(&rig);
    close_rig(&rig);
}

Test(sending, an_answer_that_is_not_the_last_does_not_wait)
{
    struct rig rig;
    open_over_tcp(&rig);
    ask(&rig, GET("/a"));
    cr_assert_eq(rig.want, CONN_WANT_READ);
    cr_expect_eq(tcp_info_of(rig.conn.fd).tcpi_notsent_bytes, 0);
    shutdown(rig.client, SHUT_WR);
    wait_for_bytes(rig.conn.fd);
    step(&rig);
    expect_whole_answer(&rig);
    close_rig(&rig);
}
