#include "os/cpus.h"

#include <sched.h>

#include "support.h"

Test(cpus, not_more_than_the_affinity_allows)
{
    cpu_set_t set, one;
    cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
    cr_expect_geq(cpus_usable(), 1);
    cr_expect_leq(cpus_usable(), CPU_COUNT(&set));
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0, "%m");
    cr_expect_eq(cpus_usable(), 1);
}
