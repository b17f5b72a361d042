#include "worker/heirs.h"

#include "os/pass.h"
#include "rig.h"

#define SLOTS 4

static struct doors doors;
static struct heirs heirs;

/* Slot 3 has no inbox. */
static void open_inboxes(void)
{
    doors_init(&doors);
    doors.slot_count = SLOTS;
    for (int slot = 0; slot < 3; slot++)
        cr_assert_eq(pass_pair(doors.inbox[slot]), 0);
}

static void set(const char *slots, int first)
{
    struct slot_set all = {0};
    for (; *slots; slots++)
        slot_set_add(&all, *slots - '0');
    heirs_set(&heirs, &doors, &all, first);
}

static int count_in(int slot)
{
    struct handover what;
    int count = 0, fd;
    while ((fd = handover_receive(doors.inbox[slot][INBOX_OUT], &what)) >= 0) {
        close(fd);
        count++;
    }
    return count;
}

Test(heirs, each_in_turn)
{
    struct rig rig;
    open_rig(&rig);
    open_inboxes();
    set("0123", 4);
    cr_expect_eq(heirs.count, 3);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_TOOK);
    cr_expect_eq(count_in(0), 1);
    cr_expect_eq(count_in(1), 2, "it was the first");
    cr_expect_eq(count_in(2), 1);
    doors_close(&doors);
    close_rig(&rig);
}

Test(heirs, those_of_the_set_alone)
{
    struct rig rig;
    open_rig(&rig);
    open_inboxes();
    set("2", 7);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_TOOK);
    cr_expect_eq(count_in(2), 4);
    doors_close(&doors);
    close_rig(&rig);
}

static int fill(int slot)
{
    int count = 0;
    int fd = make_file(0);
    while (pass_send(doors.inbox[slot][INBOX_IN], "x", 1, &fd, 1) == 0)
        count++;
    close(fd);
    return count;
}

Test(heirs, the_next_one_where_one_is_full)
{
    struct rig rig;
    open_rig(&rig);
    open_inboxes();
    set("01", 0);
    cr_expect_gt(fill(0), 60, "it takes what a worker hands over in a turn");
    for (int i = 0; i < 4; i++)
        cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_TOOK);
    cr_expect_eq(count_in(1), 4);
    fill(1);
    cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_FULL);
    cr_expect_eq(heirs.count, 2, "both are heirs still");
    doors_close(&doors);
    close_rig(&rig);
}

Test(heirs, one_that_is_gone_is_none)
{
    struct rig rig;
    open_rig(&rig);
    open_inboxes();
    set("01", 0);
    close(doors.inbox[0][INBOX_OUT]);
    doors.inbox[0][INBOX_OUT] = -1;
    cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_TOOK);
    cr_expect_eq(count_in(1), 1);
    cr_expect_eq(heirs.count, 1);
    close(doors.inbox[1][INBOX_OUT]);
    doors.inbox[1][INBOX_OUT] = -1;
    cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_NONE);
    cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_NONE);
    doors_close(&doors);
    close_rig(&rig);
}

Test(heirs, nobody)
{
    struct rig rig;
    open_rig(&rig);
    open_inboxes();
    set("3", 0);
    cr_expect_eq(heirs.count, 0, "without an inbox it cannot be one");
    cr_expect_eq(heirs_give(&heirs, &rig.conn), HEIRS_NONE);
    doors_close(&doors);
    close_rig(&rig);
}
