#include "master/store.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "listeners.h"
#include "master/slots.h"

/* The service manager's end. */
static int manager;
static struct notify notify;
static struct store store;
static struct doors doors;
static struct net_address addresses[2];
static char why[256];

static void init(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char name[64];
    int n = snprintf(name, sizeof name, "@drover-store-%d", (int)getpid());
    memcpy(un.sun_path + 1, name + 1, (size_t)n - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    cr_assert_eq(bind(manager, (struct sockaddr *)&un, length), 0, "%m");
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("FDSTORE", "8", 1);
    cr_assert_eq(notify_open(&notify), 0, "%m");
    store_open(&store, &notify);
}

TestSuite(store, .init = init);

static void open_slots(int address_count, int slot_count)
{
    for (int i = 0; i < address_count; i++)
        addresses[i] = loopback();
    doors_init(&doors);
    cr_assert_eq(slots_open(&doors, addresses, address_count, slot_count, why, sizeof why), 0, "%s",
                 why);
}

static bool is_same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* The next message: its text with blanks for newlines, its descriptors. -1: there is none. */
static int hear(char text[256], int fds[8])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 8)];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = 255};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    text[n < 0 ? 0 : n] = '\0';
    for (char *newline; (newline = strchr(text, '\n'));)
        *newline = ' ';
    const struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (!header)
        return n < 0 ? -1 : 0;
    memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    return (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

/* The next message is this one, with `count` descriptors, which are the slot's in their order. */
static void expect(const char *expected, int count, int slot)
{
    char text[256];
    int fds[8];
    int n = hear(text, fds);
    cr_expect_str_eq(text, expected);
    cr_expect_eq(n, count, "%s: %d", text, n);
    for (int i = 0; i < n; i++) {
        cr_expect(is_same_file(fds[i], slot < 0 ? doors.shared[i] : doors.own[slot][i]), "%s: %d",
                  text, i);
        close(fds[i]);
    }
}

static void expect_silence(void)
{
    char text[256];
    int fds[8];
    cr_expect_eq(hear(text, fds), -1, "\"%s\" came", text);
}

Test(store, whether_there_is_one)
{
    static const struct {
        const char *value;
        bool is_open;
        int holds; /* slots, at most */
    } rows[] = {{"8", true, 8}, {"1", true, 1}, {"0", false, 0}, {NULL, true, 0}};
    struct notify none = {.fd = -1};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct store s = {0};
        unsetenv("FDSTORE");
        if (rows[i].value)
            setenv("FDSTORE", rows[i].value, 1);
        store_open(&s, &notify);
        cr_expect_eq(store_is_open(&s), rows[i].is_open, "row %zu", i);
        for (int slots = 1; slots < 10; slots++) {
            open_slots(1, slots);
            cr_expect_eq(store_holds(&s, &doors), slots <= rows[i].holds, "row %zu, %d slots", i,
                         slots);
            slots_close(&doors, addresses, NULL);
        }
        s = (struct store){0};
        store_open(&s, &none);
        cr_expect_not(store_is_open(&s), "row %zu", i);
    }
}

Test(store, slot_by_slot_from_the_first_on)
{
    open_slots(2, 3);
    store_renew(&store, &doors);
    expect("FDSTORE=1 FDNAME=slot0", 2, 0);
    expect("FDSTORE=1 FDNAME=slot1", 2, 1);
    expect("FDSTORE=1 FDNAME=slot2", 2, 2);
    expect_silence();
    cr_expect_eq(store_next(&store, 1000), CLOCK_NEVER);
}

Test(store, what_all_share_has_a_name_of_its_own)
{
    char directory[64];
    struct net_address unix_address;
    make_directory(directory);
    doors_init(&doors);
    doors.slot_count = 2;
    doors.address_count = 1;
    doors.shared[0] = listen_unix(&unix_address, directory);
    store_renew(&store, &doors);
    expect("FDSTORE=1 FDNAME=shared", 1, -1);
    expect_silence();
    remove_tree(directory);
}

Test(store, nothing_without_one)
{
    struct store none = {0};
    open_slots(1, 2);
    none.is_stale = true;
    none.slots = 2;
    store_renew(&none, &doors);
    store_forget(&none, 0);
    expect_silence();
}

/* From the last one down, and then what there is. */
Test(store, what_is_stale_goes_first)
{
    open_slots(1, 2);
    store.slots = 3;
    store.is_stale = true;
    store_renew(&store, &doors);
    expect("FDSTOREREMOVE=1 FDNAME=slot2", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=slot1", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=slot0", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=shared", 0, 0);
    expect("FDSTORE=1 FDNAME=slot0", 1, 0);
    expect("FDSTORE=1 FDNAME=slot1", 1, 1);
    expect_silence();
    store_renew(&store, &doors);
    expect("FDSTORE=1 FDNAME=slot0", 1, 0); /* it is not stale any more */
}

Test(store, slots_that_are_forgotten)
{
    open_slots(1, 4);
    store_renew(&store, &doors);
    for (int slot = 0; slot < 4; slot++)
        hear((char[256]){0}, (int[8]){0});
    store_forget(&store, 2);
    expect("FDSTOREREMOVE=1 FDNAME=slot3", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=slot2", 0, 0);
    expect_silence();
}

/* As long as another process is the main one. What is to be told stays to be told. */
Test(store, held_it_sends_nothing_and_forgets_nothing)
{
    open_slots(1, 1);
    store.slots = 1;
    store.is_stale = store.is_held = true;
    store_renew(&store, &doors);
    store_forget(&store, 0);
    store_tick(&store, &doors);
    expect_silence();
    cr_expect_eq(store_next(&store, 1000), CLOCK_NEVER);
    store.is_held = false;
    store_renew(&store, &doors);
    expect("FDSTOREREMOVE=1 FDNAME=slot0", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=shared", 0, 0);
    expect("FDSTORE=1 FDNAME=slot0", 1, 0);
    expect_silence();
}

Test(store, copies_and_lent_ones_are_not_stored)
{
    open_slots(2, 4);
    doors.joined[0] = 2; /* the further slots have copies */
    doors.is_lent[1] = true;
    store_renew(&store, &doors);
    expect("FDSTORE=1 FDNAME=slot0", 1, 0);
    expect("FDSTORE=1 FDNAME=slot1", 1, 1);
    expect_silence();
    cr_expect(store_holds(&store, &doors));
    store.room = 2;
    cr_expect(store_holds(&store, &doors), "these two");
    store.room = 1;
    cr_expect_not(store_holds(&store, &doors));
}

/* As with a manager that does not read; nothing waits for it, and nothing is left out. */
Test(store, a_full_queue)
{
    int filled = 0;
    open_slots(1, 2);
    while (notify_send(&notify, "WATCHDOG=1") == 0)
        cr_assert_lt(++filled, 100000);
    store.slots = 2;
    store.is_stale = true;
    store_renew(&store, &doors);
    cr_expect_eq(store_next(&store, 1000), 1000 + STORE_RETRY_MS);
    while (filled-- > 0)
        expect("WATCHDOG=1", 0, 0);
    expect_silence();
    store_tick(&store, &doors);
    expect("FDSTOREREMOVE=1 FDNAME=slot1", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=slot0", 0, 0);
    expect("FDSTOREREMOVE=1 FDNAME=shared", 0, 0);
    expect("FDSTORE=1 FDNAME=slot0", 1, 0);
    expect("FDSTORE=1 FDNAME=slot1", 1, 1);
    expect_silence();
    cr_expect_eq(store_next(&store, 1000), CLOCK_NEVER);
}

/* Nobody there is no reason to try again and again. */
Test(store, a_manager_that_is_gone)
{
    open_slots(1, 2);
    close(manager);
    store_renew(&store, &doors);
    cr_expect_eq(store_next(&store, 1000), CLOCK_NEVER);
}
