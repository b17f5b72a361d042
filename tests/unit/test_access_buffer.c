#include "worker/access_buffer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
    struct access_buffer *buffer;
    struct access_shared *shared;
    struct access_file file;
    uint64_t lost;
};

static struct rig open_rig(int fd)
{
    struct rig rig = {.buffer = access_buffers_open(1), .shared = access_shared_open()};
    cr_assert(rig.buffer && rig.shared && fd >= 0, "%m");
    rig.file = access_file_of(fd, rig.shared);
    return rig;
}

static void close_rig(const struct rig *rig)
{
    close(rig->file.fd);
    access_buffers_close(rig->buffer, 1);
    access_shared_close(rig->shared);
}

/* "0000 xxxx\n", so many bytes long. */
static bool add_line(struct rig *rig, int number, size_t length)
{
    char *to = access_buffer_room(rig->buffer);
    if (!to)
        return false;
    memset(to, 'x', length);
    char text[16];
    snprintf(text, sizeof text, "%04d ", number);
    memcpy(to, text, 5);
    to[length - 1] = '\n';
    access_buffer_add(rig->buffer, length);
    return true;
}

static int new_file(void)
{
    char path[] = "/tmp/test_access_XXXXXX";
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%m");
    unlink(path);
    return fd;
}

static off_t size_of(int fd)
{
    struct stat st;
    cr_assert_eq(fstat(fd, &st), 0, "%m");
    return st.st_size;
}

/* A file may be so long. */
static void limit_size(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0, "%m");
}

Test(access_buffer, lines_leave_with_one_write)
{
    struct rig rig = open_rig(new_file());
    for (int i = 0; i < 100; i++)
        cr_assert(add_line(&rig, i, 50));
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0, "%m");
    cr_expect_eq(size_of(rig.file.fd), 5000);
    cr_expect_eq(rig.buffer->length, 0);
    cr_expect_eq(rig.lost, 0);
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0);
    cr_expect_eq(size_of(rig.file.fd), 5000);
    close_rig(&rig);
}

Test(access_buffer, has_room_for_the_longest_line_until_it_is_full)
{
    int fd = new_file();
    struct rig rig = open_rig(fd);
    int count = 0;
    while (add_line(&rig, count, ACCESS_LINE_MAX))
        count++;
    cr_expect_geq(count * ACCESS_LINE_MAX, ACCESS_GATHER_MAX);
    cr_expect_leq(rig.buffer->length, sizeof rig.buffer->bytes);
    rig.file.fd = -1;
    cr_expect_eq((int)access_buffer_rescue(rig.buffer, &rig.file), count);
    cr_expect_not_null(access_buffer_room(rig.buffer));
    rig.file.fd = fd;
    close_rig(&rig);
}

/* Room ends within the third line. */
Test(access_buffer, a_line_that_was_cut_is_lost_and_the_next_begins_anew)
{
    struct rig rig = open_rig(new_file());
    char text[256] = "";
    for (int i = 0; i < 4; i++)
        cr_assert(add_line(&rig, i, 20));
    limit_size(50);
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), -1);
    cr_expect_eq(errno, EFBIG, "%m");
    cr_expect_eq(rig.lost, 1);
    cr_expect_eq(rig.shared->ragged, rig.file.id);
    access_buffer_shift(rig.buffer);
    cr_expect_eq(rig.buffer->length, 20, "the fourth waits");
    limit_size(RLIM_INFINITY);
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0, "%m");
    cr_expect_eq(rig.shared->ragged, 0);
    cr_assert_gt(pread(rig.file.fd, text, sizeof text - 1, 0), 0);
    cr_expect_str_eq(text, "0000 xxxxxxxxxxxxxx\n0001 xxxxxxxxxxxxxx\n0002 xxxxx\n"
                           "0003 xxxxxxxxxxxxxx\n");
    close_rig(&rig);
}

/* Another worker's. */
Test(access_buffer, whoever_writes_next_ends_the_cut_line)
{
    struct rig rig = open_rig(new_file());
    char text[64] = "";
    cr_assert_eq(write(rig.file.fd, "half", 4), 4);
    rig.shared->ragged = rig.file.id;
    cr_assert(add_line(&rig, 1, 10));
    limit_size(4);
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), -1);
    cr_expect_eq(rig.shared->ragged, rig.file.id, "that is still to be done");
    limit_size(RLIM_INFINITY);
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0);
    cr_assert_gt(pread(rig.file.fd, text, sizeof text - 1, 0), 0);
    cr_expect_str_eq(text, "half\n0001 xxxx\n");
    cr_expect_eq(rig.lost, 0);
    close_rig(&rig);
}

Test(access_buffer, what_waits_makes_room_when_it_has_left_in_part)
{
    struct rig rig = open_rig(new_file());
    limit_size(40000);
    for (int i = 0; add_line(&rig, i % 10000, 100); i++)
        continue;
    size_t whole = rig.buffer->length;
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), -1);
    cr_expect_null(access_buffer_room(rig.buffer));
    access_buffer_shift(rig.buffer);
    cr_expect_not_null(access_buffer_room(rig.buffer));
    cr_expect_eq(rig.buffer->length, whole - 40000);
    close_rig(&rig);
}

/* A pipe takes lines whole, as long as one is no longer than PIPE_BUF. */
Test(access_buffer, a_full_pipe_has_whole_lines)
{
    int ends[2];
    static char text[1 << 17];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0, "%m"); /* that waits, as a stdout would */
    struct rig rig = open_rig(ends[1]);
    cr_assert_eq(rig.file.piece_max, PIPE_BUF);
    int result = 0;
    for (int i = 0; i < 4000 && result == 0; i++) {
        cr_assert(add_line(&rig, i, 99));
        result = access_buffer_write(rig.buffer, &rig.file, &rig.lost);
    }
    cr_expect_eq(result, -1);
    cr_expect_eq(errno, EAGAIN, "%m");
    cr_expect_eq(rig.lost, 0);
    ssize_t n = read(ends[0], text, sizeof text);
    cr_assert_gt(n, 0);
    cr_expect_eq(n % 99, 0, "whole lines");
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0, "it goes on");
    cr_expect_eq(read(ends[0], text, sizeof text), 99);
    close(ends[0]);
    close_rig(&rig);
}

Test(access_buffer, many_lines_go_to_a_pipe_in_pieces)
{
    int ends[2];
    static char text[1 << 17];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0, "%m");
    struct rig rig = open_rig(ends[1]);
    for (int i = 0; i < 300; i++)
        cr_assert(add_line(&rig, i, 99));
    cr_assert(add_line(&rig, 300, 6000)); /* longer than one piece */
    cr_expect_eq(access_buffer_write(rig.buffer, &rig.file, &rig.lost), 0, "%m");
    cr_expect_eq(read(ends[0], text, sizeof text), 300 * 99 + 6000);
    close(ends[0]);
    close_rig(&rig);
}

Test(access_buffer, the_master_writes_what_a_killed_worker_has_left)
{
    struct rig rig = open_rig(new_file());
    for (int i = 0; i < 3; i++)
        cr_assert(add_line(&rig, i, 20));
    memcpy(access_buffer_room(rig.buffer), "half a li", 9); /* that it was about to add */
    cr_expect_eq(access_buffer_rescue(rig.buffer, &rig.file), 0);
    cr_expect_eq(size_of(rig.file.fd), 60);
    cr_expect_eq(rig.buffer->length, 0);
    close_rig(&rig);
}

/* It was killed within write(2): the line that it had begun is ended first. */
Test(access_buffer, the_master_ends_what_a_killed_worker_has_begun)
{
    struct rig rig = open_rig(new_file());
    char text[64] = "";
    cr_assert(add_line(&rig, 1, 20));
    cr_assert_eq(write(rig.file.fd, "0001 xx", 7), 7);
    rig.buffer->is_writing = true;
    cr_expect_eq(access_buffer_rescue(rig.buffer, &rig.file), 0);
    cr_expect(!rig.buffer->is_writing);
    cr_assert_gt(pread(rig.file.fd, text, sizeof text - 1, 0), 0);
    cr_expect_str_eq(text, "0001 xx\n0001 xxxxxxxxxxxxxx\n");
    close_rig(&rig);
}

Test(access_buffer, the_master_counts_what_it_cannot_write)
{
    struct rig rig = open_rig(new_file());
    for (int i = 0; i < 3; i++)
        cr_assert(add_line(&rig, i, 20));
    limit_size(0);
    cr_expect_eq(access_buffer_rescue(rig.buffer, &rig.file), 3);
    limit_size(RLIM_INFINITY);
    for (int i = 0; i < 2; i++)
        cr_assert(add_line(&rig, i, 20));
    rig.buffer->is_moving = true; /* they are in pieces */
    cr_expect_eq(access_buffer_rescue(rig.buffer, &rig.file), 2);
    cr_expect_eq(size_of(rig.file.fd), 0);
    close_rig(&rig);
}

/* A worker that has written where it must not may have written here. */
Test(access_buffer, what_cannot_be_is_forgotten)
{
    static const struct {
        size_t start, length;
    } rows[] = {{5, 4}, {0, SIZE_MAX}, {SIZE_MAX, 0}, {0, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig = open_rig(new_file());
        add_line(&rig, 1, 20); /* its newline is not at 7 */
        rig.buffer->start = rows[i].start;
        rig.buffer->length = rows[i].length;
        cr_expect_eq(access_buffer_rescue(rig.buffer, &rig.file), 0, "row %zu", i);
        cr_expect_eq(rig.buffer->length, 0);
        cr_expect_eq(lseek(rig.file.fd, 0, SEEK_END), 0, "row %zu", i);
        close_rig(&rig);
    }
}

/* Sound in one moment, and not in the next. */
static _Noreturn void change_for_ever(volatile struct access_buffer *buffer)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0;; i++) {
        buffer->bytes[9] = i % 3 ? '\n' : 'x';
        buffer->start = i % 5 ? 0 : SIZE_MAX;
        buffer->length = 10;
        for (volatile int wait = 0; wait < 100; wait++)
            continue;
        buffer->length = i % 2 ? (size_t)1 << 28 : 5;
    }
}

/* Another process that has this memory may go on to write there: a child that the worker has
 * forked, or one that somebody has broken into. */
static void rescue_what_changes(size_t piece_max)
{
    struct rig rig = open_rig(new_file());
    rig.file.piece_max = piece_max;
    limit_size(1 << 20);
    pid_t child = fork();
    cr_assert_geq(child, 0, "%m");
    if (child == 0)
        change_for_ever(rig.buffer);
    for (int i = 0; i < 50000; i++) {
        rig.buffer->is_writing = true; /* each makes it look at the file first, which takes time */
        rig.shared->ragged = rig.file.id;
        access_buffer_rescue(rig.buffer, &rig.file);
        cr_assert_leq(size_of(rig.file.fd), (off_t)sizeof rig.buffer->bytes + 1, "round %d", i);
        cr_assert_eq(ftruncate(rig.file.fd, 0), 0, "%m");
    }
    cr_expect_eq(kill(child, SIGKILL), 0, "%m");
    cr_expect_eq(waitpid(child, NULL, 0), child, "%m");
    close_rig(&rig);
}

Test(access_buffer, the_master_survives_what_changes_under_it, .timeout = 120)
{
    rescue_what_changes(SIZE_MAX);
}

Test(access_buffer, the_master_survives_a_newline_that_goes, .timeout = 120)
{
    rescue_what_changes(8);
}
