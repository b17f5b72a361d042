#include "os/twin.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

/* How many numbers the kernel's table has, see proc_pid_status(5). */
static int table_size(void)
{
    int size = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    cr_assert(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "FDSize: %d", &size) == 1)
            break;
    fclose(file);
    return size;
}

Test(twin, a_table_takes_what_was_reserved)
{
    cr_assert_lt(table_size(), 1000);
    cr_expect_eq(twin_reserve(STDIN_FILENO, 1000), 0, "%m");
    cr_expect_geq(table_size(), 1000);
    int next = dup(STDIN_FILENO);
    cr_expect(next >= 0 && next < 100, "what was reserved is not open: %d", next);
}

Test(twin, no_more_is_reserved_than_may_be_opened)
{
    struct rlimit limit = {.rlim_cur = 600, .rlim_max = 600};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(twin_reserve(STDIN_FILENO, 1000000), 0, "%m");
    cr_expect_geq(table_size(), 600);
    cr_expect_lt(table_size(), 2048);
}

Test(twin, a_copy_of_a_table_has_what_was_reserved_anew)
{
    cr_assert_eq(twin_reserve(STDIN_FILENO, 1000), 0);
    cr_assert_eq(twin_part(), 0);
    cr_expect_eq(twin_reserve(STDIN_FILENO, 2000), 0);
    cr_expect_geq(table_size(), 2000);
}

Test(twin, without_a_descriptor_there_is_nothing_to_reserve_with)
{
    errno = 0;
    cr_expect_eq(twin_reserve(-1, 100), -1);
    cr_expect_eq(errno, EBADF);
}
