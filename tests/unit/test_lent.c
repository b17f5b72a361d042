#include "master/lent.h"

#include <sysexits.h>

#include "listeners.h"
#include "master/slots.h"

static struct holding lent;
static struct settings settings;
static char why[512];

/* Without a socket: which of them are wanted is all that is asked. */
static void add_lent(const char *name, uint16_t port)
{
    struct net_address *a = &lent.addresses[lent.doors.address_count++];
    *a = loopback();
    a->backlog = 4096;
    a->defer = false;
    net_set_port(a, port);
    snprintf(a->name, sizeof a->name, "%s", name);
}

static void init(void)
{
    doors_init(&lent.doors);
    add_lent("web", 8080);
    add_lent("admin", 9090);
    add_lent("web", 8081);
}

TestSuite(lent, .init = init);

static struct net_address *want(const char *name)
{
    struct net_address *a = &settings.addresses[settings.address_count++];
    *a = (struct net_address){.defer = true};
    snprintf(a->name, sizeof a->name, "%s", name);
    return a;
}

static void want_address(uint16_t port)
{
    struct net_address *a = &settings.addresses[settings.address_count++];
    *a = loopback();
    net_set_port(a, port);
}

static void expect_ports(const char *expected)
{
    char text[256] = "", one[NET_TEXT_SIZE];
    for (int i = 0; i < settings.address_count; i++) {
        net_text(&settings.addresses[i], one);
        strcat(strcat(text, i ? " " : ""), strrchr(one, ':') + 1);
    }
    cr_expect_str_eq(text, expected);
}

static int resolve(void)
{
    return lent_resolve(&settings, &lent, why, sizeof why);
}

Test(lent, all_of_a_name_in_place_of_it)
{
    want_address(7070);
    want("web");
    want_address(7071);
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_ports("7070 8080 8081 7071");
    cr_expect(net_is_lent(&settings.addresses[1]));
    cr_expect_not(net_is_name(&settings.addresses[1]));
    cr_expect_not(net_is_lent(&settings.addresses[0]));
}

Test(lent, options_are_those_behind_the_name)
{
    struct net_address *a = want("web");
    a->backlog = 7;
    a->proxy = true;
    want("admin")->defer = false;
    cr_expect_eq(resolve(), 0, "%s", why);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(settings.addresses[i].backlog, 7);
        cr_expect(settings.addresses[i].proxy);
        cr_expect(settings.addresses[i].defer);
    }
    cr_expect_eq(settings.addresses[2].backlog, 0, "as it is");
    cr_expect_not(settings.addresses[2].proxy);
    cr_expect_not(settings.addresses[2].defer);
}

Test(lent, the_default_is_all_there_are)
{
    want_address(8080);
    settings.addresses[0].defer = true;
    settings.listen_is_default = true;
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_ports("8080 9090 8081");
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(settings.addresses[i].backlog, 0);
        cr_expect(settings.addresses[i].defer);
    }
}

Test(lent, the_default_without_any_is_itself)
{
    lent.doors.address_count = 0;
    want_address(8080);
    settings.listen_is_default = true;
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_ports("8080");
    cr_expect_not(net_is_lent(&settings.addresses[0]));
}

Test(lent, addresses_alone_stay_as_they_are)
{
    want_address(1);
    want_address(8080);
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_ports("1 8080");
}

Test(lent, an_unknown_name)
{
    want("we");
    cr_expect_eq(resolve(), EX_CONFIG);
    cr_expect_str_eq(why, "--listen fd:we: no socket of that name was passed; there are: web, "
                          "admin, web");
    char small[24];
    cr_expect_eq(lent_resolve(&settings, &lent, small, sizeof small), EX_CONFIG);
    cr_expect_str_eq(small, "--listen fd:we: no sock");
}

static void want_admin(const char *name)
{
    struct net_address *a = &settings.admin[settings.admin_count++];
    *a = (struct net_address){.defer = true};
    snprintf(a->name, sizeof a->name, "%s", name);
}

static void expect_admin(uint16_t port)
{
    struct net_address expected = loopback();
    net_set_port(&expected, port);
    cr_expect_eq(settings.admin_count, 1);
    cr_expect(net_is_lent(&settings.admin[0]));
    cr_expect_eq(memcmp(&settings.admin[0].storage, &expected.storage, expected.length), 0);
}

Test(lent, the_admin_process_has_its_own)
{
    want_admin("admin");
    want("web");
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_admin(9090);
    expect_ports("8080 8081");
}

Test(lent, the_default_is_all_but_the_admin_process_s)
{
    want_admin("admin");
    want_address(8080);
    settings.listen_is_default = true;
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_admin(9090);
    expect_ports("8080 8081");
}

Test(lent, the_default_where_all_are_the_admin_process_s)
{
    lent.doors.address_count = 0;
    add_lent("admin", 9090);
    want_admin("admin");
    want_address(8080);
    settings.listen_is_default = true;
    cr_expect_eq(resolve(), 0, "%s", why);
    expect_admin(9090);
    expect_ports("8080");
    cr_expect_not(net_is_lent(&settings.addresses[0]));
}

Test(lent, a_name_for_the_admin_process_that_nobody_passes)
{
    want_admin("adm");
    cr_expect_eq(resolve(), EX_CONFIG);
    cr_expect_str_eq(why, "--admin fd:adm: no socket of that name was passed; there are: web, "
                          "admin, web");
}

Test(lent, a_name_where_nobody_passes_any)
{
    lent.doors.address_count = 0;
    want("web");
    cr_expect_eq(resolve(), EX_CONFIG);
    cr_expect_str_eq(why, "--listen fd:web: no socket of that name was passed; a service manager "
                          "passes them, from a .socket unit, and nobody has");
}

Test(lent, too_many)
{
    want("web");
    for (uint16_t i = 1; i < ADDRESSES_MAX; i++)
        want_address(i);
    cr_expect_eq(resolve(), EX_CONFIG);
    cr_expect_str_eq(why, "--listen: with the inherited sockets there are more than 16 addresses");
    settings.address_count = 0;
    for (uint16_t i = 1; i < ADDRESSES_MAX; i++)
        want_address(i);
    want("web");
    cr_expect_eq(resolve(), EX_CONFIG);
    settings.address_count = ADDRESSES_MAX - 1;
    want("admin");
    cr_expect_eq(resolve(), 0, "as many as there may be: %s", why);
}
