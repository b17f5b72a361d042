#include "os/fds.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

Test(fds, a_zeroed_one_is_empty)
{
    struct fds fds = {0};
    cr_expect_not(fds_has(&fds, 0));
    cr_expect_not(fds_has(&fds, -1));
    cr_expect_not(fds_has(&fds, INT_MAX));
    fds_remove(&fds, 0);
    fds_remove(&fds, 1000);
    fds_free(&fds);
}

Test(fds, adds_and_removes)
{
    static const int numbers[] = {0, 1, 63, 64, 65, 127, 128, 5000};
    struct fds fds = {0};
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        cr_assert_eq(fds_add(&fds, numbers[i]), 0, "%d: %m", numbers[i]);
        cr_expect_eq(fds.top, numbers[i] + 1);
    }
    for (size_t i = 0; i < LENGTH(numbers); i++)
        cr_expect(fds_has(&fds, numbers[i]), "%d", numbers[i]);
    cr_expect_not(fds_has(&fds, 2));
    cr_expect_not(fds_has(&fds, 126));
    cr_expect_not(fds_has(&fds, 4999));
    cr_expect_not(fds_has(&fds, 5001));
    fds_remove(&fds, 64);
    cr_expect_not(fds_has(&fds, 64));
    cr_expect(fds_has(&fds, 63));
    cr_expect(fds_has(&fds, 65));
    cr_expect_eq(fds_add(&fds, 64), 0);
    cr_expect_eq(fds_add(&fds, 64), 0, "twice");
    cr_expect_eq(fds.top, 5001, "the highest there was");
    cr_expect_eq(fds_add(&fds, -1), -1);
    cr_expect_eq(errno, EBADF);
    fds_free(&fds);
    cr_expect_not(fds_has(&fds, 64));
}

Test(fds, knows_what_is_open_now)
{
    struct fds fds;
    int file = make_file(1);
    int unused = next_fd();
    int high = unused + 500;
    int before = count_fds();
    cr_assert_eq(dup2(file, high), high, "%m");
    cr_assert_eq(fds_open_now(&fds), 0, "%m");
    cr_expect(fds_has(&fds, 0));
    cr_expect(fds_has(&fds, file));
    cr_expect(fds_has(&fds, high));
    cr_expect_eq(fds.top, high + 1);
    cr_expect_not(fds_has(&fds, unused), "what it has read them with is closed");
    close(high);
    cr_expect_eq(count_fds(), before);
    close(file);
    fds_free(&fds);
}

/* As where there is no /proc: nothing is left to open it with. More than 256 slots with 16
 * addresses have. */
Test(fds, knows_what_is_open_without_a_list)
{
    enum { MANY = 4700 };
    struct rlimit limit;
    struct fds fds;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max <= MANY)
        cr_skip("there can be no more than %ju descriptors", (uintmax_t)limit.rlim_max);
    limit.rlim_cur = MANY;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0, "%m");
    int first = dup(STDERR_FILENO), last = first;
    for (int fd = first; fd >= 0; fd = dup(STDERR_FILENO))
        last = fd;
    cr_assert_eq(errno, EMFILE);
    cr_assert_eq(last, MANY - 1);
    cr_expect_eq(fds_open_now(&fds), 0, "%m");
    cr_expect_eq(fds.top, MANY);
    for (int fd = first; fd < MANY; fd++)
        cr_assert(fds_has(&fds, fd), "%d", fd);
    fds_free(&fds);
    for (int fd = first; fd < MANY; fd++)
        close(fd);
}
