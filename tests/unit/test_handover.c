#include "worker/handover.h"

#include <sys/resource.h>

#include "os/pass.h"
#include "rig.h"
#include "worker/client.h"

static int inbox[2]; /* out, in */

static void open_inbox(void)
{
    cr_assert_eq(pass_pair(inbox), 0);
}

static void close_inbox(void)
{
    close(inbox[0]);
    close(inbox[1]);
}

/* The rig's connection goes through the inbox into another worker, which stands there then. */
static void move(struct rig *rig)
{
    struct handover what;
    cr_assert(handover_is_possible(&rig->conn));
    cr_assert_eq(handover_send(inbox[1], &rig->conn), 0);
    conn_close(&rig->conn, &rig->env);
    cr_expect_eq(rig->row->connections, 0);
    int fd = handover_receive(inbox[0], &what);
    cr_assert_geq(fd, 0, "%m");
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    rig->env.now += 3999;
    cr_assert_eq(handover_open(&rig->conn, &rig->env, fd, &what), 0);
    rig->want = CONN_WANT_READ;
}

Test(handover, the_next_request_is_answered_by_the_other)
{
    struct rig rig;
    open_inbox();
    open_rig(&rig);
    say(&rig, GET("/a"));
    move(&rig);
    cr_expect_eq(rig.row->connections, 1, "it is open");
    cr_expect_eq(rig.row->accepted, 1, "and was accepted once");
    cr_expect_eq(rig.conn.served, 1);
    say(&rig, GET("/b"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    expect_answer(&all, 200, "GET/b");
    close_rig(&rig);
    close_inbox();
}

Test(handover, what_is_unread_goes_along)
{
    struct rig rig;
    open_inbox();
    open_rig(&rig);
    say(&rig, GET("/a"));
    client_send(&rig, GET("/b") "GET /c", strlen(GET("/b") "GET /c"));
    move(&rig);
    pump(&rig);
    say(&rig, " HTTP/1.1\r\nHost: x\r\n\r\n");
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    expect_answer(&all, 200, "GET/b");
    expect_answer(&all, 200, "GET/c");
    close_rig(&rig);
    close_inbox();
}

/* The limit of answers counts those of the worker before. */
Test(handover, the_answers_go_on_being_counted)
{
    struct rig rig;
    open_inbox();
    open_rig(&rig);
    rig.env.served_max = 2;
    say(&rig, GET("/a"));
    move(&rig);
    say(&rig, GET("/b"));
    cr_expect(rig.is_ended, "the second was the last");
    close_rig(&rig);
    close_inbox();
}

Test(handover, the_idle_time_begins_anew)
{
    struct rig rig;
    enum deadline_kind kind;
    open_inbox();
    open_rig(&rig);
    say(&rig, GET("/a"));
    move(&rig);
    cr_expect_eq(deadlines_next(&rig.env.deadlines), rig.env.now + timeouts[DEADLINE_IDLE]);
    cr_assert_not_null(deadlines_due(&rig.env.deadlines, rig.env.now + 4000, &kind));
    cr_expect_eq(kind, DEADLINE_IDLE);
    close_rig(&rig);
    close_inbox();
}

Test(handover, one_that_was_never_served_has_the_time_of_a_head)
{
    struct rig rig;
    open_inbox();
    open_rig(&rig);
    move(&rig);
    cr_expect_eq(deadlines_next(&rig.env.deadlines), rig.env.now + timeouts[DEADLINE_HEADER]);
    close_rig(&rig);
    close_inbox();
}

Test(handover, who_the_proxy_said_it_is)
{
    struct rig rig;
    struct http_address address;
    open_inbox();
    open_env(&rig);
    open_conn(&rig);
    rig.conn.state = CONN_GREETING;
    say(&rig, "PROXY TCP6 2001:db8::7 2001:db8::8 4711 80\r\n");
    move(&rig);
    cr_assert_eq(client_address(&rig.conn, &address), 0);
    char text[IP_TEXT_SIZE];
    ip_print(&address, text);
    cr_expect_str_eq(text, "2001:db8::7");
    cr_expect_eq(address.port, 4711);
    say(&rig, GET("/a"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    close_rig(&rig);
    close_inbox();
}

Test(handover, a_proxy_header_that_is_still_to_come)
{
    struct rig rig;
    open_inbox();
    open_rig(&rig);
    rig.conn.state = CONN_GREETING;
    move(&rig);
    say(&rig, "PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n" GET("/a"));
    struct span all = got(&rig);
    expect_answer(&all, 200, "GET/a");
    close_rig(&rig);
    close_inbox();
}

/* ------------------------------------------------------------------------- who can be moved */

static const struct {
    const char *name;
    const char *bytes;
    bool is_possible;
} states[] = {
    {"nothing has come", "", true},
    {"a part of a head", "GET / HT", false},
    {"one byte", "G", false},
    {"idle", GET("/a"), true},
    {"a part of the next head", GET("/a") "GET", false},
    {"a part of a body", POST_PART, false},
    {"an answer that waits to be read", GET("/file/100000000"), false},
    {"a refusal", "GET / HTTP/3.7\r\n\r\nmore", false},
};

Test(handover, only_one_that_rests)
{
    for (size_t i = 0; i < LENGTH(states); i++) {
        struct rig rig;
        open_rig(&rig);
        client_send(&rig, states[i].bytes, strlen(states[i].bytes));
        while (rig.is_open && is_due(&rig))
            step(&rig);
        cr_expect_eq(rig.is_open && handover_is_possible(&rig.conn), states[i].is_possible, "%s",
                     states[i].name);
        close_rig(&rig);
    }
}

Test(handover, none_whose_proxy_header_is_half_there)
{
    struct rig rig;
    open_rig(&rig);
    rig.conn.state = CONN_GREETING;
    say(&rig, "PROXY TC");
    cr_expect_not(handover_is_possible(&rig.conn));
    close_rig(&rig);
}

Test(handover, none_that_is_closed)
{
    struct conn none = {0};
    cr_expect_not(handover_is_possible(&none));
}

/* --------------------------------------------------------------------------- what goes wrong */

static void expect_failure(int error)
{
    struct handover what;
    errno = 0;
    cr_expect_eq(handover_receive(inbox[0], &what), -1);
    cr_expect_eq(errno, error, "%m");
}

static void send_bytes(const void *bytes, size_t length, bool with_fd)
{
    int fd = make_file(0);
    cr_assert_eq(pass_send(inbox[1], bytes, length, &fd, with_fd), 0);
    close(fd);
}

/* The bytes of a message as they are sent. */
static void make_message(uint32_t message[9])
{
    struct rig rig;
    size_t count = 1;
    int fd;
    open_rig(&rig);
    cr_assert_eq(handover_send(inbox[1], &rig.conn), 0);
    cr_assert_eq(pass_receive(inbox[0], message, 36, &fd, &count), 36);
    close(fd);
    close_rig(&rig);
}

Test(handover, another_version_is_closed)
{
    uint32_t message[9], later[10] = {0}, huge[64] = {0};
    open_inbox();
    int before = count_fds();
    make_message(message);
    memcpy(later, message, sizeof message);
    memcpy(huge, message, sizeof message);
    send_bytes(later, sizeof later, true);
    expect_failure(EPROTO);
    send_bytes(huge, sizeof huge, true);
    expect_failure(EPROTO);
    send_bytes(message, sizeof message - 4, true);
    expect_failure(EPROTO);
    send_bytes(message, sizeof message, false);
    expect_failure(EPROTO);
    message[1]++;
    send_bytes(message, sizeof message, true);
    expect_failure(EPROTO);
    message[1]--;
    message[0]++;
    send_bytes(message, sizeof message, true);
    expect_failure(EPROTO);
    cr_expect_eq(count_fds(), before, "what came was closed");
    expect_failure(EAGAIN);
    close_inbox();
}

Test(handover, without_a_descriptor_it_waits)
{
    struct rig rig;
    struct rlimit limit, none;
    struct handover what;
    open_inbox();
    open_rig(&rig);
    cr_assert_eq(handover_send(inbox[1], &rig.conn), 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)next_fd(), .rlim_max = limit.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    expect_failure(EMFILE);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int fd = handover_receive(inbox[0], &what);
    cr_expect_geq(fd, 0, "%m");
    close(fd);
    close_rig(&rig);
    close_inbox();
}

Test(handover, when_nobody_can_hand_over_any_more)
{
    open_inbox();
    close(inbox[1]);
    expect_failure(EPIPE);
    close(inbox[0]);
}
