#include "worker/routes.h"

#include "base/limits.h"
#include "support.h"

/* Which site a request is for: its number; 0: none. */
static const struct {
    const char *host, *prefix;
    unsigned app;
} sites[] = {
    {"a.example", "", 1},       {"a.example", "/x", 2}, {"a.example", "/x/y", 3},
    {"b.example", "/only", 4},  {"*.example", "", 5},   {"*.b.example", "/deep", 6},
    {"C.Example.", "", 7},      {NULL, "/every", 8},    {"[::1]", "", 9},
    {"a.example", "/x/yz", 10}, {"192.0.2.1", "", 11},  {"*.only.test", "", 12},
};

static const struct {
    const char *host, *path;
    unsigned app;
} requests[] = {
    {"a.example", "/", 1},
    {"A.EXAMPLE", "/", 1},
    {"a.example.", "/", 1},
    {"a.example:80", "/", 1},
    {"a.example.:8080", "/", 1},
    {"a.example:", "/", 1},
    {"a.example", "/x", 2},
    {"a.example", "/x/", 2},
    {"a.example", "/xy", 1},
    {"a.example", "/X", 1},
    {"a.example", "/x/y", 3},
    {"a.example", "/x/y/z", 3},
    {"a.example", "/x/yz", 10},
    {"a.example", "/x/yza", 2},
    {"a.example", "/every", 1}, /* the most exact host decides first */
    {"b.example", "/only", 4},
    {"b.example", "/other", 5}, /* it has none for it: the next less exact is asked */
    {"b.example", "/every/x", 5},
    {"x.b.example", "/deep/er", 6},
    {"x.b.example", "/", 5},
    {"y.x.b.example", "/deep", 6},
    {"c.example", "/", 7},
    {"z.example", "/", 5},
    {"example", "/", 0}, /* a wildcard stands for one label at least */
    {".example", "/", 0},
    {"a.example..", "/", 0},
    {"xa.example", "/", 5},
    {"only.test", "/", 0},
    {"x.only.test", "/", 12},
    {"xonly.test", "/", 0},
    {"nobody", "/every", 8},
    {"nobody", "/everyone", 0},
    {"", "/every/", 8},
    {"", "/", 0},
    {":80", "/every", 8},
    {".", "/every", 8},
    {"[::1]", "/", 9},
    {"[::1]:80", "/", 9},
    {"[::1].", "/", 9},
    {"192.0.2.1:80", "/", 11},
    {"192.0.2.10", "/", 0},
};

static void add(struct routes *routes, const char *host, const char *prefix, unsigned app)
{
    const struct route route = {.prefix = span_of(prefix), .app = app};
    cr_assert_eq(routes_add(routes, host, &route), 0);
}

static unsigned find(const struct routes *routes, const char *host, const char *path)
{
    const struct route *route = routes_find(routes, span_of(host), span_of(path));
    return route ? route->app : 0;
}

Test(routes, the_most_exact_host_then_the_longest_prefix)
{
    /* In one order, and in the other. */
    for (int backwards = 0; backwards < 2; backwards++) {
        struct routes *routes = routes_new();
        cr_assert_not_null(routes);
        for (size_t i = 0; i < LENGTH(sites); i++) {
            size_t at = backwards ? LENGTH(sites) - 1 - i : i;
            add(routes, sites[at].host, sites[at].prefix, sites[at].app);
        }
        for (size_t i = 0; i < LENGTH(requests); i++) {
            unsigned app = find(routes, requests[i].host, requests[i].path);
            cr_expect_eq(app, requests[i].app, "%s%s: %u, not %u", requests[i].host,
                         requests[i].path, app, requests[i].app);
        }
        routes_free(routes);
    }
}

Test(routes, without_any_there_is_none)
{
    struct routes *routes = routes_new();
    cr_expect_eq(find(routes, "a", "/"), 0);
    cr_expect_eq(find(routes, "", "/"), 0);
    routes_free(routes);
    routes_free(NULL);
}

Test(routes, of_two_for_the_same_the_first)
{
    struct routes *routes = routes_new();
    add(routes, "a", "/x", 1);
    add(routes, "A.", "/x", 2);
    cr_expect_eq(find(routes, "a", "/x"), 1);
    routes_free(routes);
}

Test(routes, many_hosts_are_told_apart)
{
    enum { MANY = 4000 };
    static char names[MANY][32];
    struct routes *routes = routes_new();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%sh%u.example", i % 2 ? "*." : "", i);
        add(routes, names[i], "", i + 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        char host[64];
        snprintf(host, sizeof host, "%sH%u.example:1", i % 2 ? "x." : "", i);
        cr_expect_eq(find(routes, host, "/"), i + 1, "%s", host);
    }
    cr_expect_eq(find(routes, "h4000.example", "/"), 0);
    routes_free(routes);
}

/* Nobody has such a name, and a request must not be worth a walk over thousands of labels. */
Test(routes, a_host_that_is_too_long_is_nobodys)
{
    static char host[HOST_NAME_MAX_LENGTH + 2];
    struct routes *routes = routes_new();
    for (size_t i = 0; i < HOST_NAME_MAX_LENGTH; i++)
        host[i] = i % 2 ? '.' : 'a';
    add(routes, "*.a", "", 1);
    add(routes, NULL, "", 2);
    cr_expect_eq(find(routes, host, "/"), 1);
    memmove(host + 1, host, HOST_NAME_MAX_LENGTH);
    cr_expect_eq(find(routes, host, "/"), 2);
    routes_free(routes);
}
