#include "os/pass.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support.h"

static void open_pair(int ends[2])
{
    cr_assert_eq(pass_pair(ends), 0, "%m");
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

static void make_files(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fds[i] = make_file(i + 1); /* so that its size tells which one it is */
}

static void close_files(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

Test(pass, both_ends_do_not_block_and_are_closed_on_exec)
{
    int ends[2];
    open_pair(ends);
    for (int i = 0; i < 2; i++) {
        int type = 0;
        socklen_t size = sizeof type;
        cr_expect(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
        cr_expect(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
        cr_assert_eq(getsockopt(ends[i], SOL_SOCKET, SO_TYPE, &type, &size), 0);
        cr_expect_eq(type, SOCK_SEQPACKET);
    }
    close_pair(ends);
}

Test(pass, messages_stay_apart_and_in_order_both_ways)
{
    int ends[2];
    char bytes[16];
    open_pair(ends);
    for (int from = 0; from < 2; from++) {
        cr_expect_eq(pass_send(ends[from], "one", 3, NULL, 0), 0);
        cr_expect_eq(pass_send(ends[from], "a\0b", 3, NULL, 0), 0);
        cr_expect_eq(pass_receive(ends[!from], bytes, sizeof bytes, NULL, NULL), 3);
        cr_expect_arr_eq(bytes, "one", 3);
        cr_expect_eq(pass_receive(ends[!from], bytes, sizeof bytes, NULL, NULL), 3);
        cr_expect_arr_eq(bytes, "a\0b", 3);
        errno = 0;
        cr_expect_eq(pass_receive(ends[!from], bytes, sizeof bytes, NULL, NULL), -1);
        cr_expect_eq(errno, EAGAIN, "%m");
    }
    close_pair(ends);
}

/* --------------------------------------------------------------------------- descriptors */

static void expect_files(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stat st = {0};
        cr_expect_eq(fstat(fds[i], &st), 0, "descriptor %zu: %m", i);
        cr_expect_eq(st.st_size, (off_t)i + 1, "descriptor %zu is another", i);
        cr_expect(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, "descriptor %zu: close on exec", i);
    }
}

Test(pass, descriptors)
{
    static const size_t counts[] = {1, 2, 3, PASS_FDS_MAX - 1, PASS_FDS_MAX};
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(counts); i++) {
        int ends[2], sent[PASS_FDS_MAX], came[PASS_FDS_MAX];
        size_t count = counts[i];
        char byte = 'x';
        open_pair(ends);
        make_files(sent, count);
        cr_assert_eq(pass_send(ends[0], "y", 1, sent, count), 0, "%zu: %m", count);
        expect_files(sent, count); /* they stay open here */
        cr_assert_eq(pass_receive(ends[1], &byte, 1, came, &count), 1, "%zu: %m", counts[i]);
        cr_expect_eq(byte, 'y');
        cr_assert_eq(count, counts[i]);
        expect_files(came, count);
        close_files(came, count);
        close_files(sent, count);
        close_pair(ends);
    }
    cr_expect_eq(count_fds(), before);
}

Test(pass, room_for_more_than_what_comes)
{
    int ends[2], sent[2], came[PASS_FDS_MAX];
    size_t count = PASS_FDS_MAX;
    char byte;
    open_pair(ends);
    make_files(sent, 2);
    cr_assert_eq(pass_send(ends[0], "x", 1, NULL, 0), 0);
    cr_assert_eq(pass_send(ends[0], "y", 1, sent, 2), 0);
    cr_expect_eq(pass_receive(ends[1], &byte, 1, came, &count), 1);
    cr_expect_eq(count, 0, "none came with this one");
    count = PASS_FDS_MAX;
    cr_expect_eq(pass_receive(ends[1], &byte, 1, came, &count), 1);
    cr_assert_eq(count, 2);
    expect_files(came, 2);
    close_files(came, 2);
    close_files(sent, 2);
    close_pair(ends);
}

Test(pass, too_many_to_send)
{
    int ends[2], fds[PASS_FDS_MAX + 1];
    char byte;
    open_pair(ends);
    for (size_t i = 0; i < LENGTH(fds); i++)
        fds[i] = STDERR_FILENO;
    errno = 0;
    cr_expect_eq(pass_send(ends[0], "x", 1, fds, LENGTH(fds)), -1);
    cr_expect_eq(errno, EINVAL, "%m");
    cr_expect_eq(pass_receive(ends[1], &byte, 1, NULL, NULL), -1);
    cr_expect_eq(errno, EAGAIN, "nothing was sent: %m");
    close_pair(ends);
}

Test(pass, a_descriptor_that_is_not_open)
{
    int ends[2], fds[2] = {STDERR_FILENO, -1};
    open_pair(ends);
    errno = 0;
    cr_expect_eq(pass_send(ends[0], "x", 1, fds, 2), -1);
    cr_expect_eq(errno, EBADF, "%m");
    close_pair(ends);
}

Test(pass, descriptors_that_nobody_expects_are_closed)
{
    int ends[2], sent[3];
    size_t count = 7;
    char byte;
    int before = count_fds();
    open_pair(ends);
    make_files(sent, 3);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pass_send(ends[0], "x", 1, sent, 3), 0);
        cr_expect_eq(pass_receive(ends[1], &byte, 1, NULL, i ? &count : NULL), 1);
    }
    cr_expect_eq(count, 0);
    close_files(sent, 3);
    close_pair(ends);
    cr_expect_eq(count_fds(), before);
}

/* pass.h: EMSGSIZE when the descriptors did not fit; then none is open here. */
Test(pass, more_descriptors_than_there_is_room_for)
{
    static const struct {
        size_t sent, room;
    } rows[] = {{3, 2}, {1, 0}, {PASS_FDS_MAX, 1}, {2, 1}};
    int before = count_fds();
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int ends[2], sent[PASS_FDS_MAX], came[PASS_FDS_MAX];
        size_t count = rows[i].room;
        char byte;
        open_pair(ends);
        make_files(sent, rows[i].sent);
        cr_assert_eq(pass_send(ends[0], "x", 1, sent, rows[i].sent), 0);
        errno = 0;
        ssize_t n = pass_receive(ends[1], &byte, 1, came, &count);
        cr_expect_eq(n, -1, "%zu into %zu: %zd", rows[i].sent, rows[i].room, n);
        cr_expect_eq(errno, EMSGSIZE, "%zu into %zu: %m", rows[i].sent, rows[i].room);
        cr_expect_eq(count, 0, "%zu into %zu: %zu came", rows[i].sent, rows[i].room, count);
        close_files(came, count);
        close_files(sent, rows[i].sent);
        close_pair(ends);
        cr_expect_eq(count_fds(), before, "%zu into %zu: one stays open", rows[i].sent,
                     rows[i].room);
    }
}

/* ----------------------------------------------------------------------------- what goes wrong */

Test(pass, a_message_that_is_too_long_is_refused_with_its_descriptors)
{
    int ends[2], sent[2], came[2];
    size_t count = 2;
    char bytes[4];
    int before = count_fds();
    open_pair(ends);
    make_files(sent, 2);
    cr_assert_eq(pass_send(ends[0], "12345", 5, sent, 2), 0);
    cr_assert_eq(pass_send(ends[0], "1234", 4, NULL, 0), 0);
    errno = 0;
    cr_expect_eq(pass_receive(ends[1], bytes, sizeof bytes, came, &count), -1);
    cr_expect_eq(errno, EMSGSIZE, "%m");
    cr_expect_eq(count, 0);
    cr_expect_eq(pass_receive(ends[1], bytes, sizeof bytes, NULL, NULL), 4, "the next one fits");
    close_files(sent, 2);
    close_pair(ends);
    cr_expect_eq(count_fds(), before);
}

Test(pass, the_end_of_file)
{
    int ends[2];
    size_t count = 3;
    int came[3];
    char bytes[8];
    open_pair(ends);
    cr_assert_eq(pass_send(ends[0], "last", 4, NULL, 0), 0);
    close(ends[0]);
    cr_expect_eq(pass_receive(ends[1], bytes, sizeof bytes, came, &count), 4);
    for (int i = 0; i < 3; i++) {
        count = 3;
        cr_expect_eq(pass_receive(ends[1], bytes, sizeof bytes, came, &count), 0);
        cr_expect_eq(count, 0);
    }
    close(ends[1]);
}

/* unix(7): ECONNRESET first, since it left something unread; its words are there all the same. */
Test(pass, last_words_of_one_that_did_not_read_all)
{
    int ends[2];
    char bytes[8];
    open_pair(ends);
    cr_assert_eq(pass_send(ends[1], "unread", 6, NULL, 0), 0);
    cr_assert_eq(pass_send(ends[0], "last", 4, NULL, 0), 0);
    close(ends[0]);
    ssize_t n = pass_receive(ends[1], bytes, sizeof bytes, NULL, NULL);
    if (n < 0) {
        cr_expect_eq(errno, ECONNRESET, "%m");
        n = pass_receive(ends[1], bytes, sizeof bytes, NULL, NULL);
    }
    cr_expect_eq(n, 4);
    cr_expect_eq(pass_receive(ends[1], bytes, sizeof bytes, NULL, NULL), 0);
    close(ends[1]);
}

/* Its SIGPIPE would end this test. */
Test(pass, the_other_side_is_gone)
{
    int ends[2];
    signal(SIGPIPE, SIG_DFL);
    open_pair(ends);
    close(ends[1]);
    errno = 0;
    cr_expect_eq(pass_send(ends[0], "x", 1, NULL, 0), -1);
    cr_expect_eq(errno, EPIPE, "%m");
    close(ends[0]);
}

Test(pass, the_other_side_does_not_read)
{
    int ends[2], sent = 0;
    char bytes[1000] = "";
    open_pair(ends);
    while (pass_send(ends[0], bytes, sizeof bytes, NULL, 0) == 0)
        sent++;
    cr_expect_eq(errno, EAGAIN, "%m");
    cr_expect_gt(sent, 0);
    int came = 0;
    while (pass_receive(ends[1], bytes, sizeof bytes, NULL, NULL) == (ssize_t)sizeof bytes)
        came++;
    cr_expect_eq(came, sent, "all that was sent, and whole");
    cr_expect_eq(pass_send(ends[0], bytes, sizeof bytes, NULL, 0), 0, "it goes on: %m");
    close_pair(ends);
}

Test(pass, no_socket)
{
    char byte;
    errno = 0;
    cr_expect_eq(pass_send(-1, "x", 1, NULL, 0), -1);
    cr_expect_eq(errno, EBADF, "%m");
    errno = 0;
    cr_expect_eq(pass_receive(-1, &byte, 1, NULL, NULL), -1);
    cr_expect_eq(errno, EBADF, "%m");
}
