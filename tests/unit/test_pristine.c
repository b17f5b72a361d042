#include "worker/pristine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

static struct pristine pristine;
static int client, server; /* a connection, which has come later */

static void setup(void)
{
    int ends[2];
    cr_assert_eq(pristine_note(&pristine), 0, "%m");
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    server = ends[0];
    client = ends[1];
}

static void teardown(void)
{
    close(client);
    close(server);
    pristine_free(&pristine);
}

/* What is in this number's place when all is noted. */
static void note_with(int fd)
{
    pristine_free(&pristine);
    cr_assert_eq(pristine_note(&pristine), 0, "%m");
    cr_assert(fds_has(&pristine.open, fd));
    cr_expect(pristine_is_intact(&pristine, fd));
}

TestSuite(pristine, .init = setup, .fini = teardown);

Test(pristine, what_is_there_still_is_intact)
{
    cr_expect_not(fds_has(&pristine.open, server));
    note_with(server);
    note_with(STDERR_FILENO);
}

Test(pristine, a_number_without_a_descriptor)
{
    int file = make_file(1);
    note_with(file);
    close(file);
    cr_expect_not(pristine_is_intact(&pristine, file));
}

Test(pristine, a_file_that_is_another_now)
{
    int file = make_file(1), other = make_file(2);
    note_with(file);
    cr_assert_eq(dup2(other, file), file);
    cr_expect(pristine_is_intact(&pristine, file), "a log that was opened anew");
    close(file);
    close(other);
}

/* Killed when it was accepted, and nothing was done with it yet. */
Test(pristine, a_connection_that_was_not_there)
{
    int ends[2];
    int file = make_file(1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    note_with(file);
    note_with(ends[0]);
    note_with(listener);
    int places[] = {file, ends[0], listener};
    for (size_t i = 0; i < LENGTH(places); i++) {
        cr_assert_eq(dup2(server, places[i]), places[i]);
        cr_expect_not(pristine_is_intact(&pristine, places[i]), "%zu", i);
        close(places[i]);
    }
    close(ends[1]);
}

Test(pristine, a_socket_that_is_no_connection)
{
    int ends[2];
    int file = make_file(1);
    note_with(file);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(dup2(ends[0], file), file);
    cr_expect(pristine_is_intact(&pristine, file), "a channel");
    for (int i = 0; i < 2; i++)
        close(ends[i]);
    close(file);
}

Test(pristine, a_number_that_is_blocked)
{
    int before = count_fds();
    char byte;
    note_with(server);
    pristine_block(server);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(recv(client, &byte, 1, 0), 0, "it is closed");
    cr_expect_eq(write(server, "x", 1), -1);
    cr_expect_eq(errno, EBADF);
    cr_expect_eq(fcntl(server, F_GETFD), FD_CLOEXEC);
    cr_expect(pristine_is_intact(&pristine, server), "and nothing that was not there");
    close(server);
    pristine_block(server);
    cr_expect_eq(fcntl(server, F_GETFD), FD_CLOEXEC, "nor was it open before");
}

Test(pristine, a_connection_evades_to_a_number_that_was_none)
{
    char byte;
    note_with(server);
    int high = fcntl(server, F_DUPFD_CLOEXEC, pristine.open.top + 10);
    note_with(high);
    int other = pristine_evade(&pristine, server);
    cr_assert_geq(other, pristine.open.top);
    cr_expect_eq(fcntl(other, F_GETFD), FD_CLOEXEC);
    cr_expect_eq(fcntl(other, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    cr_expect_eq(write(server, "x", 1), -1, "nothing comes by the number before");
    cr_expect_eq(write(other, "x", 1), 1);
    cr_expect_eq(recv(client, &byte, 1, 0), 1);
    close(other);
    close(high);
}

Test(pristine, where_no_number_is_left)
{
    char byte;
    note_with(server);
    struct rlimit limit = {0};
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)next_fd();
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(pristine_evade(&pristine, server), -1);
    cr_expect(errno == EMFILE || errno == EINVAL, "%m");
    cr_expect_eq(recv(client, &byte, 1, 0), 0, "it is closed");
}
