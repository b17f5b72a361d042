#include "lab/strategies/strategies.h"

#include <criterion/criterion.h>
#include <string.h>

/* The names that results are told by: one that changes makes old result files a stranger's. */
static const char *const names[] = {
    "accept-blocking",
    "accept-mutex",
    "shared-epoll-lt",
    "shared-epoll-et",
    "shared-epoll-oneshot",
    "epoll-lt",
    "epoll-et",
    "epoll-exclusive",
    "epoll-exclusive-readd",
    "poll",
    "select",
    "sigio-owner",
    "sigio-group",
    "fdpass-rr",
    "fdpass-least",
    "reuseport",
    "reuseport-random",
    "reuseport-cpu",
    "reuseport-load",
    "uring-single",
    "uring-multishot",
    "uring-multishot-reuseport",
};

#define COUNT (sizeof names / sizeof *names)

Test(lab_strategies, have_their_names)
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct strategy *s = strategy_find(names[i]);
        cr_assert_not_null(s, "there is no %s", names[i]);
        cr_expect_str_eq(s->name, names[i]);
    }
    cr_expect_null(strategy_find("epoll"));
    cr_expect_null(strategy_find(""));
}

Test(lab_strategies, no_two_have_the_same_name)
{
    for (size_t i = 0; strategies[i]; i++)
        cr_expect(strategy_find(strategies[i]->name) == strategies[i], "%s", strategies[i]->name);
}

Test(lab_strategies, each_teaches_something_and_can_run)
{
    for (size_t i = 0; strategies[i]; i++) {
        const struct strategy *s = strategies[i];
        cr_expect(strlen(s->teaches) >= 40 && strlen(s->teaches) <= 110, "%s", s->name);
        cr_expect_not_null(s->run, "%s", s->name);
        cr_expect(!s->prepare == !s->release || s->doors == DOORS_OWN, "%s", s->name);
        cr_expect(!s->drains_only || s->drains, "%s", s->name);
    }
}

/* A descriptor is a number of one process: who waits in an epoll of all cannot keep connections,
 * and neither can who waits in accept(2). */
Test(lab_strategies, who_serves_one_client_at_a_time)
{
    static const char *const alone[] = {"accept-blocking", "shared-epoll-lt", "shared-epoll-et",
                                        "shared-epoll-oneshot"};
    for (size_t i = 0; i < COUNT; i++) {
        bool is_alone = false;
        for (size_t j = 0; j < sizeof alone / sizeof *alone; j++)
            is_alone |= strcmp(names[i], alone[j]) == 0;
        cr_expect(is_alone == !strategy_find(names[i])->watch, "%s", names[i]);
    }
}
