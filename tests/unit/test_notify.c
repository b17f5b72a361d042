#include "os/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support.h"

/* ----------------------------------------------------------------------------- a manager */

/* The other side: PID 1's socket, at a path or an abstract name, and who tells it something. */
struct manager {
    int fd;
    char dir[64];
    char path[108 + 1];
    struct notify n;
};

static void bind_to(struct manager *m)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool is_path = m->path[0] == '/';
    size_t length = strlen(m->path);
    memcpy(un.sun_path, m->path, length);
    if (!is_path)
        un.sun_path[0] = '\0';
    length += offsetof(struct sockaddr_un, sun_path) + is_path;
    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(m->fd, 0, "%m");
    cr_assert_eq(bind(m->fd, (struct sockaddr *)&un, (socklen_t)length), 0, "%s: %m", m->path);
}

/* Binds the name, and tells it in the environment, as the manager does. */
static void open_manager_at(struct manager *m)
{
    bind_to(m);
    setenv("NOTIFY_SOCKET", m->path, 1);
    cr_assert_eq(notify_open(&m->n), 0, "%s: %m", m->path);
    cr_assert_geq(m->n.fd, 0);
}

static void open_manager(struct manager *m)
{
    make_directory(m->dir);
    snprintf(m->path, sizeof m->path, "%s/notify", m->dir);
    open_manager_at(m);
}

static void close_manager(struct manager *m)
{
    notify_close(&m->n);
    cr_expect_eq(m->n.fd, -1);
    close(m->fd);
    remove_tree(m->dir);
}

/* Takes one message: its text, and its descriptors. Returns how many came, -1 for no message. */
static int take(const struct manager *m, char text[NOTIFY_TEXT_MAX + 1], int *fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * NOTIFY_FDS_MAX)];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = NOTIFY_TEXT_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(m->fd, &message, MSG_CMSG_CLOEXEC);
    text[n < 0 ? 0 : n] = '\0';
    if (n < 0)
        return -1;
    cr_assert_eq(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC), 0);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header)
        return 0;
    cr_assert_not_null(fds, "descriptors came with \"%s\"", text);
    size_t length = header->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(header), length);
    return (int)(length / sizeof(int));
}

static void expect_text(const struct manager *m, const char *expected)
{
    char text[NOTIFY_TEXT_MAX + 1];
    cr_expect_eq(take(m, text, NULL), 0, "no message: %m");
    cr_expect_str_eq(text, expected);
}

static void expect_nothing(const struct manager *m)
{
    char text[NOTIFY_TEXT_MAX + 1];
    cr_expect_eq(take(m, text, NULL), -1, "\"%s\" came", text);
}

/* Until there is no room: as a manager that does not read. */
static int fill_queue(const struct manager *m)
{
    int sent = 0;
    while (notify_send(&m->n, "WATCHDOG=1") == 0)
        cr_assert_lt(++sent, 100000, "the queue never fills");
    cr_expect_eq(errno, EAGAIN, "%m");
    return sent;
}

/* -------------------------------------------------------------------------------- the socket */

Test(notify, messages_arrive_whole_and_in_order_at_a_path)
{
    struct manager m;
    int before = count_fds();
    open_manager(&m);
    cr_expect(fcntl(m.n.fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_str_eq(getenv("NOTIFY_SOCKET"), m.path, "the next master needs it");
    cr_expect_eq(notify_send(&m.n, "READY=1\nSTATUS=2 workers"), 0, "%m");
    cr_expect_eq(notify_send(&m.n, "WATCHDOG=1"), 0, "%m");
    expect_text(&m, "READY=1\nSTATUS=2 workers");
    expect_text(&m, "WATCHDOG=1");
    expect_nothing(&m);
    close_manager(&m);
    cr_expect_eq(count_fds(), before);
}

Test(notify, messages_arrive_at_an_abstract_address)
{
    struct manager m = {.fd = -1};
    snprintf(m.path, sizeof m.path, "@drover/test/%d", (int)getpid());
    open_manager_at(&m);
    cr_expect_eq(notify_send(&m.n, "STOPPING=1"), 0, "%m");
    expect_text(&m, "STOPPING=1");
    notify_close(&m.n);
    close(m.fd);
}

/* unix(7): a path has a NUL in sun_path, an abstract name needs none. */
Test(notify, the_longest_addresses)
{
    static const struct {
        char first;
        size_t length;
    } rows[] = {{'/', 107}, {'@', 108}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct manager m = {.fd = -1};
        make_directory(m.dir);
        int n = snprintf(m.path, sizeof m.path, "%c%s/%d", rows[i].first, m.dir + 1, (int)getpid());
        memset(m.path + n, 'x', rows[i].length - (size_t)n);
        open_manager_at(&m);
        cr_expect_eq(notify_send(&m.n, "READY=1"), 0, "%s: %m", m.path);
        expect_text(&m, "READY=1");
        close_manager(&m);
    }
}

Test(notify, addresses_that_cannot_be)
{
    static const struct {
        const char *text;
        size_t length; /* filled up with x */
        int cause;
    } rows[] = {
        {"vsock:2:1234", 12, EAFNOSUPPORT}, {"run/notify", 10, EAFNOSUPPORT},
        {" /run/notify", 12, EAFNOSUPPORT}, {"vsock:", 300, EAFNOSUPPORT},
        {"/run/", 108, ENAMETOOLONG},       {"/run/", 5000, ENAMETOOLONG},
        {"@run/", 109, ENAMETOOLONG},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[5001];
        struct notify n = {.fd = 7};
        memset(text, 'x', sizeof text);
        memcpy(text, rows[i].text, strlen(rows[i].text));
        text[rows[i].length] = '\0';
        setenv("NOTIFY_SOCKET", text, 1);
        errno = 0;
        cr_expect_eq(notify_open(&n), -1, "%s", text);
        cr_expect_eq(errno, rows[i].cause, "%s: %m", text);
        cr_expect_eq(n.fd, -1, "%s", text);
    }
}

Test(notify, no_manager)
{
    static const char *const values[] = {NULL, ""};
    for (size_t i = 0; i < LENGTH(values); i++) {
        struct notify n = {.fd = 7};
        int one = STDIN_FILENO;
        char byte;
        unsetenv("NOTIFY_SOCKET");
        if (values[i])
            setenv("NOTIFY_SOCKET", values[i], 1);
        int before = count_fds();
        cr_expect_eq(notify_open(&n), 0, "%m");
        cr_expect_eq(n.fd, -1);
        cr_expect_eq(notify_send(&n, "READY=1"), 0, "%m");
        cr_expect_eq(notify_send_fds(&n, "FDSTORE=1", &one, 1), 0, "%m");
        int end = notify_barrier(&n);
        cr_assert_geq(end, 0, "%m");
        cr_expect_eq(read(end, &byte, 1), 0, "nobody is waited for");
        close(end);
        notify_close(&n);
        cr_expect_eq(count_fds(), before);
    }
}

/* ------------------------------------------------------------------------------- the messages */

/* A send that waits would wait for ever. */
Test(notify, a_manager_that_does_not_read_is_not_waited_for, .timeout = 10)
{
    struct manager m;
    char text[NOTIFY_TEXT_MAX + 1];
    int one = STDIN_FILENO;
    open_manager(&m);
    int sent = fill_queue(&m), before = count_fds();
    errno = 0;
    cr_expect_eq(notify_send_fds(&m.n, "FDSTORE=1", &one, 1), -1);
    cr_expect_eq(errno, EAGAIN, "%m");
    errno = 0;
    cr_expect_eq(notify_barrier(&m.n), -1);
    cr_expect_eq(errno, EAGAIN, "%m");
    cr_expect_eq(count_fds(), before);
    for (int i = 0; i < sent; i++)
        expect_text(&m, "WATCHDOG=1");
    cr_expect_eq(notify_send(&m.n, "READY=1"), 0, "there is room again: %m");
    cr_expect_eq(take(&m, text, NULL), 0);
    cr_expect_str_eq(text, "READY=1");
    close_manager(&m);
}

Test(notify, a_manager_that_is_away_and_comes_back)
{
    struct manager m;
    open_manager(&m);
    close(m.fd);
    errno = 0;
    cr_expect_eq(notify_send(&m.n, "READY=1"), -1);
    cr_expect_eq(errno, ECONNREFUSED, "%m");
    unlink(m.path);
    errno = 0;
    cr_expect_eq(notify_send(&m.n, "READY=1"), -1);
    cr_expect_eq(errno, ENOENT, "%m");
    bind_to(&m);
    cr_expect_eq(notify_send(&m.n, "READY=1"), 0, "%m");
    expect_text(&m, "READY=1");
    close_manager(&m);
}

Test(notify, the_longest_message_and_one_that_is_longer)
{
    struct manager m;
    char text[NOTIFY_TEXT_MAX + 2];
    open_manager(&m);
    memset(text, 'x', sizeof text);
    text[NOTIFY_TEXT_MAX + 1] = '\0';
    errno = 0;
    cr_expect_eq(notify_send(&m.n, text), -1);
    cr_expect_eq(errno, EMSGSIZE, "%m");
    expect_nothing(&m);
    text[NOTIFY_TEXT_MAX] = '\0';
    cr_expect_eq(notify_send(&m.n, text), 0, "%m");
    expect_text(&m, text);
    close_manager(&m);
}

Test(notify, descriptors_arrive)
{
    static const size_t counts[] = {1, 2, NOTIFY_FDS_MAX};
    struct manager m;
    open_manager(&m);
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(counts); i++) {
        int sent[NOTIFY_FDS_MAX], came[NOTIFY_FDS_MAX];
        char text[NOTIFY_TEXT_MAX + 1];
        struct stat st;
        for (size_t j = 0; j < counts[i]; j++)
            sent[j] = make_file(j + 1); /* its size tells which one it is */
        cr_expect_eq(notify_send_fds(&m.n, "FDSTORE=1\nFDNAME=slot0", sent, counts[i]), 0, "%m");
        cr_assert_eq(take(&m, text, came), (int)counts[i]);
        cr_expect_str_eq(text, "FDSTORE=1\nFDNAME=slot0");
        for (size_t j = 0; j < counts[i]; j++) {
            cr_assert_eq(fstat(came[j], &st), 0, "%m");
            cr_expect_eq(st.st_size, (off_t)j + 1, "descriptor %zu is another", j);
            cr_expect_eq(close(came[j]), 0);
            cr_expect_eq(close(sent[j]), 0, "it stays open here: %m");
        }
    }
    cr_expect_eq(count_fds(), before);
    close_manager(&m);
}

Test(notify, descriptors_that_cannot_be_sent)
{
    struct manager m;
    int fds[NOTIFY_FDS_MAX * 9];
    static const size_t too_many[] = {NOTIFY_FDS_MAX + 1, LENGTH(fds)};
    open_manager(&m);
    for (size_t i = 0; i < LENGTH(fds); i++)
        fds[i] = STDIN_FILENO;
    for (size_t i = 0; i < LENGTH(too_many); i++) {
        errno = 0;
        cr_expect_eq(notify_send_fds(&m.n, "FDSTORE=1", fds, too_many[i]), -1);
        cr_expect_eq(errno, EINVAL, "%m");
    }
    fds[1] = -1;
    errno = 0;
    cr_expect_eq(notify_send_fds(&m.n, "FDSTORE=1", fds, 2), -1);
    cr_expect_eq(errno, EBADF, "%m");
    expect_nothing(&m);
    close_manager(&m);
}

static void expect_pending(int end)
{
    char byte;
    errno = 0;
    cr_expect_eq(read(end, &byte, 1), -1);
    cr_expect_eq(errno, EAGAIN, "%m");
}

Test(notify, a_barrier_ends_when_the_manager_has_come_to_it)
{
    struct manager m;
    char text[NOTIFY_TEXT_MAX + 1], byte;
    int came[NOTIFY_FDS_MAX];
    open_manager(&m);
    int before = count_fds();
    cr_expect_eq(notify_send(&m.n, "MAINPID=1"), 0, "%m");
    int end = notify_barrier(&m.n);
    cr_assert_geq(end, 0, "%m");
    cr_expect_eq(count_fds(), before + 1, "the write end stays open here");
    cr_expect(fcntl(end, F_GETFD) & FD_CLOEXEC);
    expect_pending(end);
    expect_text(&m, "MAINPID=1");
    expect_pending(end);
    cr_assert_eq(take(&m, text, came), 1);
    cr_expect_str_eq(text, "BARRIER=1");
    expect_pending(end);
    close(came[0]);
    cr_expect_eq(read(end, &byte, 1), 0, "%m");
    close(end);
    cr_expect_eq(count_fds(), before);
    close_manager(&m);
}

/* A manager that dies with the message unread. */
Test(notify, a_barrier_ends_with_the_manager)
{
    struct manager m;
    char byte;
    open_manager(&m);
    int end = notify_barrier(&m.n);
    cr_assert_geq(end, 0, "%m");
    expect_pending(end);
    close_manager(&m);
    cr_expect_eq(read(end, &byte, 1), 0, "%m");
    close(end);
}

Test(notify, status)
{
    static const struct {
        size_t size;
        const char *words, *expected;
    } rows[] = {
        {64, "", "STATUS="},
        {64, "2 workers, 7 connections", "STATUS=2 workers, 7 connections"},
        {64, "a\nREADY=1", "STATUS=a READY=1"},
        {64, "a\r\nMAINPID=1\n", "STATUS=a  MAINPID=1 "},
        {64, "\x1b[31mred\x7f\t.", "STATUS= [31mred? ."},
        {64, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x91",
         "STATUS=gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x91"},
        {64, "latin gr\xfc\xdf", "STATUS=latin gr??"},
        {64, "\xc0\xaf \xed\xa0\x80 \xc2\x9b", "STATUS=?? ??? ??"},
        {64, "\xe2\x82", "STATUS=??"},
        {8, "x", "STATUS="},
        {9, "xyz", "STATUS=x"},
        {10, "\xe2\x82\xac", "STATUS="},
        {11, "\xe2\x82\xac", "STATUS=\xe2\x82\xac"},
        {11, "a\xe2\x82\xac", "STATUS=a"},
        {12, "a\xe2\x82\xac\xe2\x82\xac", "STATUS=a\xe2\x82\xac"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char out[65];
        memset(out, '#', sizeof out);
        size_t n = notify_status(out, rows[i].size, rows[i].words);
        cr_expect_str_eq(out, rows[i].expected);
        cr_expect_eq(n, strlen(rows[i].expected), "%s: %zu", rows[i].words, n);
        cr_expect_eq(out[rows[i].size], '#', "%s: behind its end", rows[i].words);
    }
}

/* ---------------------------------------------------------------------------- the environment */

static void set_or_not(const char *name, const char *value)
{
    unsetenv(name);
    if (value)
        setenv(name, value, 1);
}

Test(notify, watchdog)
{
    char self[24], other[24];
    const struct {
        const char *usec, *pid;
        int64_t ms;
    } rows[] = {
        {NULL, NULL, 0},
        {NULL, self, 0},
        {"30000000", NULL, 30000},
        {"30000000", self, 30000},
        {"30000000", other, 0},
        {"30000000", "", 0},
        {"30000000", "-1", 0},
        {"30000000", "self", 0},
        {"1999", self, 1},
        {"1", self, 1},
        {"0", self, 0},
        {"", self, 0},
        {"3s", self, 0},
        {"-3000000", self, 0},
        {" 3000000", self, 0},
        {"9223372036854775807000", self, 0},
        {"18446744073709551616", self, 0},
        {"18446744073709551615", self, 0},
        {"18446744073709551614", self, INT64_C(18446744073709551)},
    };
    snprintf(self, sizeof self, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getppid());
    for (size_t i = 0; i < LENGTH(rows); i++) {
        set_or_not("WATCHDOG_USEC", rows[i].usec);
        set_or_not("WATCHDOG_PID", rows[i].pid);
        int64_t ms = notify_watchdog();
        cr_expect_eq(ms, rows[i].ms, "row %zu: %lld", i, (long long)ms);
    }
}

Test(notify, descriptor_store)
{
    static const struct {
        const char *value;
        bool has_manager, keeps;
        uint64_t room;
    } rows[] = {
        {NULL, false, false, 0}, {"16", false, false, 0}, {NULL, true, true, 0},
        {"16", true, true, 16},  {"1", true, true, 1},    {"0", true, false, 0},
        {"", true, true, 0},     {"many", true, true, 0},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct notify n = {.fd = rows[i].has_manager ? STDIN_FILENO : -1};
        uint64_t room = 99;
        set_or_not("FDSTORE", rows[i].value);
        cr_expect_eq(notify_keeps_descriptors(&n, &room), rows[i].keeps, "row %zu", i);
        cr_expect_eq(room, rows[i].room, "row %zu", i);
    }
}

Test(notify, what_a_worker_forgets)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                        "FDSTORE"};
    for (size_t i = 0; i < LENGTH(names); i++)
        setenv(names[i], "1", 1);
    setenv("JOURNAL_STREAM", "8:1", 1);
    notify_forget();
    for (size_t i = 0; i < LENGTH(names); i++)
        cr_expect_null(getenv(names[i]), "%s", names[i]);
    cr_expect_not_null(getenv("JOURNAL_STREAM"), "it writes there, too");
    notify_forget();
}
