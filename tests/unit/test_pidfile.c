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
    close(fd); /* this gives up the lock, fcntl(2): it is the last thing a test looks at */
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

/* A lock of an open file description is another owner's, within one process, too. Such a lock has
 * no pid, and fcntl(2) says -1. */
Test(pidfile, one_that_is_held)
{
    struct place place;
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t holder = 7;
    char text[16] = "";
    open_place(&place);
    put(place.path, "12345\n");
    int other = open(place.path, O_RDWR | O_CLOEXEC);
    cr_assert_eq(fcntl(other, F_OFD_SETLK, &whole), 0, "%m");
    int before = count_fds();
    errno = 0;
    cr_expect_eq(pidfile_open(place.path, &holder), -1);
    cr_expect_eq(errno, EWOULDBLOCK, "%m");
    cr_expect_eq(holder, -1);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(pread(other, text, sizeof text, 0), 6);
    cr_expect_str_eq(text, "12345\n", "it was left alone");
    close(other);
    int fd = pidfile_open(place.path, &holder);
    cr_expect_geq(fd, 0, "it is free again: %m");
    pidfile_close(fd, place.path);
    remove_tree(place.dir);
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
    cr_expect_eq(fcntl(fd, F_OFD_GETLK, &whole), 0, "%m");
    cr_expect_eq(whole.l_type, F_WRLCK);
    cr_expect_eq(whole.l_pid, getpid());
    pidfile_close(fd, place.path);
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
