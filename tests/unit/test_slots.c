#include "master/slots.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "os/pass.h"
#include "support.h"

static char why[256];

/* 127.0.0.1, at the port that the kernel chooses. */
static struct net_address any_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct net_address a = {.length = sizeof in, .backlog = 16, .any_port = true};
    memcpy(&a.storage, &in, sizeof in);
    return a;
}

static unsigned port_of(const struct net_address *a)
{
    struct sockaddr_in in;
    memcpy(&in, &a->storage, sizeof in);
    return ntohs(in.sin_port);
}

/* The same address, by its number. */
static struct net_address fixed(const struct net_address *bound)
{
    struct net_address a = any_port();
    a.any_port = false;
    net_set_port(&a, (uint16_t)port_of(bound));
    return a;
}

static struct net_address local(const char *directory)
{
    struct net_address a = {.un = {.sun_family = AF_UNIX}, .backlog = 16};
    int n = snprintf(a.un.sun_path, sizeof a.un.sun_path, "%s/socket", directory);
    a.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
    return a;
}

/* Does anybody listen there? */
static bool answers(const struct net_address *a)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "socket: %m");
    bool is_in = connect(fd, &a->any, a->length) == 0;
    close(fd);
    return is_in;
}

static unsigned bound_port(int fd)
{
    struct net_address a = {.length = sizeof a.storage};
    cr_assert_eq(getsockname(fd, &a.any, &a.length), 0, "getsockname: %m");
    return port_of(&a);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void open_doors(struct doors *doors, struct net_address *addresses, int count, int slots)
{
    doors_init(doors);
    cr_assert_eq(slots_open(doors, addresses, count, slots, why, sizeof why), 0, "%s", why);
}

/* The doors of a next generation: what is new among them is opened. */
static void follow(struct doors *doors, struct net_address *addresses, int count,
                   const struct doors *from, const struct net_address *have)
{
    doors_init(doors);
    slots_carry(doors, addresses, count, from, have);
    cr_assert_eq(slots_open(doors, addresses, count, from->slot_count, why, sizeof why), 0, "%s",
                 why);
}

static void expect_same(const struct doors *a, int i, const struct doors *b, int j)
{
    cr_expect_eq(a->shared[i], b->shared[j]);
    for (int slot = 0; slot < SLOTS_MAX; slot++)
        cr_assert_eq(a->own[slot][i], b->own[slot][j], "slot %d: %d and %d", slot, a->own[slot][i],
                     b->own[slot][j]);
}

static void expect_none(const struct doors *doors)
{
    struct doors none;
    doors_init(&none);
    cr_expect_arr_eq(doors, &none, sizeof none, "no doors are left");
}

/* What goes in at one end comes out at the other. */
static void expect_inbox(const struct doors *doors, int slot)
{
    char byte = 0;
    cr_expect_eq(pass_send(doors->inbox[slot][INBOX_IN], "x", 1, NULL, 0), 0, "slot %d: %m", slot);
    cr_expect_eq(pass_receive(doors->inbox[slot][INBOX_OUT], &byte, 1, NULL, NULL), 1, "slot %d",
                 slot);
    cr_expect_eq(byte, 'x');
}

/* ------------------------------------------------------------------------------ the opening */

Test(slots, a_socket_a_slot_and_address_and_an_inbox_a_slot)
{
    struct net_address addresses[] = {any_port(), any_port()};
    struct doors doors;
    int before = count_fds();
    open_doors(&doors, addresses, 2, 3);
    cr_expect_eq(count_fds(), before + 3 * (2 + INBOX_ENDS));
    cr_expect_eq(doors.slot_count, 3);
    cr_expect_eq(doors.address_count, 2);
    cr_expect_neq(port_of(&addresses[0]), 0);
    cr_expect_neq(port_of(&addresses[0]), port_of(&addresses[1]));
    for (int slot = 0; slot < 3; slot++) {
        for (int i = 0; i < 2; i++)
            cr_expect_eq(bound_port(doors.own[slot][i]), port_of(&addresses[i]), "slot %d", slot);
        expect_inbox(&doors, slot);
    }
    cr_expect_eq(doors.own[3][0], -1);
    cr_expect(answers(&addresses[0]));
    slots_close(&doors, addresses, NULL);
    cr_expect_eq(count_fds(), before);
    cr_expect_not(answers(&addresses[0]));
    expect_none(&doors);
}

Test(slots, a_unix_address_has_one_socket_for_all)
{
    char directory[64];
    struct doors doors;
    make_directory(directory);
    struct net_address a = local(directory);
    int before = count_fds();
    open_doors(&doors, &a, 1, 4);
    cr_expect_eq(count_fds(), before + 1 + 4 * INBOX_ENDS);
    cr_expect_geq(doors.shared[0], 0);
    cr_expect_eq(doors.own[0][0], -1);
    cr_expect(answers(&a));
    slots_close(&doors, &a, NULL);
    cr_expect_neq(access(a.un.sun_path, F_OK), 0, "its file is removed");
    cr_expect_eq(count_fds(), before);
    remove_tree(directory);
}

Test(slots, a_failure_leaves_nothing_open)
{
    struct doors other, doors;
    struct net_address theirs = any_port();
    open_doors(&other, &theirs, 1, 1);
    struct net_address addresses[] = {any_port(), fixed(&theirs)};
    int before = count_fds();
    doors_init(&doors);
    cr_expect_eq(slots_open(&doors, addresses, 2, 2, why, sizeof why), EX_UNAVAILABLE);
    cr_expect_not_null(strstr(why, "127.0.0.1"), "%s", why);
    cr_expect_eq(count_fds(), before);
    cr_expect_not(answers(&addresses[0]));
    cr_expect(answers(&theirs), "what was there goes on");
    expect_none(&doors);
    slots_close(&other, &theirs, NULL);
}

/* ------------------------------------------------------------------------- the carrying over */

Test(slots, the_same_addresses_are_the_same_sockets)
{
    struct net_address have[] = {any_port(), any_port()};
    struct net_address want[] = {any_port(), any_port()};
    struct doors old, new;
    open_doors(&old, have, 2, 2);
    int before = count_fds();
    follow(&new, want, 2, &old, have);
    cr_expect_eq(count_fds(), before, "none was opened");
    for (int i = 0; i < 2; i++) {
        expect_same(&new, i, &old, i);
        cr_expect_eq(port_of(&want[i]), port_of(&have[i]), "any port is the one it got");
    }
    cr_expect_eq(memcmp(new.inbox, old.inbox, sizeof new.inbox), 0);
    cr_expect_eq(new.slot_count, 2);
    cr_expect_eq(slots_lost(&old, &new), 0);
    slots_close(&old, have, &new);
    expect_none(&old);
    cr_expect_eq(count_fds(), before, "none was closed");
    cr_expect(answers(&want[0]) && answers(&want[1]));
    expect_inbox(&new, 1);
    slots_close(&new, want, NULL);
}

Test(slots, a_port_that_was_chosen_may_be_asked_for_by_its_number)
{
    struct net_address have = any_port();
    struct doors old, new;
    open_doors(&old, &have, 1, 2);
    struct net_address want = fixed(&have);
    follow(&new, &want, 1, &old, &have);
    expect_same(&new, 0, &old, 0);
    slots_close(&new, &want, NULL);
}

Test(slots, a_number_is_not_any_port)
{
    struct net_address first = any_port();
    struct doors old, new;
    open_doors(&old, &first, 1, 1);
    struct net_address have = fixed(&first);
    struct net_address want = any_port();
    follow(&new, &want, 1, &old, &have);
    cr_expect_neq(new.own[0][0], old.own[0][0]);
    cr_expect_neq(port_of(&want), port_of(&have));
    cr_expect_eq(slots_lost(&old, &new), 1);
    slots_close(&old, &have, &new);
    slots_close(&new, &want, NULL);
}

Test(slots, addresses_in_another_order_keep_their_sockets)
{
    struct net_address have[] = {any_port(), any_port()};
    struct doors old, new;
    open_doors(&old, have, 2, 2);
    struct net_address want[] = {fixed(&have[1]), fixed(&have[0])};
    follow(&new, want, 2, &old, have);
    expect_same(&new, 0, &old, 1);
    expect_same(&new, 1, &old, 0);
    cr_expect_eq(slots_lost(&old, &new), 0);
    slots_close(&new, want, NULL);
}

Test(slots, each_is_carried_once)
{
    struct net_address have = any_port();
    struct net_address want[] = {any_port(), any_port()};
    struct doors old, new;
    open_doors(&old, &have, 1, 1);
    follow(&new, want, 2, &old, &have);
    expect_same(&new, 0, &old, 0);
    cr_expect_neq(new.own[0][1], new.own[0][0]);
    cr_expect_neq(port_of(&want[0]), port_of(&want[1]));
    slots_close(&new, want, NULL);
}

Test(slots, whether_a_proxy_header_comes_is_up_to_the_new_ones)
{
    struct net_address have = any_port();
    struct doors old, new;
    open_doors(&old, &have, 1, 1);
    struct net_address want = fixed(&have);
    want.proxy = true;
    follow(&new, &want, 1, &old, &have);
    expect_same(&new, 0, &old, 0);
    cr_expect(new.is_proxied[0]);
    cr_expect_not(old.is_proxied[0]);
    slots_close(&new, &want, NULL);
}

/* --------------------------------------------------------------------- what is added and removed
 */

static unsigned limit_of(int fd)
{
    struct net_queue queue;
    cr_assert_eq(net_queue(fd, &queue), 0, "%m");
    return queue.limit;
}

static int defer_of(int fd)
{
    int seconds = -1;
    socklen_t size = sizeof seconds;
    getsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &size);
    return seconds;
}

Test(slots, options_are_the_new_ones_once_they_are_renewed)
{
    struct doors old, new;
    struct net_address have = any_port(), want;
    have.defer = true;
    open_doors(&old, &have, 1, 2);
    want = have;
    want.defer = false;
    want.backlog = 7;
    follow(&new, &want, 1, &old, &have);
    cr_expect_neq(limit_of(new.own[1][0]), 7, "a reload may yet be given up");
    cr_assert_eq(slots_renew(&new, &want), 0, "%m");
    for (int slot = 0; slot < 2; slot++) {
        cr_expect_eq(limit_of(new.own[slot][0]), 7);
        cr_expect_eq(defer_of(new.own[slot][0]), 0);
    }
    cr_assert_eq(slots_renew(&old, &have), 0, "%m");
    cr_expect_gt(defer_of(new.own[1][0]), 0);
    cr_expect(answers(&want));
    slots_close(&old, &have, &new);
    slots_close(&new, &want, NULL);
}

Test(slots, an_added_address_is_opened_and_given_up_alone)
{
    struct net_address have = any_port();
    struct net_address want[] = {any_port(), any_port()};
    struct doors old, new;
    open_doors(&old, &have, 1, 2);
    int before = count_fds();
    follow(&new, want, 2, &old, &have);
    cr_expect_eq(count_fds(), before + 2, "one a slot");
    expect_same(&new, 0, &old, 0);
    cr_expect_eq(slots_lost(&old, &new), 0);
    cr_expect_eq(slots_lost(&new, &old), 2, "the second one");
    cr_expect(answers(&want[1]));
    slots_close(&new, want, &old);
    expect_none(&new);
    cr_expect_eq(count_fds(), before);
    cr_expect_not(answers(&want[1]));
    cr_expect(answers(&have));
    expect_inbox(&old, 0);
    slots_close(&old, &have, NULL);
}

Test(slots, a_removed_address_is_closed_alone)
{
    struct net_address have[] = {any_port(), any_port(), any_port()};
    struct doors old, new;
    open_doors(&old, have, 3, 2);
    struct net_address want[] = {fixed(&have[0]), fixed(&have[2])};
    int before = count_fds();
    follow(&new, want, 2, &old, have);
    cr_expect_eq(count_fds(), before);
    expect_same(&new, 1, &old, 2);
    cr_expect_eq(slots_lost(&old, &new), 2, "the second one");
    cr_expect_eq(slots_lost(&new, &old), 0);
    slots_close(&old, have, &new);
    cr_expect_eq(count_fds(), before - 2, "one a slot");
    cr_expect_not(answers(&have[1]));
    cr_expect(answers(&have[0]) && answers(&have[2]));
    expect_inbox(&new, 0);
    slots_close(&new, want, NULL);
}

Test(slots, all_addresses_at_once)
{
    struct net_address have = any_port();
    struct doors old, new;
    open_doors(&old, &have, 1, 1);
    struct net_address other = any_port();
    other.any_port = false; /* any but that one */
    doors_init(&new);
    slots_carry(&new, &other, 1, &old, &have);
    cr_expect_eq(new.own[0][0], -1);
    cr_assert_eq(slots_open(&new, &other, 1, 1, why, sizeof why), 0, "%s", why);
    cr_expect_eq(slots_lost(&old, &new), 1);
    cr_expect_eq(slots_lost(&new, &old), 1);
    slots_close(&old, &have, &new);
    cr_expect_not(answers(&have));
    cr_expect(answers(&other));
    expect_inbox(&new, 0);
    slots_close(&new, &other, NULL);
}

Test(slots, a_unix_file_stays_as_long_as_its_socket)
{
    char directory[64];
    struct doors old, new;
    make_directory(directory);
    struct net_address have[] = {any_port(), local(directory)};
    open_doors(&old, have, 2, 2);
    struct net_address want[] = {local(directory), any_port()};
    follow(&new, want, 2, &old, have);
    expect_same(&new, 0, &old, 1);
    expect_same(&new, 1, &old, 0);
    slots_close(&old, have, &new);
    cr_expect(answers(&want[0]));
    struct net_address last = any_port();
    follow(&old, &last, 1, &new, want);
    cr_expect_eq(slots_lost(&new, &old), 1);
    slots_close(&new, want, &old);
    cr_expect_neq(access(want[0].un.sun_path, F_OK), 0, "it is removed with it");
    cr_expect(answers(&last));
    slots_close(&old, &last, NULL);
    remove_tree(directory);
}

Test(slots, a_failure_closes_only_what_was_opened)
{
    char directory[64];
    struct doors old, other, new;
    make_directory(directory);
    struct net_address have[] = {any_port(), local(directory)};
    struct net_address theirs = any_port();
    open_doors(&old, have, 2, 2);
    open_doors(&other, &theirs, 1, 1);
    struct net_address want[] = {any_port(), local(directory), any_port(), fixed(&theirs)};
    int before = count_fds();
    doors_init(&new);
    slots_carry(&new, want, 4, &old, have);
    cr_expect_eq(slots_open(&new, want, 4, 2, why, sizeof why), EX_UNAVAILABLE);
    cr_expect_eq(count_fds(), before);
    expect_none(&new);
    cr_expect(answers(&have[0]) && answers(&have[1]));
    cr_expect_not(answers(&want[2]), "it was opened, and is closed");
    expect_inbox(&old, 0);
    expect_inbox(&old, 1);
    slots_close(&old, have, NULL);
    slots_close(&other, &theirs, NULL);
    remove_tree(directory);
}

/* --------------------------------------------------------------------------------- more slots */

Test(slots, more_slots_than_before)
{
    struct net_address have = any_port();
    struct net_address want = any_port();
    struct doors old, new;
    open_doors(&old, &have, 1, 1);
    int before = count_fds();
    doors_init(&new);
    slots_carry(&new, &want, 1, &old, &have);
    cr_assert_eq(slots_open(&new, &want, 1, 3, why, sizeof why), 0, "%s", why);
    cr_expect_eq(count_fds(), before + 2 * (1 + INBOX_ENDS));
    cr_expect_eq(new.own[0][0], old.own[0][0]);
    cr_expect_eq(bound_port(new.own[2][0]), port_of(&have));
    cr_expect_eq(slots_lost(&new, &old), 0, "its address is not lost");
    slots_close(&new, &want, &old);
    cr_expect_eq(count_fds(), before);
    cr_expect(is_open(old.own[0][0]));
    slots_close(&old, &have, NULL);
}

Test(slots, one_slot_more)
{
    struct net_address addresses[] = {any_port(), any_port()};
    struct doors doors;
    int fds[ADDRESSES_MAX + INBOX_ENDS];
    int before = count_fds();
    open_doors(&doors, addresses, 2, 1);
    cr_expect_eq(slots_add(&doors, addresses), 0);
    cr_expect_eq(doors.slot_count, 2);
    cr_expect_eq(slots_own(&doors, 1, fds), 2 + INBOX_ENDS);
    cr_expect_eq(bound_port(fds[0]), port_of(&addresses[0]));
    cr_expect_eq(bound_port(fds[1]), port_of(&addresses[1]));
    cr_expect_eq(fds[2 + INBOX_OUT], doors.inbox[1][INBOX_OUT]);
    cr_expect_eq(fds[2 + INBOX_IN], doors.inbox[1][INBOX_IN]);
    expect_inbox(&doors, 1);
    slots_close(&doors, addresses, NULL);
    cr_expect_eq(count_fds(), before);
}

Test(slots, one_that_cannot_be_added_leaves_nothing_open)
{
    struct net_address addresses[] = {any_port(), any_port()};
    struct doors doors;
    open_doors(&doors, addresses, 2, 1);
    struct net_address wrong[] = {addresses[0], addresses[1]};
    wrong[1].any.sa_family = AF_UNSPEC;
    int before = count_fds();
    cr_expect_lt(slots_add(&doors, wrong), 0);
    cr_expect_eq(count_fds(), before);
    cr_expect_eq(doors.slot_count, 1);
    cr_expect_eq(doors.own[1][0], -1);
    cr_expect_eq(doors.inbox[1][INBOX_OUT], -1);
    slots_close(&doors, addresses, NULL);
}

/* ------------------------------------------------------------------------ what is shared or lent
 */

/* Both are the same open socket: what is set at one is so at the other. */
static bool is_copy(int a, int b)
{
    struct stat x, y;
    return a != b && fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* Doors of `count` sockets in one group, as they are lent; their address is put in *a. */
static void lend(struct doors *lent, struct net_address *a, int count)
{
    *a = any_port();
    open_doors(lent, a, 1, count);
    for (int slot = 0; slot < count; slot++) {
        for (int end = 0; end < INBOX_ENDS; end++) {
            close(lent->inbox[slot][end]);
            lent->inbox[slot][end] = -1;
        }
    }
    snprintf(a->name, sizeof a->name, "web");
    a->any_port = false;
}

Test(slots, more_slots_than_lent_sockets_share_them_evenly)
{
    struct doors lent, doors;
    struct net_address have, address;
    int before = count_fds();
    lend(&lent, &have, 2);
    address = fixed(&have);
    doors_init(&doors);
    slots_borrow(&doors, &address, 1, &lent, &have);
    cr_expect_str_eq(address.name, "web");
    cr_expect(doors.is_lent[0]);
    cr_expect_eq(slots_open(&doors, &address, 1, 5, why, sizeof why), 0, "%s", why);
    cr_expect_eq(doors.joined[0], 2);
    for (int slot = 0; slot < 5; slot++) {
        if (slot < 2)
            cr_expect_eq(doors.own[slot][0], lent.own[slot][0]);
        else
            cr_expect(is_copy(doors.own[slot][0], lent.own[slot % 2][0]), "slot %d", slot);
        cr_expect(fcntl(doors.own[slot][0], F_GETFD) & FD_CLOEXEC);
    }
    slots_close(&doors, &address, NULL);
    expect_none(&doors);
    cr_expect(is_open(lent.own[0][0]) && is_open(lent.own[1][0]), "they are not ours");
    cr_expect(answers(&have));
    doors_close(&lent);
    cr_expect_eq(count_fds(), before, "the copies are closed");
}

/* The second one was not passed, as it must be in an environment that somebody made by hand. */
Test(slots, lent_sockets_of_unknown_order_are_not_ours_to_close_either)
{
    struct doors lent, doors;
    struct net_address address, have;
    lend(&lent, &have, 3);
    close(lent.own[1][0]);
    lent.own[1][0] = -1;
    lent.joined[0] = -1;
    address = have;
    doors_init(&doors);
    slots_borrow(&doors, &address, 1, &lent, &have);
    cr_expect_eq(slots_open(&doors, &address, 1, 3, why, sizeof why), 0, "%s", why);
    slots_close(&doors, &address, NULL);
    cr_expect(is_open(lent.own[0][0]) && is_open(lent.own[2][0]));
    doors_close(&lent);
}

Test(slots, another_slot_of_lent_sockets_is_a_copy)
{
    struct doors lent, doors;
    struct net_address have, address;
    int fds[ADDRESSES_MAX + INBOX_ENDS];
    lend(&lent, &have, 2);
    address = fixed(&have);
    doors_init(&doors);
    slots_borrow(&doors, &address, 1, &lent, &have);
    cr_expect_eq(slots_open(&doors, &address, 1, 2, why, sizeof why), 0, "%s", why);
    cr_expect_eq(slots_add(&doors, &address), 0, "%m");
    cr_expect(is_copy(doors.own[2][0], doors.own[0][0]));
    cr_expect_eq(doors.joined[0], 2);
    cr_expect_eq(slots_own(&doors, 2, fds), 1 + INBOX_ENDS);
    slots_close(&doors, &address, NULL);
    doors_close(&lent);
}

Test(slots, a_lent_socket_for_all)
{
    char directory[64];
    struct doors lent, doors;
    make_directory(directory);
    struct net_address have = local(directory), address = local(directory);
    open_doors(&lent, &have, 1, 1);
    snprintf(have.name, sizeof have.name, "web");
    doors_init(&doors);
    slots_borrow(&doors, &address, 1, &lent, &have);
    cr_expect_eq(slots_open(&doors, &address, 1, 3, why, sizeof why), 0, "%s", why);
    cr_expect_eq(doors.shared[0], lent.shared[0]);
    cr_expect_eq(doors.own[1][0], -1);
    slots_close(&doors, &address, NULL);
    cr_expect(answers(&have), "neither closed nor unlinked");
    slots_close(&lent, &have, NULL);
    remove_tree(directory);
}

/* From one generation to the next what was lent stays so, and the copies are the same ones. */
Test(slots, lent_sockets_are_carried_with_their_copies)
{
    struct doors lent, first, next;
    struct net_address have, one, two;
    lend(&lent, &have, 2);
    one = two = fixed(&have);
    int before = count_fds();
    doors_init(&first);
    slots_borrow(&first, &one, 1, &lent, &have);
    cr_expect_eq(slots_open(&first, &one, 1, 3, why, sizeof why), 0, "%s", why);
    follow(&next, &two, 1, &first, &one);
    expect_same(&first, 0, &next, 0);
    cr_expect(next.is_lent[0]);
    cr_expect_eq(next.joined[0], 2);
    cr_expect_eq(slots_lost(&first, &next), 0);
    slots_close(&first, &one, &next);
    cr_expect(is_open(next.own[2][0]), "the next one's");
    cr_expect(is_open(next.own[1][0]));
    slots_close(&next, &two, NULL);
    cr_expect_eq(count_fds(), before);
    doors_close(&lent);
}

/* What is open already is not replaced by what is lent. */
Test(slots, a_socket_of_ones_own_goes_before_a_lent_one)
{
    struct doors lent, doors;
    struct net_address have, addresses[2];
    lend(&lent, &have, 2);
    addresses[0] = any_port();
    open_doors(&doors, addresses, 1, 1);
    addresses[1] = fixed(&have);
    struct net_address same = have;
    have = addresses[0];
    slots_borrow(&doors, addresses, 2, &lent, &have);
    cr_expect_not(doors.is_lent[0]);
    cr_expect_neq(doors.own[0][0], lent.own[0][0]);
    have = same;
    slots_borrow(&doors, addresses, 2, &lent, &have);
    cr_expect_not(doors.is_lent[0]);
    cr_expect(doors.is_lent[1]);
    cr_expect_eq(doors.own[1][1], lent.own[1][0]);
    doors.address_count = 2;
    slots_close(&doors, addresses, NULL);
    doors_close(&lent);
}

/* As in a store that had lost one: the kernel's order of the rest is not known, so nobody joins. */
Test(slots, a_gap_stays)
{
    struct doors had, doors;
    struct net_address have = any_port(), address;
    open_doors(&had, &have, 1, 3);
    close(had.own[0][0]);
    had.own[0][0] = -1;
    had.joined[0] = -1;
    address = fixed(&have);
    doors_init(&doors);
    slots_carry(&doors, &address, 1, &had, &have);
    cr_expect_eq(slots_open(&doors, &address, 1, 4, why, sizeof why), 0, "%s", why);
    cr_expect_eq(doors.joined[0], -1);
    cr_expect_eq(doors.own[0][0], -1);
    cr_expect_eq(doors.own[1][0], had.own[1][0]);
    cr_expect_eq(doors.own[2][0], had.own[2][0]);
    cr_expect_eq(doors.own[3][0], -1);
    slots_close(&doors, &address, NULL);
}

/* The first slots have the address, the further ones join it: the kernel's order is kept. */
Test(slots, further_slots_join_what_was_stored)
{
    struct doors had, doors;
    struct net_address have = any_port(), address;
    open_doors(&had, &have, 1, 2);
    address = fixed(&have);
    doors_init(&doors);
    slots_carry(&doors, &address, 1, &had, &have);
    cr_expect_eq(slots_open(&doors, &address, 1, 4, why, sizeof why), 0, "%s", why);
    cr_expect_eq(doors.joined[0], 4);
    for (int slot = 0; slot < 4; slot++) {
        cr_expect_eq(bound_port(doors.own[slot][0]), port_of(&address));
        cr_expect_not(slot > 0 && is_copy(doors.own[slot][0], doors.own[slot - 1][0]));
    }
    slots_close(&doors, &address, NULL);
}

/* What had only sockets of further slots is lost, too, when nobody wants it. */
Test(slots, lost_addresses_are_known_by_any_of_their_sockets)
{
    struct doors had, none;
    struct net_address have = any_port();
    open_doors(&had, &have, 1, 3);
    doors_init(&none);
    cr_expect_eq(slots_lost(&had, &none), 1);
    close(had.own[0][0]);
    had.own[0][0] = -1;
    cr_expect_eq(slots_lost(&had, &none), 1);
    cr_expect_eq(slots_lost(&had, &had), 0);
    slots_close(&had, &have, NULL);
}
