#include "base/nowait.h"

#include <errno.h>
#include <limits.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>

#include "support.h"

/* Longer than a pipe of one page takes. */
#define LONG 16384

struct rig {
    int reader, writer;
    char directory[64], path[80]; /* of a pipe that is a file */
    char bytes[LONG];
};

/* Criterion ends what waits. */
TestSuite(nowait, .timeout = 20);

static void open_pipe(struct rig *rig)
{
    int ends[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0, "%m");
    rig->reader = ends[0];
    rig->writer = ends[1];
}

static void open_fifo(struct rig *rig)
{
    make_directory(rig->directory);
    snprintf(rig->path, sizeof rig->path, "%s/fifo", rig->directory);
    cr_assert_eq(mkfifo(rig->path, 0600), 0, "%m");
    rig->reader = open(rig->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    rig->writer = open(rig->path, O_WRONLY | O_CLOEXEC);
    cr_assert(rig->reader >= 0 && rig->writer >= 0, "%m");
}

static void close_rig(const struct rig *rig)
{
    close(rig->reader);
    close(rig->writer);
    if (rig->directory[0])
        remove_tree(rig->directory);
}

/* Nobody may open it any more. */
static void lock_fifo(const struct rig *rig)
{
    cr_assert_eq(chmod(rig->path, 0), 0, "%m");
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0, "%m");
}

static void unlock(uid_t before)
{
    cr_assert_eq(seteuid(before), 0, "%m");
}

static ssize_t write_long(struct rig *rig)
{
    struct iovec parts[] = {{rig->bytes, 1}, {rig->bytes + 1, LONG - 1}};
    memset(rig->bytes, 'x', LONG);
    return nowait_writev(rig->writer, parts, 2);
}

/* One page is free, as poll(2) sees it, and less than the line needs. */
static void leave_a_page(const struct rig *rig)
{
    static const char page[4096];
    int size = fcntl(rig->writer, F_SETPIPE_SZ, 2 * sizeof page);
    cr_assert_eq(size, 2 * sizeof page, "%m");
    cr_assert_eq(write(rig->writer, page, sizeof page), sizeof page, "%m");
}

static void expect_no_wait(struct rig *rig)
{
    leave_a_page(rig);
    cr_expect_eq(write_long(rig), 4096);
    cr_expect_eq(write_long(rig), -1);
    cr_expect_eq(errno, EAGAIN, "%m");
    cr_expect_eq(fcntl(rig->writer, F_GETFL) & O_NONBLOCK, 0, "others expect it to wait");
}

Test(nowait, a_pipe_with_less_room_than_the_line_is_not_waited_for)
{
    struct rig rig = {.directory = ""};
    open_pipe(&rig);
    expect_no_wait(&rig);
    close_rig(&rig);
}

Test(nowait, nor_is_one_that_is_a_file)
{
    struct rig rig = {.directory = ""};
    open_fifo(&rig);
    expect_no_wait(&rig);
    close_rig(&rig);
}

Test(nowait, nor_one_that_may_not_be_opened)
{
    struct rig rig = {.directory = ""};
    uid_t before = geteuid();
    open_fifo(&rig);
    lock_fifo(&rig);
    cr_expect_eq(nowait_open(rig.writer), -1);
    expect_no_wait(&rig);
    unlock(before);
    close_rig(&rig);
}

Test(nowait, one_that_never_waits_gets_as_much_as_it_takes)
{
    struct rig rig = {.directory = ""};
    uid_t before = geteuid();
    open_fifo(&rig);
    lock_fifo(&rig);
    cr_assert_eq(fcntl(rig.writer, F_SETFL, O_NONBLOCK), 0, "%m");
    cr_expect_eq(write_long(&rig), LONG);
    unlock(before);
    close_rig(&rig);
}

Test(nowait, a_pipe_without_a_reader_is_an_error)
{
    struct rig rig = {.directory = ""};
    signal(SIGPIPE, SIG_IGN);
    open_fifo(&rig);
    close(rig.reader);
    cr_expect_eq(write_long(&rig), -1);
    cr_expect_eq(errno, EPIPE, "%m");
    rig.reader = -1;
    close_rig(&rig);
}

Test(nowait, a_pipe_is_opened_a_second_time)
{
    struct rig rig = {.directory = ""};
    open_pipe(&rig);
    int own = nowait_open(rig.writer);
    cr_assert_geq(own, 0, "%m");
    cr_expect_eq(fcntl(own, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_WRONLY | O_NONBLOCK);
    cr_expect_eq(fcntl(own, F_GETFD), FD_CLOEXEC);
    cr_expect_eq(write(own, "a", 1), 1, "%m");
    cr_expect_eq(read(rig.reader, rig.bytes, 2), 1, "%m");
    close(own);
    close_rig(&rig);
}

Test(nowait, a_terminal_is_not_opened_a_second_time_and_is_written_to)
{
    int terminal, program;
    struct termios raw = {.c_cflag = CS8};
    struct iovec part = {"words\n", 6};
    cr_assert_eq(openpty(&terminal, &program, NULL, &raw, NULL), 0, "%m");
    cr_expect_eq(nowait_open(program), -1);
    cr_expect_eq(errno, ENOTSUP, "%m");
    cr_expect_eq(nowait_writev(program, &part, 1), 6, "%m");
    close(terminal);
    close(program);
}
