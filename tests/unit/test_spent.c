#include "worker/spent.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "base/limits.h"
#include "support.h"

static struct spent spent;
static char why[128];

/* With so many answers; the words are in `why`. */
static bool look(uint64_t requests, int64_t now)
{
    why[0] = '\0';
    return spent_look(&spent, requests, now, why, sizeof why);
}

Test(spent, never_without_a_limit)
{
    spent_open(&spent, 0, 0, 12345);
    cr_expect_not(look(UINT64_MAX, 1000));
    cr_expect_eq(spent_next(&spent), CLOCK_NEVER);
    spent_close(&spent);
}

Test(spent, so_many_requests)
{
    spent_open(&spent, 1000, 0, 112); /* 12 more than 1000 */
    cr_expect_not(look(1011, 1000));
    cr_expect(look(1012, 1000));
    cr_expect_str_eq(why, "has answered 1012 requests (--max-requests)");
    spent_close(&spent);
}

Test(spent, a_tenth_more_or_less)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t random = 0; random < 1000; random++) {
        spent_open(&spent, 1000, 0, random);
        least = spent.max_requests < least ? spent.max_requests : least;
        most = spent.max_requests > most ? spent.max_requests : most;
        spent_close(&spent);
    }
    cr_expect_eq(least, 900);
    cr_expect_eq(most, 1100);
    spent_open(&spent, 1, 0, 77);
    cr_expect(look(1, 1000), "where that is none, it is the number");
}

Test(spent, so_much_memory)
{
    spent_open(&spent, 0, 64 * 1024, 0);
    cr_expect(look(1, 1000), "this test has more");
    cr_expect(strstr(why, "MiB resident (--max-rss 64k)"), "%s", why);
    spent_close(&spent);
}

Test(spent, the_limit_in_words)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } limits[] = {{1, "(--max-rss 1)"}, {3 << 20, "(--max-rss 3m)"}, {1500, "(--max-rss 1500)"}};
    size_t size = 32 << 20;
    void *much = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    cr_assert_neq(much, MAP_FAILED);
    for (size_t i = 0; i < LENGTH(limits); i++) {
        spent_open(&spent, 0, limits[i].bytes, 0);
        cr_expect(look(1, 1000));
        cr_expect(strstr(why, limits[i].text), "%s", why);
        unsigned long mib = strtoul(why + strlen("has "), NULL, 10);
        cr_expect(mib >= 32 && mib < 1024, "%s", why);
        spent_close(&spent);
    }
    munmap(much, size);
}

/* A look costs a system call: one a second at most, and none when nothing was done. */
Test(spent, a_look_a_second)
{
    spent_open(&spent, 0, UINT64_C(1) << 50, 0);
    cr_expect_not(look(1, 1000));
    cr_expect_eq(spent_next(&spent), CLOCK_NEVER);
    spent.max_rss = 1;
    cr_expect_not(look(2, 1000 + RSS_LOOK_MS - 1));
    cr_expect_eq(spent_next(&spent), 1000 + RSS_LOOK_MS);
    cr_expect(look(2, 1000 + RSS_LOOK_MS));
    cr_expect_eq(spent_next(&spent), CLOCK_NEVER);
    spent_close(&spent);
}
