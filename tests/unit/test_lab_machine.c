#include "lab/kernel/machine.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The command line as it stands in a measurement; for the caller to free. */
static char *command_of(int argc, char **argv)
{
    machine_command(argc, argv);
    json_t *object = machine_json();
    cr_assert(object);
    const char *text = json_string_value(json_object_get(object, "command"));
    cr_assert(text);
    char *copy = strdup(text);
    json_decref(object);
    return copy;
}

#define EXPECT_COMMAND(text, ...)                                           \
    do {                                                                    \
        char *words[] = {__VA_ARGS__};                                      \
        char *got = command_of((int)(sizeof words / sizeof *words), words); \
        cr_expect_str_eq(got, text);                                        \
        free(got);                                                          \
    } while (0)

static char program[] = "/a folder/drover-lab";
static char run[] = "run";
static char another[] = "drover-lab";

Test(lab_machine, a_command_line_is_as_a_shell_takes_it)
{
    static char list[] = "--workers=1,2,4";
    static char empty[] = "";
    static char spaced[] = "two words";
    static char quoted[] = "it's";
    static char dollar[] = "$HOME";
    static char umlaut[] = "\xc3\xa4/b";
    static char broken[] = "a\xff\xc3";
    EXPECT_COMMAND("drover-lab", program);
    EXPECT_COMMAND("drover-lab run --workers=1,2,4", program, run, list);
    EXPECT_COMMAND("drover-lab '' 'two words'", program, empty, spaced);
    EXPECT_COMMAND("drover-lab 'it'\\''s' '$HOME'", program, quoted, dollar);
    EXPECT_COMMAND("drover-lab '\xc3\xa4/b' 'a?\?'", program, umlaut, broken);
    EXPECT_COMMAND("run drover-lab", run, another);
}

static json_t *members_of(json_t *object)
{
    cr_assert(object);
    return object;
}

Test(lab_machine, without_a_command_line_there_is_none)
{
    json_t *object = members_of(machine_json());
    cr_expect(json_is_null(json_object_get(object, "command")));
    json_decref(object);
}

Test(lab_machine, it_is_this_one)
{
    json_t *object = members_of(machine_json());
    struct utsname name;
    cr_assert_eq(uname(&name), 0);
    cr_expect_str_eq(json_string_value(json_object_get(object, "kernel")), name.release);
    cr_expect_str_eq(json_string_value(json_object_get(object, "build")), name.version);
    cr_expect_eq(strncmp(json_string_value(json_object_get(object, "machine")), name.machine,
                         strlen(name.machine)),
                 0);
    cr_expect_eq(json_integer_value(json_object_get(object, "cpus_online")),
                 sysconf(_SC_NPROCESSORS_ONLN));
    cr_expect(json_integer_value(json_object_get(object, "memory")) > 1 << 20);
    cr_expect(*json_string_value(json_object_get(object, "governor")));
    cr_expect_str_eq(json_string_value(json_object_get(object, "version")), DROVER_VERSION);
    json_decref(object);
}

/* Nobody who is shown a result file learns the name of the host. */
Test(lab_machine, the_host_is_not_named)
{
    struct utsname name;
    cr_assert_eq(uname(&name), 0);
    json_t *object = members_of(machine_json());
    const char *field;
    json_t *value;
    json_object_foreach(object, field, value) if (json_is_string(value))
        cr_expect_neq(strcmp(json_string_value(value), name.nodename), 0, "%s", field);
    json_decref(object);
}

Test(lab_machine, cpus_are_those_that_may_be_used)
{
    cpu_set_t before, one;
    cr_assert_eq(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    json_t *object = members_of(machine_json());
    cr_expect_eq(json_integer_value(json_object_get(object, "cpus")), 1);
    json_decref(object);
}

static void limit_files(rlim_t files)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = files;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static json_int_t nofile_of(void)
{
    json_t *object = members_of(machine_json());
    json_int_t nofile = json_integer_value(
        json_object_get(json_object_get(object, "limits"), "nofile"));
    json_decref(object);
    return nofile;
}

/* They may be raised while it runs. */
Test(lab_machine, limits_are_those_of_the_moment)
{
    limit_files(100);
    cr_expect_eq(nofile_of(), 100);
    limit_files(101);
    cr_expect_eq(nofile_of(), 101);
}

Test(lab_machine, no_limit_is_null)
{
    json_t *none = machine_limit(UINT64_MAX), *some = machine_limit(UINT64_C(20000));
    cr_expect(json_is_null(none));
    cr_expect_eq(json_integer_value(some), 20000);
    json_decref(none);
    json_decref(some);
}

Test(lab_machine, a_measurement_gets_these_members_and_keeps_its_own)
{
    json_t *object = json_pack("{s:s, s:i}", "name", "epoll-lt", "workers", 4);
    machine_add(object);
    cr_expect_str_eq(json_string_value(json_object_get(object, "name")), "epoll-lt");
    cr_expect_eq(json_integer_value(json_object_get(object, "workers")), 4);
    const char *time = json_string_value(json_object_get(object, "time"));
    cr_assert(time);
    int year, month, day, hour, minute, second;
    char zone;
    cr_expect_eq(strlen(time), strlen("2026-01-31T12:00:00Z"));
    cr_expect_eq(
        sscanf(time, "%d-%d-%dT%d:%d:%d%c", &year, &month, &day, &hour, &minute, &second, &zone),
        7);
    cr_expect(year >= 2024 && month <= 12 && day <= 31 && hour <= 23 && zone == 'Z');
    json_decref(object);
}
