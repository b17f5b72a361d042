#include "master/estate.h"

#include "listeners.h"
#include "os/pass.h"

static struct estate estate;
static struct net_address one, other;

/* What was inherited, in this order. */
static struct inherit_entry entries[ADDRESSES_MAX + 64];
static size_t count;

static void inherit(int fd, const char *name)
{
    cr_assert_lt(count, LENGTH(entries));
    entries[count++] = (struct inherit_entry){.fd = fd, .name = name};
}

static void take(void)
{
    struct inherit all = {.entries = entries, .count = count};
    estate_take(&estate, &all);
    count = 0;
}

static void drop(void)
{
    doors_close(&estate.admin.doors);
    doors_close(&estate.own.doors);
    doors_close(&estate.lent.doors);
}

/* ---------------------------------------------------------------------------------- the names */

Test(estate, the_names_that_are_given)
{
    char name[ESTATE_NAME_SIZE], longest[NET_NAME_SIZE];
    estate_name(name, 7, "");
    cr_expect_str_eq(name, "slot7");
    estate_name(name, -1, "");
    cr_expect_str_eq(name, "shared");
    estate_name(name, 255, "web");
    cr_expect_str_eq(name, "slot255@web");
    estate_name(name, -1, "web");
    cr_expect_str_eq(name, "shared@web");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    estate_name(name, 255, longest);
    cr_expect_str_eq(name + strlen("slot255@"), longest, "nothing is cut");
}

/* Each is one listener under this name. */
static const struct {
    const char *name;
    bool is_own, is_shared;
    int slot;
    const char *lent;
} names[] = {
    {"slot0", true, false, 0, ""},
    {"slot12", true, false, 12, ""},
    {"slot255", true, false, 255, ""},
    {"shared", true, true, 0, ""},
    {"shared@web", false, true, 0, "web"},
    {"slot0@web", false, true, 0, "web"}, /* alone, it is no group */
    {"slot0@a@b", false, true, 0, "a@b"},
    {"web", false, true, 0, "web"},
    {"unknown", false, true, 0, "unknown"},
    {"drover.socket", false, true, 0, "drover.socket"},
    {"slot", false, true, 0, "slot"},
    {"slot256", false, true, 0, "slot256"},
    {"slot0000", false, true, 0, "slot0000"},
    {"slot-1", false, true, 0, "slot-1"},
    {"slot1x", false, true, 0, "slot1x"},
    {"sharedx", false, true, 0, "sharedx"},
    {"output", false, true, 0, "output"},
    {"admin", false, true, 0, "admin"}, /* a service manager's may have that name */
    {"inlet", false, true, 0, "inlet"},
};

Test(estate, whose_and_where_by_the_name)
{
    for (size_t i = 0; i < LENGTH(names); i++) {
        int fd = listen_alone(&one);
        inherit(fd, names[i].name);
        take();
        const struct holding *h = names[i].is_own ? &estate.own : &estate.lent;
        const struct holding *empty = names[i].is_own ? &estate.lent : &estate.own;
        cr_expect_eq(h->doors.address_count, 1, "%s", names[i].name);
        cr_expect_eq(empty->doors.address_count, 0, "%s", names[i].name);
        cr_expect(net_is_same(&h->addresses[0], &one), "%s", names[i].name);
        cr_expect_str_eq(h->addresses[0].name, names[i].lent);
        cr_expect_eq(h->doors.shared[0], names[i].is_shared ? fd : -1, "%s", names[i].name);
        cr_expect_eq(h->doors.own[names[i].slot][0], names[i].is_shared ? -1 : fd, "%s",
                     names[i].name);
        drop();
    }
}

Test(estate, what_the_master_before_it_passes)
{
    int pipes[2][2], inbox[2];
    cr_assert(pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0 && pass_pair(inbox) == 0);
    inherit(pipes[0][0], "upgrade");
    inherit(pipes[1][0], "pidfile");
    inherit(inbox[1], "in3");
    inherit(inbox[0], "out3");
    take();
    cr_expect_eq(estate.channel, pipes[0][0]);
    cr_expect_eq(estate.pidfile, pipes[1][0]);
    cr_expect_eq(estate.own.doors.inbox[3][INBOX_OUT], inbox[0]);
    cr_expect_eq(estate.own.doors.inbox[3][INBOX_IN], inbox[1]);
    cr_expect_eq(estate.own.doors.slot_count, 4);
    drop();
}

/* In any order: beside the channel the name is the admin process's. */
Test(estate, what_its_admin_process_had)
{
    int pipes[2], inbox[2];
    cr_assert(pipe(pipes) == 0 && pass_pair(inbox) == 0);
    int fds[] = {listen_alone(&one), listen_alone(&other)};
    inherit(fds[0], "admin");
    inherit(inbox[1], "adminin");
    inherit(pipes[0], "upgrade");
    inherit(fds[1], "admin");
    inherit(inbox[0], "adminout");
    take();
    const struct doors *doors = &estate.admin.doors;
    cr_expect_eq(doors->slot_count, 1);
    cr_expect_eq(doors->address_count, 2);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(doors->own[0][i], fds[i]);
    cr_expect_eq(doors->joined[0], 1);
    cr_expect_eq(doors->inbox[0][INBOX_OUT], inbox[0]);
    cr_expect_eq(doors->inbox[0][INBOX_IN], inbox[1]);
    cr_expect_eq(estate.own.doors.address_count + estate.lent.doors.address_count, 0);
    drop();
}

Test(estate, its_admin_process_at_a_unix_socket)
{
    int pipes[2];
    char directory[64];
    make_directory(directory);
    cr_assert_eq(pipe(pipes), 0);
    int fd = listen_unix(&one, directory);
    inherit(pipes[0], "upgrade");
    inherit(fd, "admin");
    take();
    cr_expect_eq(estate.admin.doors.shared[0], fd);
    cr_expect_eq(estate.admin.doors.own[0][0], -1);
    drop();
    remove_tree(directory);
}

Test(estate, nothing)
{
    take();
    cr_expect_eq(estate.channel, -1);
    cr_expect_eq(estate.pidfile, -1);
    cr_expect_eq(estate.own.doors.slot_count + estate.own.doors.address_count, 0);
    cr_expect_eq(estate.lent.doors.slot_count + estate.lent.doors.address_count, 0);
}

/* ------------------------------------------------------------------------------- their places */

/* The manager may pass them in any order: the slot is in the name. */
Test(estate, own_ones_by_slot_and_address)
{
    int a[3], b[3];
    one = other = loopback();
    listen_in_group(&one, a, 3);
    listen_in_group(&other, b, 3);
    inherit(b[2], "slot2");
    inherit(a[1], "slot1");
    inherit(a[2], "slot2");
    inherit(b[0], "slot0");
    inherit(a[0], "slot0");
    inherit(b[1], "slot1");
    take();
    const struct doors *doors = &estate.own.doors;
    cr_expect_eq(doors->address_count, 2);
    cr_expect_eq(doors->slot_count, 3);
    for (int slot = 0; slot < 3; slot++) {
        cr_expect_eq(doors->own[slot][0], b[slot]);
        cr_expect_eq(doors->own[slot][1], a[slot]);
    }
    cr_expect_eq(doors->joined[0], 3);
    cr_expect_eq(doors->joined[1], 3);
    cr_expect(estate.own.addresses[0].any_port, "port 0 may have been asked for");
    drop();
}

/* The order of a group whose first ones are gone is not known. */
Test(estate, a_gap)
{
    int fds[3];
    one = loopback();
    listen_in_group(&one, fds, 3);
    inherit(fds[2], "slot2");
    inherit(fds[0], "slot0");
    take();
    cr_expect_eq(estate.own.doors.joined[0], -1);
    cr_expect_eq(estate.own.doors.slot_count, 3);
    cr_expect_eq(estate.own.doors.own[1][0], -1);
    close(fds[1]);
    drop();
}

/* Where the manager had no room for all: it has the first ones. */
Test(estate, the_first_ones)
{
    int fds[2];
    one = loopback();
    listen_in_group(&one, fds, 2);
    other = loopback();
    inherit(fds[0], "slot0");
    inherit(fds[1], "slot1");
    inherit(listen_alone(&other), "slot0");
    take();
    cr_expect_eq(estate.own.doors.joined[0], 2);
    cr_expect_eq(estate.own.doors.joined[1], 1);
    drop();
}

Test(estate, a_place_is_taken_once)
{
    int fds[2], before = count_fds();
    one = loopback();
    listen_in_group(&one, fds, 2);
    inherit(fds[0], "slot0");
    inherit(fds[1], "slot0");
    take();
    cr_expect_eq(estate.own.doors.own[0][0], fds[0]);
    cr_expect_not(is_open(fds[1]));
    drop();
    cr_expect_eq(count_fds(), before);
}

Test(estate, several_lent_ones_of_an_address_are_slots_in_their_order)
{
    int fds[3];
    one = loopback();
    listen_in_group(&one, fds, 3);
    for (int i = 0; i < 3; i++)
        inherit(fds[i], "web");
    inherit(listen_alone(&other), "web");
    take();
    const struct doors *doors = &estate.lent.doors;
    cr_expect_eq(doors->slot_count, 3);
    cr_expect_eq(doors->shared[0], -1);
    cr_expect_eq(doors->joined[0], 3);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(doors->own[i][0], fds[i]);
    cr_expect_geq(doors->shared[1], 0, "a single one is everybody's");
    cr_expect_eq(doors->own[0][1], -1);
    cr_expect_eq(doors->joined[1], 0);
    cr_expect_not(estate.lent.addresses[0].any_port, "it is its owner's wish");
    drop();
}

Test(estate, a_unix_socket)
{
    char directory[64];
    make_directory(directory);
    int fd = listen_unix(&one, directory);
    inherit(fd, "web");
    take();
    cr_expect_eq(estate.lent.doors.shared[0], fd);
    cr_expect(net_is_same(&estate.lent.addresses[0], &one));
    drop();
    remove_tree(directory);
}

Test(estate, too_many_addresses)
{
    int before = count_fds();
    for (int i = 0; i <= ADDRESSES_MAX; i++)
        inherit(listen_alone(&one), "web");
    int last = entries[count - 1].fd;
    take();
    cr_expect_eq(estate.lent.doors.address_count, ADDRESSES_MAX);
    cr_expect_not(is_open(last));
    drop();
    cr_expect_eq(count_fds(), before);
}

/* ----------------------------------------------------------------------------- what is no good */

Test(estate, what_is_no_listener_is_closed)
{
    int pair[2], before = count_fds();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    int bad[] = {pair[0], socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_STREAM, 0),
                 make_file(1), pair[1]};
    for (size_t i = 0; i < LENGTH(bad); i++)
        inherit(bad[i], i % 2 ? "slot0" : "web");
    take();
    for (size_t i = 0; i < LENGTH(bad); i++)
        cr_expect_not(is_open(bad[i]), "%zu", i);
    cr_expect_eq(estate.own.doors.address_count + estate.lent.doors.address_count, 0);
    cr_expect_eq(count_fds(), before);
}

/* A service manager's sockets block, and a server that has stopped may have left its filter. */
Test(estate, they_are_made_ready)
{
    int fd = listen_alone(&one);
    cr_assert_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
    cr_assert_eq(net_drop_new(fd), 0, "%m");
    inherit(fd, "slot0");
    take();
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(client, &one.any, one.length);
    struct sockaddr_in in;
    socklen_t length = sizeof in;
    cr_expect_eq(getpeername(client, (struct sockaddr *)&in, &length), 0, "its SYN is dropped");
    close(client);
    drop();
}
