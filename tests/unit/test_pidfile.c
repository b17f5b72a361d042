#include "os/pidfile.h"

#include <errno.h>
#include <sys/stat.h>

#include "support.h"

/* Room for a file in a temporary directory. */
struct place {
    char dir[64];
    char path[80];
};

static void open_place(struct place *place)
{
    make_directory(place->dir);
    snprintf(place->path, sizeof place->path, "%s/pid", place->dir);
}

static void expect_pid(const char *path)
{
    char text[32] = "", expected[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%m");
    cr_assert_geq(read(fd, text, sizeof text - 1), 0);
    close(fd);
    snprintf(expected, sizeof expected, "%d\n", (int)getpid());
    cr_expect_str_eq(text, expected);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0, "%m");
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

Test(pidfile, is_made_and_removed)
{
    struct place place;
    struct stat st;
    pid_t holder = 7;
    int before = count_fds();
    open_place(&place);
    umask(022);
    int fd = pidfile_open(place.path, &holder);
    cr_assert_geq(fd, 0, "%m");
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(stat(place.path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0644);
    expect_pid(place.path);
    pidfile_close(fd, place.path);
    cr_expect_lt(stat(place.path, &st), 0);
    cr_expect_eq(count_fds(), before);
    remove_tree(place.dir);
}

/* Of a master that was killed: nobody holds a lock. */
Test(pidfile, a_stale_one_is_taken_over_and_cut)
{
    struct place place;
    pid_t holder;
    open_place(&place);
    put(place.path, "4194304 and more that must not stay\n");
    int fd = pidfile_open(place.path, &holder);
    cr_assert_geq(fd, 0, "%m");
    expect_pid(place.path);
    pidfile_close(fd, place.path);
    remove_tree(place.dir);
}

/* Another open file is another owner, within one process, too. Whose it is says the text alone. */
static void check_held(const char *text, pid_t expected)
{
    struct place place;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t holder = 7;
    char left[64] = "";
    open_place(&place);
    put(place.path, text);
    int other = open(place.path, O_RDWR | O_CLOEXEC);
    cr_assert_eq(fcntl(other, F_OFD_SETLK, &whole), 0, "%m");
    int before = count_fds();
    errno = 0;
    cr_expect_eq(pidfile_open(place.path, &holder), -1, "%s", text);
    cr_expect_eq(errno, EWOULDBLOCK, "%s: %m", text);
    cr_expect_eq(holder, expected, "%s: %d", text, (int)holder);
    cr_expect_eq(count_fds(), before, "%s", text);
    cr_expect_eq(pread(other, left, sizeof left - 1, 0), (ssize_t)strlen(text));
    cr_expect_str_eq(left, text, "it was left alone");
    close(other);
    int fd = pidfile_open(place.path, &holder);
    cr_expect_geq(fd, 0, "it is free again: %m");
    pidfile_close(fd, place.path);
    remove_tree(place.dir);
}

Test(pidfile, one_that_is_held)
{
    check_held("12345\n", 12345);
    check_held("", 0);
    check_held("rubbish\n", 0);
    check_held("-5\n", 0);
    check_held("99999999999999999999999999\n", 0);
}

/* The lock is seen by another owner. */
Test(pidfile, it_is_locked)
{
    struct place place;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t holder;
    open_place(&place);
    int fd = pidfile_open(place.path, &holder);
    cr_assert_geq(fd, 0, "%m");
    int other = open(place.path, O_RDWR | O_CLOEXEC);
    cr_expect_eq(fcntl(other, F_OFD_GETLK, &whole), 0, "%m");
    close(other);
    cr_expect_eq(whole.l_type, F_WRLCK);
    cr_expect_eq(whole.l_pid, -1, "by an open file, not by a process");
    pidfile_close(fd, place.path);
    remove_tree(place.dir);
}

/* A copy of the descriptor is what the next master gets. */
Test(pidfile, one_that_is_handed_over)
{
    struct place place;
    pid_t holder = 7;
    open_place(&place);
    int old = pidfile_open(place.path, &holder);
    int new = fcntl(old, F_DUPFD_CLOEXEC, 0);
    put(place.path, "12345678\n"); /* the old master's pid */
    cr_expect_eq(pidfile_adopt(new, place.path), 0, "%m");
    expect_pid(place.path);
    close(old);
    cr_expect_eq(pidfile_open(place.path, &holder), -1, "it stays locked");
    cr_expect_eq(errno, EWOULDBLOCK, "%m");
    cr_expect_eq(holder, getpid());
    pidfile_close(new, place.path);
    cr_expect_lt(access(place.path, F_OK), 0);
    remove_tree(place.dir);
}

/* Whatever somebody says to be ours. */
Test(pidfile, one_that_cannot_be_adopted)
{
    struct place place;
    pid_t holder;
    open_place(&place);
    int fd = pidfile_open(place.path, &holder);
    put(place.path, "12345\n");
    int other = open(place.path, O_RDWR | O_CLOEXEC);
    cr_expect_eq(pidfile_adopt(other, place.path), -1);
    cr_expect_eq(errno, EWOULDBLOCK, "%m");
    cr_expect_eq(pidfile_adopt(fd, place.dir), -1, "another path");
    cr_expect_eq(errno, ESTALE, "%m");
    pidfile_close(fd, place.path);
    cr_assert_eq(unlink(place.path), 0, "it names another process, and stays");
    cr_expect_eq(pidfile_adopt(other, place.path), -1, "it is gone");
    cr_expect_eq(errno, ESTALE, "%m");
    char text[16] = "";
    cr_expect_eq(pread(other, text, sizeof text, 0), 6);
    cr_expect_str_eq(text, "12345\n", "it was left alone");
    close(other);
    remove_tree(place.dir);
}

/* The lock comes with it, if it was not there. */
Test(pidfile, one_that_was_not_locked)
{
    struct place place;
    pid_t holder;
    open_place(&place);
    put(place.path, "12345\n");
    int fd = open(place.path, O_RDWR | O_CLOEXEC);
    cr_expect_eq(pidfile_adopt(fd, place.path), 0, "%m");
    expect_pid(place.path);
    cr_expect_eq(pidfile_open(place.path, &holder), -1);
    cr_expect_eq(errno, EWOULDBLOCK, "%m");
    pidfile_close(fd, place.path);
    remove_tree(place.dir);
}

/* Somebody has removed it, and another server has begun one there. */
Test(pidfile, another_at_the_same_path_is_left_alone)
{
    struct place place;
    pid_t holder;
    open_place(&place);
    int fd = pidfile_open(place.path, &holder);
    cr_assert_eq(unlink(place.path), 0);
    int other = pidfile_open(place.path, &holder);
    pidfile_close(fd, place.path);
    expect_pid(place.path);
    pidfile_close(other, place.path);
    cr_expect_eq(access(place.path, F_OK), -1);
    remove_tree(place.dir);
}

static void expect_failure(const char *path, int cause)
{
    pid_t holder;
    int before = count_fds();
    errno = 0;
    cr_expect_eq(pidfile_open(path, &holder), -1, "%s", path);
    cr_expect_eq(errno, cause, "%s: %m", path);
    cr_expect_eq(count_fds(), before, "%s", path);
}

/* A link in a directory that others may write to could make root overwrite any file. */
Test(pidfile, where_there_can_be_none)
{
    struct place place;
    char target[80];
    struct stat st;
    open_place(&place);
    snprintf(target, sizeof target, "%s/precious", place.dir);
    put(target, "precious");
    cr_assert_eq(symlink(target, place.path), 0);
    expect_failure(place.path, ELOOP);
    cr_expect(stat(target, &st) == 0 && st.st_size == 8, "untouched");
    expect_failure(place.dir, EISDIR);
    snprintf(target, sizeof target, "%s/no/pid", place.dir);
    expect_failure(target, ENOENT);
    remove_tree(place.dir);
}
