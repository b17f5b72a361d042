#include "lab/kernel/resources.h"

#include <criterion/criterion.h>
#include <string.h>

#define MIB (UINT64_C(1024) * 1024)

static const struct resources plenty = {.nofile = 20000,
                                        .descriptors = 19990,
                                        .tasks = 30000,
                                        .tasks_by = "RLIMIT_NPROC",
                                        .maps = 65530,
                                        .memory = 100 * 1024 * MIB};

Test(lab_resources, a_process_ends_at_its_descriptors)
{
    struct bound bound;
    bound_of_process(&bound, &plenty);
    cr_assert_eq(bound.connections, 19990 - RESOURCES_SPARE_DESCRIPTORS);
    cr_assert_str_eq(bound.words, "a process ends at 20000 descriptors (RLIMIT_NOFILE), 19974 of "
                                  "them for connections");
}

/* 512 MiB are left to others, and a connection is counted with 16 KiB: 64 fit into one more. */
Test(lab_resources, a_process_ends_at_memory)
{
    struct resources little = plenty;
    struct bound bound;
    little.memory = 513 * MIB;
    bound_of_process(&bound, &little);
    cr_assert_eq(bound.connections, 64);
    cr_assert_str_eq(bound.words, "memory ends it at 64 connections of 16 KiB");
}

Test(lab_resources, nothing_is_left)
{
    struct resources none = plenty;
    struct bound bound;
    none.descriptors = 3;
    none.memory = 1 * MIB;
    bound_of_process(&bound, &none);
    cr_assert_eq(bound.connections, 0);
}

Test(lab_resources, no_limit_is_no_bound)
{
    struct resources any = {.nofile = RESOURCES_ANY,
                            .descriptors = RESOURCES_ANY - 3,
                            .tasks = RESOURCES_ANY,
                            .maps = RESOURCES_ANY,
                            .signals = RESOURCES_ANY,
                            .memory = RESOURCES_ANY};
    struct bound bound;
    bound_of_process(&bound, &any);
    bound_by_tasks(&bound, &any, "threads", 65536);
    cr_assert_gt(bound.connections, UINT64_C(1) << 62);
}

Test(lab_resources, a_bound_is_only_lowered)
{
    struct bound bound = {.connections = 100, .words = "as it was"};
    bound_lower(&bound, 100, "no lower");
    bound_lower(&bound, 1000, "higher");
    cr_assert_str_eq(bound.words, "as it was");
    bound_lower(&bound, 99, "lower by %d", 1);
    cr_assert_eq(bound.connections, 99);
    cr_assert_str_eq(bound.words, "lower by 1");
}

Test(lab_resources, tasks_end_where_the_first_limit_is)
{
    struct resources few = plenty;
    struct bound bound;
    few.tasks = 1000;
    bound_of_process(&bound, &few);
    bound_by_tasks(&bound, &few, "processes", 384 * 1024);
    cr_assert_eq(bound.connections, 1000);
    cr_assert_str_eq(bound.words, "processes end at 1000 (RLIMIT_NPROC)");
}

/* 16 and 384 KiB are 400: 2621 of them fit into 1 GiB, 1048576 KiB. */
Test(lab_resources, tasks_end_at_memory)
{
    struct resources little = plenty;
    struct bound bound;
    little.memory = (512 + 1024) * MIB;
    bound_of_process(&bound, &little);
    bound_by_tasks(&bound, &little, "processes", 384 * 1024);
    cr_assert_eq(bound.connections, 2621);
    cr_assert_str_eq(bound.words, "memory ends it at 2621 connections of 400 KiB");
}

Test(lab_resources, this_process_has_some)
{
    struct resources here;
    resources_read(&here);
    cr_assert_gt(here.descriptors, 0);
    cr_assert_lt(here.descriptors, here.nofile);
    cr_assert_gt(here.memory, MIB);
    cr_assert_gt(here.tasks, 0);
}
