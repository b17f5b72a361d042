#include "worker/doors.h"

#include "support.h"

static struct doors doors;

static void note(int fd, void *context)
{
    char *text = context;
    sprintf(text + strlen(text), "%d ", fd);
}

static const char *each(int slot)
{
    static char text[64];
    text[0] = '\0';
    doors_each(&doors, slot, UINT32_MAX, note, text);
    return text;
}

Test(doors, none_at_first)
{
    doors_init(&doors);
    cr_expect_eq(doors.slot_count, 0);
    cr_expect_eq(doors.address_count, 0);
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        cr_expect_eq(doors.shared[i], -1);
        for (int slot = 0; slot < SLOTS_MAX; slot++)
            cr_assert_eq(doors.own[slot][i], -1);
    }
    cr_expect_str_eq(each(0), "");
}

Test(doors, each_of_a_slots_own)
{
    doors_init(&doors);
    doors.slot_count = 2;
    doors.address_count = 3;
    doors.own[0][0] = 10;
    doors.own[0][2] = 12;
    doors.own[1][0] = 20;
    doors.own[1][3] = 23; /* past the addresses */
    doors.shared[1] = 99;
    cr_expect_str_eq(each(0), "10 12 ");
    cr_expect_str_eq(each(1), "20 ");
}

Test(doors, close)
{
    int before = count_fds();
    doors_init(&doors);
    doors.slot_count = SLOTS_MAX;
    doors.address_count = 2;
    doors.shared[1] = make_file(0);
    doors.own[0][0] = make_file(0);
    doors.own[SLOTS_MAX - 1][0] = make_file(0);
    doors_close(&doors);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(doors.slot_count, 0);
    cr_expect_eq(doors.own[0][0], -1);
    doors_close(&doors);
}
