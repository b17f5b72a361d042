#include "handlers/beneath.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/limits.h"
#include "support.h"

/* What is made below a temporary directory. The root is "site"; links stand there as in ln -s. */
static const struct {
    char type; /* f: a file that holds its own name, d: a directory, l: a link, p: a FIFO */
    const char *name;
    const char *target; /* of a link; %s: the temporary directory */
} tree[] = {
    {'f', "secret", NULL},
    {'d', "outside", NULL},
    {'f', "outside/secret", NULL},
    {'d', "site-backup", NULL},
    {'f', "site-backup/secret", NULL},
    {'d', "site", NULL},
    {'f', "site/file", NULL},
    {'f', "site/.hidden", NULL},
    {'f', "site/with space", NULL},
    {'f', "site/..dots", NULL},
    {'d', "site/empty", NULL},
    {'d', "site/dir", NULL},
    {'f', "site/dir/inner", NULL},
    {'d', "site/dir/deep", NULL},
    {'f', "site/dir/deep/bottom", NULL},
    {'p', "site/fifo", NULL},

    {'l', "site/to-file", "file"},
    {'l', "site/to-dir", "dir"},
    {'l', "site/to-dot", "."},
    {'l', "site/to-link", "to-file"},
    {'l', "site/dir/to-file-above", "../file"},
    {'l', "site/dir/deep/to-top", "../.."},
    {'l', "site/dangling", "nothing"},
    {'l', "site/loop", "loop"},
    {'l', "site/ping", "pong"},
    {'l', "site/pong", "ping"},

    {'l', "site/out", "../secret"},
    {'l', "site/out-dir", "../outside"},
    {'l', "site/out-and-in", "../site/file"},
    {'l', "site/dir/out", "../../secret"},
    {'l', "site/dir/out-far", "../../../../../../../../etc/passwd"},
    {'l', "site/to-out", "out"},
    {'l', "site/up", ".."},
    {'l', "site/neighbour", "../site-backup"},
    {'l', "site/absolute", "/etc/passwd"},
    {'l', "site/absolute-inside", "%s/site/file"},
    {'l', "site/slash", "/"},
    {'l', "site/proc-root", "/proc/self/root"},
    {'l', "site/proc-cwd", "/proc/self/cwd"},
};

/* Errors; 0: it opens, and is `what`. */
static const struct row {
    const char *name;
    int by_kernel;    /* with openat2(2) */
    int by_walk;      /* without */
    const char *what; /* below the temporary directory */
} rows[] = {
    {"file", 0, 0, "site/file"},
    {".hidden", 0, 0, "site/.hidden"},
    {"with space", 0, 0, "site/with space"},
    {"..dots", 0, 0, "site/..dots"},
    {"dir", 0, 0, "site/dir"},
    {"dir/", 0, 0, "site/dir"},
    {"empty", 0, 0, "site/empty"},
    {"dir/inner", 0, 0, "site/dir/inner"},
    {"dir//inner", 0, 0, "site/dir/inner"},
    {"dir/./inner", 0, 0, "site/dir/inner"},
    {"./file", 0, 0, "site/file"},
    {"dir/deep/bottom", 0, 0, "site/dir/deep/bottom"},
    {".", 0, 0, "site"},
    {"fifo", 0, 0, "site/fifo"},

    {"", ENOENT, ENOENT, NULL},
    {"nothing", ENOENT, ENOENT, NULL},
    {"nothing/", ENOENT, ENOENT, NULL},
    {"nothing/file", ENOENT, ENOENT, NULL},
    {"dir/nothing", ENOENT, ENOENT, NULL},
    {"file/", ENOTDIR, ENOTDIR, NULL},
    {"file/inner", ENOTDIR, ENOTDIR, NULL},
    {"file/.", ENOTDIR, ENOTDIR, NULL},

    {"/", EXDEV, EXDEV, NULL},
    {"//", EXDEV, EXDEV, NULL},
    {"/file", EXDEV, EXDEV, NULL},
    {"/etc/passwd", EXDEV, EXDEV, NULL},
    {"..", EXDEV, EXDEV, NULL},
    {"../", EXDEV, EXDEV, NULL},
    {"../secret", EXDEV, EXDEV, NULL},
    {"../site/file", EXDEV, EXDEV, NULL},
    {"../site-backup/secret", EXDEV, EXDEV, NULL},
    {"dir/../../secret", EXDEV, EXDEV, NULL},
    {"dir/../file", 0, EXDEV, "site/file"},

    {"to-file", 0, ELOOP, "site/file"},
    {"to-link", 0, ELOOP, "site/file"},
    {"to-dir", 0, ELOOP, "site/dir"},
    {"to-dir/", 0, ELOOP, "site/dir"},
    {"to-dir/inner", 0, ELOOP, "site/dir/inner"},
    {"to-dir/deep/bottom", 0, ELOOP, "site/dir/deep/bottom"},
    {"to-dot/to-dot/file", 0, ELOOP, "site/file"},
    {"dir/to-file-above", 0, ELOOP, "site/file"},
    {"dir/deep/to-top", 0, ELOOP, "site"},
    {"dir/deep/to-top/file", 0, ELOOP, "site/file"},
    {"dangling", ENOENT, ELOOP, NULL},
    {"loop", ELOOP, ELOOP, NULL},
    {"loop/file", ELOOP, ELOOP, NULL},
    {"ping", ELOOP, ELOOP, NULL},

    {"out", EXDEV, ELOOP, NULL},
    {"out-dir", EXDEV, ELOOP, NULL},
    {"out-dir/secret", EXDEV, ELOOP, NULL},
    {"out-and-in", EXDEV, ELOOP, NULL},
    {"dir/out", EXDEV, ELOOP, NULL},
    {"dir/out-far", EXDEV, ELOOP, NULL},
    {"to-out", EXDEV, ELOOP, NULL},
    {"up", EXDEV, ELOOP, NULL},
    {"up/secret", EXDEV, ELOOP, NULL},
    {"up/site/file", EXDEV, ELOOP, NULL},
    {"neighbour/secret", EXDEV, ELOOP, NULL},
    {"absolute", EXDEV, ELOOP, NULL},
    {"absolute-inside", EXDEV, ELOOP, NULL},
    {"slash", EXDEV, ELOOP, NULL},
    {"slash/etc/passwd", EXDEV, ELOOP, NULL},
    {"proc-root", EXDEV, ELOOP, NULL},
    {"proc-root/etc/passwd", EXDEV, ELOOP, NULL},
    {"proc-cwd", EXDEV, ELOOP, NULL},
};

struct site {
    char dir[64];
    int dir_fd;
    int root; /* "site" */
};

static void plant(const struct site *site, size_t i)
{
    const char *name = tree[i].name;
    char target[256];
    int fd;
    switch (tree[i].type) {
    case 'd': cr_assert_eq(mkdirat(site->dir_fd, name, 0755), 0, "%s: %m", name); break;
    case 'p': cr_assert_eq(mkfifoat(site->dir_fd, name, 0644), 0, "%s: %m", name); break;
    case 'l':
        if (tree[i].target[0] == '%')
            snprintf(target, sizeof target, "%s%s", site->dir, tree[i].target + 2);
        else
            snprintf(target, sizeof target, "%s", tree[i].target);
        cr_assert_eq(symlinkat(target, site->dir_fd, name), 0, "%s: %m", name);
        break;
    default:
        fd = openat(site->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        cr_assert_geq(fd, 0, "%s: %m", name);
        cr_assert_eq(write(fd, name, strlen(name)), (ssize_t)strlen(name));
        close(fd);
    }
}

static void open_site(struct site *site)
{
    make_directory(site->dir);
    site->dir_fd = open(site->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(site->dir_fd, 0, "%s: %m", site->dir);
    for (size_t i = 0; i < LENGTH(tree); i++)
        plant(site, i);
    site->root = openat(site->dir_fd, "site", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(site->root, 0, "%m");
}

static void close_site(struct site *site)
{
    close(site->root);
    close(site->dir_fd);
    remove_tree(site->dir);
}

static bool is_same(const struct site *site, int fd, const char *what)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && fstatat(site->dir_fd, what, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* O_NONBLOCK: nobody writes into the FIFO. */
static void check(const struct site *site, const struct row *row, bool has_openat2)
{
    const char *how = has_openat2 ? "openat2" : "the walk";
    int expected = has_openat2 ? row->by_kernel : row->by_walk;
    int before = count_fds();
    errno = 0;
    int fd = beneath_open(site->root, row->name, O_RDONLY | O_NONBLOCK, has_openat2);
    int cause = fd < 0 ? errno : 0;
    cr_expect_eq(cause, expected, "\"%s\" by %s: %s instead of %s", row->name, how,
                 strerrorname_np(cause), strerrorname_np(expected));
    if (fd >= 0) {
        cr_expect(row->what && is_same(site, fd, row->what), "\"%s\" by %s", row->name, how);
        cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC, "\"%s\" by %s: close on exec", row->name, how);
        close(fd);
    }
    cr_expect_eq(count_fds(), before, "\"%s\" by %s leaks", row->name, how);
}

Test(beneath, openat2)
{
    struct site site;
    if (!beneath_has_openat2())
        cr_skip_test("this kernel, or its sandbox, has no openat2(2)");
    open_site(&site);
    for (size_t i = 0; i < LENGTH(rows); i++)
        check(&site, &rows[i], true);
    close_site(&site);
}

Test(beneath, the_walk)
{
    struct site site;
    open_site(&site);
    for (size_t i = 0; i < LENGTH(rows); i++)
        check(&site, &rows[i], false);
    close_site(&site);
}

Test(beneath, what_the_kernel_refuses_the_walk_refuses)
{
    for (size_t i = 0; i < LENGTH(rows); i++)
        cr_expect(rows[i].by_kernel == 0 || rows[i].by_walk != 0, "%s", rows[i].name);
}

Test(beneath, flags_are_passed_on)
{
    struct site site;
    open_site(&site);
    for (int has_openat2 = beneath_has_openat2(); has_openat2 >= 0; has_openat2--) {
        int fd = beneath_open(site.root, "file", O_RDONLY | O_DIRECTORY, has_openat2);
        cr_expect(fd < 0 && errno == ENOTDIR, "%d: %m", has_openat2);
        fd = beneath_open(site.root, "dir", O_RDONLY | O_DIRECTORY, has_openat2);
        cr_expect_geq(fd, 0, "%d: %m", has_openat2);
        close(fd);
        fd = beneath_open(site.root, "dir", O_WRONLY, has_openat2);
        cr_expect(fd < 0 && errno == EISDIR, "%d: %m", has_openat2);
        fd = beneath_open(site.root, "dir/inner", O_WRONLY, has_openat2);
        cr_expect_geq(fd, 0, "%d: %m", has_openat2);
        cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
        close(fd);
    }
    close_site(&site);
}

/* "dir/../" and its kind would shorten; this one is long as it is. */
Test(beneath, a_name_has_a_limit)
{
    struct site site;
    char name[FILE_PATH_MAX + 2];
    open_site(&site);
    for (int has_openat2 = beneath_has_openat2(); has_openat2 >= 0; has_openat2--) {
        memset(name, '/', sizeof name);
        memcpy(name, "dir", 3);
        memcpy(name + FILE_PATH_MAX - 5, "inner", 6);
        int fd = beneath_open(site.root, name, O_RDONLY, has_openat2);
        cr_expect_geq(fd, 0, "%d: %m", has_openat2);
        close(fd);
        memcpy(name + FILE_PATH_MAX - 5, "/inner", 7);
        fd = beneath_open(site.root, name, O_RDONLY, has_openat2);
        cr_expect(fd < 0 && errno == ENAMETOOLONG, "%d: %m", has_openat2);
        memset(name, 'a', 256);
        name[256] = '\0';
        fd = beneath_open(site.root, name, O_RDONLY, has_openat2);
        cr_expect(fd < 0 && errno == ENAMETOOLONG, "%d: %m", has_openat2);
    }
    close_site(&site);
}

Test(beneath, the_root_stays_open)
{
    struct site site;
    open_site(&site);
    for (int i = 0; i < 3; i++)
        cr_expect_lt(beneath_open(site.root, "nothing/x", O_RDONLY, false), 0);
    cr_expect_geq(fcntl(site.root, F_GETFD), 0);
    close_site(&site);
}
