#include "master/standbys.h"

#include <unistd.h>

#include "support.h"

/* None of those that a worker may name is to be signalled for its word. */
Test(standbys, nobody_who_is_known_or_no_child_is_a_new_child)
{
    struct child list[2] = {{.pid = 11, .standby = {.pid = 21}}, {.pid = 12}};
    struct master m = {.pid = getpid(),
                       .children = {.list = list, .count = 2, .room = 2},
                       .upgrade = {.master = {.pid = 31, .between = 32}}};
    m.admin.children[0].pid = 41;
    const pid_t strangers[] = {0, -1, INT32_MIN, INT32_MAX, 1, getppid()};
    const pid_t known[] = {getpid(), 11, 12, 21, 31, 32, 41};
    for (size_t i = 0; i < LENGTH(strangers); i++)
        cr_expect_not(standbys_is_new_child(&m, strangers[i]), "pid %d", (int)strangers[i]);
    for (size_t i = 0; i < LENGTH(known); i++) {
        m.succession.reaped = known[i]; /* and so a child */
        cr_expect_not(standbys_is_new_child(&m, known[i]), "pid %d", (int)known[i]);
    }
}

/* Who is being reaped is no child any more, but was one: unless it is known as another. */
Test(standbys, one_that_is_being_reaped_is_a_new_child)
{
    struct child list[1] = {{.pid = 11}};
    struct master m = {.pid = getpid(), .children = {.list = list, .count = 1, .room = 1}};
    m.succession.reaped = 51;
    cr_expect(standbys_is_new_child(&m, 51));
    cr_expect_not(standbys_is_new_child(&m, 52));
    m.succession.reaped = 11;
    cr_expect_not(standbys_is_new_child(&m, 11));
    m.succession.reaped = 0;
    cr_expect_not(standbys_is_new_child(&m, 0));
}

Test(standbys, one_can_be_woken_that_is_there_and_wanted)
{
    cr_expect_not(standbys_can_wake(&(struct standby){.pid = 0, .channel = 3}), "not told yet");
    cr_expect_not(standbys_can_wake(&(struct standby){.pid = 1, .channel = -1}), "not heard");
    cr_expect_not(standbys_can_wake(&(struct standby){.pid = 1, .channel = 3}), "no child of ours");
}
