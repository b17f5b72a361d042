#include "config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/limits.h"
#include "support.h"

#define BACKLOG 4096 /* the default */

/* A unix address has 107 bytes at most. */
#define PATH_106                                                   \
    "/abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvw" \
    "xyz0123456789abcdefghijklmnopqrstuvwxyz0123456"
#define PATH_107 PATH_106 "z"

/* The name of a descriptor has 255 at most. */
#define NAME_255 PATH_106 PATH_106 "abcdefghijklmnopqrstuvwxyz0123456789abcdefg"

static const struct {
    const char *text;
    const char *shown; /* NULL: as it was given */
    int family;
    int backlog;
    bool defer, dual;
} good[] = {
    {"127.0.0.1:8080", NULL, AF_INET, BACKLOG, true, false},
    {"0.0.0.0:0", NULL, AF_INET, BACKLOG, true, false},
    {"10.1.2.3:65535", NULL, AF_INET, BACKLOG, true, false},
    {"[::1]:8080", NULL, AF_INET6, BACKLOG, true, false},
    {"[::]:80", NULL, AF_INET6, BACKLOG, true, false},
    {"[2001:db8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", AF_INET6, BACKLOG, true, false},
    {"[::ffff:1.2.3.4]:1", NULL, AF_INET6, BACKLOG, true, false},
    {"[fe80::1%1]:80", NULL, AF_INET6, BACKLOG, true, false},
    {"[fe80::1%4294967295]:80", NULL, AF_INET6, BACKLOG, true, false},
    {":80", "[::]:80", AF_INET6, BACKLOG, true, true},
    {":0", "[::]:0", AF_INET6, BACKLOG, true, true},
    {"unix:/run/drover.sock", NULL, AF_UNIX, BACKLOG, true, false},
    {"unix:/a:b", NULL, AF_UNIX, BACKLOG, true, false},
    {"unix:" PATH_107, NULL, AF_UNIX, BACKLOG, true, false},
    {"unix:@drover", NULL, AF_UNIX, BACKLOG, true, false},
    {"unix:@" PATH_106, NULL, AF_UNIX, BACKLOG, true, false},
    {"unix:@x", NULL, AF_UNIX, BACKLOG, true, false},
    {"127.0.0.1:80,backlog=1", "127.0.0.1:80", AF_INET, 1, true, false},
    {"127.0.0.1:80,backlog=1048576", "127.0.0.1:80", AF_INET, 1048576, true, false},
    {"127.0.0.1:80,defer=no", "127.0.0.1:80", AF_INET, BACKLOG, false, false},
    {"127.0.0.1:80,defer=yes", "127.0.0.1:80", AF_INET, BACKLOG, true, false},
    {"[::1]:80,backlog=7,defer=no", "[::1]:80", AF_INET6, 7, false, false},
    {":80,defer=no,backlog=7", "[::]:80", AF_INET6, 7, false, true},
    {"127.0.0.1:80,defer=no,defer=yes", "127.0.0.1:80", AF_INET, BACKLOG, true, false},
    {"unix:/a,backlog=9", "unix:/a", AF_UNIX, 9, true, false},
    {"unix:@a,backlog=9", "unix:@a", AF_UNIX, 9, true, false},
    {"fd:web", NULL, AF_UNSPEC, 0, true, false}, /* the backlog is its owner's */
    {"fd:drover.socket", NULL, AF_UNSPEC, 0, true, false},
    {"fd:" NAME_255, NULL, AF_UNSPEC, 0, true, false},
    {"fd:web,backlog=9", "fd:web", AF_UNSPEC, 9, true, false},
    {"fd:web,defer=no,proxy", "fd:web", AF_UNSPEC, 0, false, false},
};

TestSuite(address, .init = speak_english);

Test(address, every_form)
{
    for (size_t i = 0; i < LENGTH(good); i++) {
        struct net_address list[2];
        char text[NET_TEXT_SIZE], why[256] = "";
        size_t n = address_parse(good[i].text, list, 2, why, sizeof why);
        cr_expect_eq(n, 1, "%s: %zu, %s", good[i].text, n, why);
        if (n != 1)
            continue;
        net_text(&list[0], text);
        cr_expect_str_eq(text, good[i].shown ? good[i].shown : good[i].text, "%s: %s", good[i].text,
                         text);
        cr_expect_eq(list[0].any.sa_family, good[i].family, "%s", good[i].text);
        cr_expect_eq(list[0].backlog, good[i].backlog, "%s: backlog", good[i].text);
        cr_expect_eq(list[0].defer, good[i].defer, "%s: defer", good[i].text);
        cr_expect_eq(list[0].dual, good[i].dual, "%s: dual", good[i].text);
        cr_expect_eq(net_is_shared(&list[0]), good[i].family == AF_UNIX, "%s", good[i].text);
    }
}

#define FORMS "an address is HOST:PORT, :PORT, [V6]:PORT, unix:/path, unix:@name or fd:NAME"
#define PORTS "the port must be a number from 0 to 65535"
#define TAILS "after a comma may stand backlog=N, defer=yes, defer=no or proxy"
#define NAME                                                                                  \
    "the name of an inherited socket has neither blanks, nor colons, nor anything but ASCII " \
    "(systemd.socket(5), FileDescriptorName=)"
#define UNIX "a unix address is unix:/path, absolute, or unix:@name"

/* Each says what is allowed. */
static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", "there is no port; " FORMS},
    {"localhost", "there is no port; " FORMS},
    {"127.0.0.1", "there is no port; " FORMS},
    {"8080", "a port alone stands behind a colon, as in :8080"},
    {"/run/drover.sock", "there is no port; " FORMS},
    {":", PORTS},
    {"127.0.0.1:", PORTS},
    {"127.0.0.1:65536", PORTS},
    {"127.0.0.1:99999999999999999999", PORTS},
    {"127.0.0.1:-1", PORTS},
    {"127.0.0.1:+80", PORTS},
    {"127.0.0.1: 80", PORTS},
    {"127.0.0.1:80 ", PORTS},
    {"127.0.0.1:http", PORTS},
    {"http://127.0.0.1:80/", "an address is without http://, as in localhost:8080"},
    {"[::1]", "there is no port; " FORMS},
    {"::1:8080", "an IPv6 number stands in brackets, as in [::1]:8080"},
    {"[::1:8080", "an IPv6 number stands in brackets, as in [::1]:8080"},
    {"::1]:8080", "an IPv6 number stands in brackets, as in [::1]:8080"},
    {"[]:80", "host \"\": Name or service not known"},
    {"[x]:80", "host \"x\": Name or service not known"},
    {"[127.0.0.1]:80", "host \"127.0.0.1\": Address family for hostname not supported"},
    {"*:80", "all addresses are an empty host, as in :8080"},
    {"[*]:80", "all addresses are an empty host, as in :8080"},
    {"[localhost]:80", "host \"localhost\": Name or service not known"},
    {"unix:", UNIX},
    {"unix:@", UNIX},
    {"unix:run/drover.sock", UNIX},
    {"unix:./drover.sock", UNIX},
    {"unix:" PATH_107 "8", "a unix address has at most 107 bytes after the colon (unix(7))"},
    {"unix:@" PATH_107, "a unix address has at most 107 bytes after the colon (unix(7))"},
    {"127.0.0.1:80,backlog=0", "backlog= takes a number from 1 to 1048576"},
    {"127.0.0.1:80,backlog=1048577", "backlog= takes a number from 1 to 1048576"},
    {"127.0.0.1:80,backlog=", "backlog= takes a number from 1 to 1048576"},
    {"127.0.0.1:80,backlog=many", "backlog= takes a number from 1 to 1048576"},
    {"127.0.0.1:80,defer=", "defer= takes yes or no"},
    {"127.0.0.1:80,defer=maybe", "defer= takes yes or no"},
    {"127.0.0.1:80,defer", TAILS},
    {"127.0.0.1:80,backlog", TAILS},
    {"127.0.0.1:80,Defer=no", TAILS},
    {"127.0.0.1:80,reuseport=yes", TAILS},
    {"127.0.0.1:80,=yes", TAILS},
    {"127.0.0.1:80, defer=no", TAILS},
    {"127.0.0.1:80,backlog=5,nonsense", TAILS},
    {"unix:/a,b", TAILS},
    {"fd:", "the name of an inherited socket stands behind fd:, as in fd:web"},
    {"fd:,proxy", "the name of an inherited socket stands behind fd:, as in fd:web"},
    {"fd:" NAME_255 "y", "the name of an inherited socket has at most 255 bytes"},
    {"fd:web:80", NAME},
    {"fd:a b", NAME},
    {"fd:\xc3\xa4", NAME},
    {"fd:a\x7f", NAME},
    {"fd:web,b", TAILS},
};

Test(address, what_is_wrong_and_what_is_allowed)
{
    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct net_address list[2];
        char why[256] = "";
        size_t n = address_parse(bad[i].text, list, 2, why, sizeof why);
        cr_expect_eq(n, 0, "\"%s\": %zu", bad[i].text, n);
        cr_expect_str_eq(why, bad[i].why, "\"%s\": %s", bad[i].text, why);
    }
}

/* An option that is empty is a slip like any other. */
Test(address, a_comma_wants_an_option_behind_it)
{
    static const char *const texts[] = {"127.0.0.1:80,", "127.0.0.1:80,,defer=no",
                                        "127.0.0.1:80,defer=no,", ":80,,"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct net_address list[1];
        char why[256] = "";
        cr_expect_eq(address_parse(texts[i], list, 1, why, sizeof why), 0, "%s", texts[i]);
        cr_expect_str_eq(why, TAILS, "%s: %s", texts[i], why);
    }
}

/* A member of struct sockaddr_in and in6 at a time: the text form cannot show a wrong one. */
Test(address, what_the_kernel_is_told)
{
    struct net_address a;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    char why[256];
    cr_assert_eq(address_parse("1.2.3.4:513", &a, 1, why, sizeof why), 1);
    cr_expect_eq(a.length, sizeof in);
    memcpy(&in, &a.storage, sizeof in);
    cr_expect_eq(in.sin_port, htons(513));
    cr_expect_eq(in.sin_addr.s_addr, htonl(0x01020304));
    cr_assert_eq(address_parse(":513", &a, 1, why, sizeof why), 1);
    cr_expect_eq(a.length, sizeof in6);
    memcpy(&in6, &a.storage, sizeof in6);
    cr_expect_eq(in6.sin6_port, htons(513));
    cr_expect(IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr));
    cr_assert_eq(address_parse("unix:/ab", &a, 1, why, sizeof why), 1);
    cr_expect_eq(a.length, offsetof(struct sockaddr_un, sun_path) + sizeof "/ab");
    cr_assert_eq(address_parse("unix:@ab", &a, 1, why, sizeof why), 1);
    cr_expect_eq(a.length, offsetof(struct sockaddr_un, sun_path) + 3, "no NUL behind it");
    cr_expect_arr_eq(a.un.sun_path, "\0ab", 3);
}

/* One or two, as /etc/hosts has it, and none of them twice. */
Test(address, localhost)
{
    struct net_address list[8];
    char text[8][NET_TEXT_SIZE], why[256] = "";
    size_t n = address_parse("localhost:8080,backlog=3,defer=no", list, 8, why, sizeof why);
    cr_assert(n == 1 || n == 2, "%zu: %s", n, why);
    for (size_t i = 0; i < n; i++) {
        net_text(&list[i], text[i]);
        cr_expect(strcmp(text[i], "127.0.0.1:8080") == 0 || strcmp(text[i], "[::1]:8080") == 0,
                  "%s", text[i]);
        cr_expect_eq(list[i].backlog, 3);
        cr_expect_not(list[i].defer);
        cr_expect_not(list[i].dual);
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(text[i], text[k]);
    }
}

Test(address, there_must_be_room)
{
    struct net_address none[1];
    char why[256] = "";
    cr_expect_eq(address_parse("127.0.0.1:80", none, 0, why, sizeof why), 0);
    cr_expect_str_eq(why, "there are too many addresses; 16 are allowed");
    _Static_assert(ADDRESSES_MAX == 16, "the message says so");
}

Test(address, a_text_has_a_limit)
{
    struct net_address a;
    char text[600], why[256] = "";
    memset(text, '1', sizeof text);
    memcpy(text, ":80,backlog=", strlen(":80,backlog="));
    text[512] = '\0';
    cr_expect_eq(address_parse(text, &a, 1, why, sizeof why), 0);
    cr_expect_str_eq(why, "it is longer than 511 bytes");
    text[511] = '\0';
    cr_expect_eq(address_parse(text, &a, 1, why, sizeof why), 0);
    cr_expect_str_eq(why, "backlog= takes a number from 1 to 1048576");
}

Test(address, a_short_room_for_why_is_kept_to)
{
    struct net_address a;
    char why[8] = "XXXXXXX";
    cr_expect_eq(address_parse("x", &a, 1, why, 5), 0);
    cr_expect_str_eq(why, "ther");
    cr_expect_eq(why[5], 'X');
}

Test(address, remembers_that_any_port_will_do)
{
    static const struct {
        const char *text;
        bool any;
    } rows[] = {{":0", true},   {"127.0.0.1:0", true},  {"[::1]:0,proxy", true},
                {":80", false}, {"127.0.0.1:1", false}, {"unix:/0", false}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct net_address address;
        char why[256] = "";
        cr_assert_eq(address_parse(rows[i].text, &address, 1, why, sizeof why), 1, "%s: %s",
                     rows[i].text, why);
        cr_expect_eq(address.any_port, rows[i].any, "%s", rows[i].text);
    }
}
