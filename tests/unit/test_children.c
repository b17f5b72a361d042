#include "master/children.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"

static struct child *add(struct children *all, pid_t pid, int slot, int row)
{
    cr_assert_eq(children_reserve(all), 0);
    return children_add(all, pid, NULL, slot, row, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

Test(children, a_new_one_has_no_standby_and_succeeds_nobody)
{
    struct children all = {0};
    const struct child *child = add(&all, 11, 0, 0);
    cr_expect_eq(child->standby.channel, -1);
    cr_expect_eq(child->standby.pid, 0);
    cr_expect_eq(child->heritage.from, -1);
    cr_expect_eq(child->heritage.end, -1);
    cr_expect_eq(child->heritage.until, CLOCK_NEVER);
    cr_expect_eq(child->relieve_at, CLOCK_NEVER);
    cr_expect_not(child->is_awaited);
    children_free(&all);
}

Test(children, a_row_is_free_when_nobody_writes_to_it_nor_is_made_from_it)
{
    struct children all = {0};
    cr_expect_eq(children_free_row(&all, 3), 3);
    add(&all, 11, 3, 3);
    cr_expect_eq(children_free_row(&all, 3), SLOTS_MAX);
    add(&all, 12, 3, SLOTS_MAX)->heritage.from = 5;
    cr_expect_eq(children_free_row(&all, 3), SLOTS_MAX + 1);
    cr_expect_eq(children_free_row(&all, 5), SLOTS_MAX + 1, "another slot's worker is made from 5");
    children_by_pid(&all, 12)->heritage.from = SLOTS_MAX + 1;
    cr_expect_eq(children_free_row(&all, 5), 5);
    cr_expect_eq(children_free_row(&all, 3), SLOTS_MAX + 2);
    children_remove(&all, children_by_pid(&all, 12));
    cr_expect_eq(children_free_row(&all, 3), SLOTS_MAX);
    children_free(&all);
}

Test(children, all_that_one_has_is_closed_with_it)
{
    struct children all = {0};
    struct child *child = add(&all, 11, 0, 0);
    int channel = child->channel;
    int end = child->heritage.end = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int standby = child->standby.channel = open("/dev/null", O_RDONLY | O_CLOEXEC);
    add(&all, 12, 1, 1);
    children_remove(&all, child);
    cr_expect_not(is_open(channel));
    cr_expect_not(is_open(end));
    cr_expect_not(is_open(standby));
    cr_expect_eq(all.count, 1);
    cr_expect(is_open(children_by_pid(&all, 12)->channel));
    children_free(&all);
}

Test(children, they_are_found_by_their_standbys)
{
    struct children all = {0};
    add(&all, 11, 0, 0)->standby.pid = 21;
    add(&all, 12, 1, 1)->standby.pid = 22;
    cr_expect_eq(children_by_standby(&all, 22)->pid, 12);
    cr_expect_eq(children_by_standby(&all, 21)->pid, 11);
    cr_expect_null(children_by_standby(&all, 11));
    children_free(&all);
}

/* A slot has one worker, whoever leaves it or is to follow. */
Test(children, one_that_is_awaited_is_its_slots_worker)
{
    struct children all = {0};
    add(&all, 11, 0, 0)->is_leaving = true;
    add(&all, 0, 0, SLOTS_MAX)->is_awaited = true;
    add(&all, 13, 0, SLOTS_MAX + 1)->is_heir = true;
    cr_expect(children_of_slot(&all, NULL, 0)->is_awaited);
    cr_expect_eq(children_heir_of_slot(&all, NULL, 0)->pid, 13);
    children_free(&all);
}
