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
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_assert(doors.inbox[slot][INBOX_OUT] == -1 && doors.inbox[slot][INBOX_IN] == -1);
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
    char some[64] = "";
    doors_each(&doors, 0, 1u << 2, note, some);
    cr_expect_str_eq(some, "12 ", "of one address");
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
    doors.inbox[SLOTS_MAX - 1][INBOX_IN] = make_file(0);
    doors_close(&doors);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(doors.slot_count, 0);
    cr_expect_eq(doors.own[0][0], -1);
    doors_close(&doors);
}

/* ------------------------------------------------------------------------ a slot that is new */

/* Addresses: its own, shared, its own. */
static void open_doors(int fds[6])
{
    doors_init(&doors);
    doors.slot_count = 2;
    doors.address_count = 3;
    doors.shared[1] = make_file(0);
    for (int i = 0; i < 6; i++)
        fds[i] = make_file(0);
}

Test(doors, of_a_new_slot)
{
    int fds[6];
    int before = count_fds();
    open_doors(fds);
    doors_learn(&doors, 4, fds, 6);
    cr_expect_eq(doors.slot_count, 5);
    cr_expect_eq(doors.own[4][0], fds[0]);
    cr_expect_eq(doors.own[4][1], -1);
    cr_expect_eq(doors.own[4][2], fds[1]);
    cr_expect_eq(doors.inbox[4][INBOX_OUT], fds[2]);
    cr_expect_eq(doors.inbox[4][INBOX_IN], fds[3]);
    cr_expect(fcntl(fds[4], F_GETFD) < 0 && fcntl(fds[5], F_GETFD) < 0, "what has no place");
    doors_close(&doors);
    cr_expect_eq(count_fds(), before);
}

Test(doors, of_a_slot_that_is_known)
{
    int fds[6], again[6];
    int before = count_fds();
    open_doors(fds);
    for (int i = 0; i < 6; i++)
        again[i] = make_file(0);
    doors_learn(&doors, 1, fds, 6);
    doors_learn(&doors, 1, again, 6);
    cr_expect_eq(doors.slot_count, 2);
    cr_expect_eq(doors.own[1][0], fds[0], "it may be watched");
    cr_expect_eq(doors.inbox[1][INBOX_IN], fds[3]);
    doors_close(&doors);
    cr_expect_eq(count_fds(), before);
}
