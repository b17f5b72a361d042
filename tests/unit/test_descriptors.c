#include "config/descriptors.h"

#include <sys/resource.h>

#include "support.h"

/* Of a worker: 64 that are nobody's, and for each slot its listeners and two ends of an inbox. */
Test(descriptors, how_many_connections_fit)
{
    static const struct {
        const char *name;
        int64_t workers, max_connections, limit;
        int address_count;
        int64_t site_count, fit, wanted;
    } rows[] = {
        {"enough", 2, 100, 1000, 1, 0, 100, 270},
        {"just enough", 2, 100, 270, 1, 0, 100, 270},
        {"one less", 2, 100, 269, 1, 0, 99, 270},
        {"more addresses", 2, 100, 270, 2, 0, 99, 272},
        {"sites", 2, 100, 270, 1, 10, 95, 280},
        {"more workers", 4, 100, 270, 1, 0, 97, 276},
        {"an odd one is of no use", 1, 100, 70, 1, 0, 1, 267},
        {"for two", 1, 100, 71, 1, 0, 2, 267},
        {"not even for the server", 8, 100, 10, 1, 0, 1, 288},
        {"no limit", 256, 1000000, DESCRIPTORS_UNLIMITED, 16, 0, 1000000, 2004672},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct settings s = {.workers = rows[i].workers,
                             .max_connections = rows[i].max_connections,
                             .address_count = rows[i].address_count,
                             .site_count = rows[i].site_count};
        cr_expect_eq(descriptors_fit(&s, rows[i].limit), rows[i].fit, "%s: %lld", rows[i].name,
                     (long long)descriptors_fit(&s, rows[i].limit));
        cr_expect_eq(descriptors_wanted(&s), rows[i].wanted, "%s: %lld", rows[i].name,
                     (long long)descriptors_wanted(&s));
        cr_expect_eq(descriptors_fit(&s, descriptors_wanted(&s)), s.max_connections, "%s",
                     rows[i].name);
    }
}

Test(descriptors, the_limit_is_raised_as_far_as_it_may)
{
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0, "%m");
    cr_expect_eq(descriptors_raise(), 200);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, 200);
}
