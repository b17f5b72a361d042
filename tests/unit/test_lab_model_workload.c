#include "lab/models/model_workload.h"

#include <criterion/criterion.h>
#include <string.h>

#include "lab/models/model.h"

static const struct resources here = {.nofile = 20000,
                                      .descriptors = 19995,
                                      .tasks = 15000,
                                      .tasks_by = "kernel.pid_max",
                                      .maps = 65530,
                                      .signals = 12000,
                                      .memory = UINT64_C(64) << 30};

static const struct model_workload *find(const char *name)
{
    const struct model_workload *workload = model_workload_find(name);
    cr_assert_not_null(workload, "%s", name);
    return workload;
}

Test(lab_model_workload, an_unknown_name_is_none)
{
    cr_assert_null(model_workload_find("singles"));
    cr_assert_null(model_find("kqueue"));
}

Test(lab_model_workload, steps_of_idle_rise_and_a_look_has_fewer)
{
    unsigned steps[MODEL_STEPS_MAX], quick[MODEL_STEPS_MAX];
    size_t count = model_workload_steps(find("idle"), false, steps);
    size_t quick_count = model_workload_steps(find("idle"), true, quick);
    cr_assert_eq(steps[0], 10);
    for (size_t i = 1; i < count; i++)
        cr_assert_gt(steps[i], steps[i - 1]);
    cr_assert_lt(quick_count, count);
}

Test(lab_model_workload, without_steps_there_is_one)
{
    unsigned steps[MODEL_STEPS_MAX];
    cr_assert_eq(model_workload_steps(find("short"), false, steps), 1);
    cr_assert_eq(steps[0], 0);
}

Test(lab_model_workload, who_asks_and_who_does_not)
{
    static const struct {
        const char *name;
        unsigned step, active, idle, held;
    } rows[] = {
        {"short", 0, 8, 0, 0},
        {"long", 0, 8, 0, 0},
        {"idle", 1000, 8, 1000, 1008},
        {"active", 1000, 1000, 0, 1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct model_workload *workload = find(rows[i].name);
        cr_expect_eq(model_workload_active(workload, rows[i].step), rows[i].active, "%s",
                     rows[i].name);
        cr_expect_eq(model_workload_idle(workload, rows[i].step), rows[i].idle, "%s", rows[i].name);
        cr_expect_eq(model_workload_held(workload, rows[i].step), rows[i].held, "%s", rows[i].name);
    }
}

/* Where each model ends, with the resources above: 20000 descriptors, 15000 tasks. */
Test(lab_model_workload, what_a_model_cannot_hold_is_refused_in_words)
{
    static const struct {
        const char *model, *workload;
        unsigned step;
        const char *words; /* NULL: it can */
    } rows[] = {
        {"blocking", "short", 0, NULL},
        {"blocking", "active", 1, NULL},
        {"blocking", "active", 10,
         "blocking calls wait for 1 connection at a time: 10 were asked for"},
        {"select", "idle", 1000, NULL},
        {"select", "idle", 1008, NULL}, /* 1024 less 5 open and 3 of its own are 1016 */
        {"select", "idle", 1009,
         "select(2) ends at 1024 descriptors (FD_SETSIZE), 1016 of them for clients: 1017 were "
         "asked for"},
        {"poll", "idle", 18000, NULL},
        {"epoll-lt", "active", 20000,
         "a process ends at 20000 descriptors (RLIMIT_NOFILE), 19979 of them for connections: "
         "20000 were asked for"},
        {"fork", "idle", 14992, NULL},
        {"fork", "idle", 18000, "processes end at 15000 (kernel.pid_max): 18008 were asked for"},
        {"thread", "idle", 18000, "threads end at 15000 (kernel.pid_max): 18008 were asked for"},
        {"aio", "idle", 18000,
         "12000 signals can be queued (RLIMIT_SIGPENDING), one for each connection: 18008 were "
         "asked for"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[256] = "";
        struct bound bound;
        const struct model *model = model_find(rows[i].model);
        cr_assert_not_null(model, "%s", rows[i].model);
        model_limit(model, &here, &bound);
        bool fits = model_workload_fits(find(rows[i].workload), rows[i].step, &bound, &here, words,
                                        sizeof words);
        cr_expect_eq(fits, rows[i].words == NULL, "%s %u: %s", rows[i].model, rows[i].step, words);
        if (rows[i].words)
            cr_expect_str_eq(words, rows[i].words);
    }
}

Test(lab_model_workload, the_client_has_a_limit_too)
{
    char words[256] = "";
    struct resources few = here;
    struct bound bound = {.connections = 100000};
    few.nofile = 1024;
    cr_assert(model_workload_fits(find("idle"), 1000, &bound, &few, words, sizeof words));
    cr_assert_not(model_workload_fits(find("idle"), 10000, &bound, &few, words, sizeof words));
    cr_assert_str_eq(words, "the client ends at 1024 descriptors (RLIMIT_NOFILE): 10008 "
                            "connections were asked for");
}

Test(lab_model_workload, every_model_says_what_it_teaches_and_where_it_ends)
{
    for (const struct model *const *at = models; *at; at++) {
        cr_expect_gt(strlen((*at)->teaches), 0, "%s", (*at)->name);
        cr_expect_gt(strlen((*at)->ends), 0, "%s", (*at)->name);
        cr_expect_not_null((*at)->run, "%s", (*at)->name);
        cr_expect_eq(model_find((*at)->name), *at);
    }
}
