#include "os/probe_service.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support.h"

static struct probe_service service;

static void forget(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET",  "FDSTORE",       "WATCHDOG_USEC",
                                        "WATCHDOG_PID",   "LISTEN_FDS",    "LISTEN_PID",
                                        "LISTEN_FDNAMES", "INVOCATION_ID", "JOURNAL_STREAM"};
    for (size_t i = 0; i < LENGTH(names); i++)
        unsetenv(names[i]);
}

TestSuite(probe_service, .init = forget);

Test(probe_service, nothing_is_given)
{
    probe_service_read(&service);
    cr_expect_null(service.notify);
    cr_expect(!service.is_invoked && !service.is_journal);
    cr_expect_eq(service.stored_max, -1);
    cr_expect_eq(service.watchdog_us, 0);
    cr_expect_eq(service.socket_count, 0);
    cr_expect_geq(service.seccomp_mode, 0);
}

Test(probe_service, what_the_variables_say)
{
    setenv("FDSTORE", "64", 1);
    setenv("WATCHDOG_USEC", "10000000", 1);
    setenv("WATCHDOG_PID", "17", 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_PID", "18", 1);
    setenv("LISTEN_FDNAMES", "web:admin", 1);
    setenv("INVOCATION_ID", "0123", 1);
    probe_service_read(&service);
    cr_expect_eq(service.stored_max, 64);
    cr_expect_eq(service.watchdog_us, 10000000);
    cr_expect_eq(service.watchdog_pid, 17);
    cr_expect_eq(service.socket_count, 2);
    cr_expect_eq(service.socket_pid, 18);
    cr_expect_str_eq(service.socket_names, "web:admin");
    cr_expect(service.is_invoked);
    cr_expect_not_null(getenv("LISTEN_FDS"), "it only looks");
}

Test(probe_service, what_is_no_number_was_not_given)
{
    static const char *const texts[] = {"", "x", "-1", "1x", " 1", "99999999999999999999"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        setenv("FDSTORE", texts[i], 1);
        setenv("WATCHDOG_USEC", texts[i], 1);
        setenv("LISTEN_FDS", texts[i], 1);
        probe_service_read(&service);
        cr_expect_eq(service.stored_max, -1, "%s", texts[i]);
        cr_expect_eq(service.watchdog_us, 0, "%s", texts[i]);
        cr_expect_eq(service.socket_count, 0, "%s", texts[i]);
    }
    setenv("FDSTORE", "0", 1);
    probe_service_read(&service);
    cr_expect_eq(service.stored_max, 0);
}

/* A path, and an abstract name: both are reached, and neither hears anything. */
Test(probe_service, the_notify_socket_is_reached_and_told_nothing)
{
    char directory[64], name[128], byte;
    make_directory(directory);
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        int n = snprintf(name, sizeof name, "%s%s/notify", is_abstract ? "@" : "", directory);
        memcpy(un.sun_path, name, (size_t)n);
        un.sun_path[0] = is_abstract ? '\0' : '/';
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
        cr_assert_eq(bind(fd, (struct sockaddr *)&un, length), 0, "%m");
        setenv("NOTIFY_SOCKET", name, 1);
        probe_service_read(&service);
        cr_expect_str_eq(service.notify, name);
        cr_expect_eq(service.notify_cause, 0, "%s: %s", name, strerror(service.notify_cause));
        cr_expect(recv(fd, &byte, 1, 0) < 0 && errno == EAGAIN);
        close(fd);
        probe_service_read(&service);
        cr_expect_eq(service.notify_cause, ECONNREFUSED, "%s", name);
    }
    setenv("NOTIFY_SOCKET", "relative", 1);
    probe_service_read(&service);
    cr_expect_eq(service.notify_cause, EAFNOSUPPORT);
    remove_tree(directory);
}

Test(probe_service, stderr_is_the_journal_when_the_variable_is_about_it)
{
    char text[64];
    struct stat st;
    cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
    snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", text, 1);
    probe_service_read(&service);
    cr_expect(service.is_journal);
}

Test(probe_service, stderr_is_not_the_journal_when_it_is_about_another)
{
    setenv("JOURNAL_STREAM", "1:1", 1);
    probe_service_read(&service);
    cr_expect(!service.is_journal);
}

Test(probe_service, the_unit_is_the_last_part_of_a_control_group)
{
    static const struct {
        const char *line, *unit; /* NULL: none */
    } rows[] = {
        {"0::/system.slice/drover.service\n", "drover.service"},
        {"0::/system.slice/system-drover.slice/drover@a.service\n", "drover@a.service"},
        {"1:name=systemd:/system.slice/drover.service\n", "drover.service"},
        {"0::/user.slice/user-0.slice/session-1.scope\n", NULL},
        {"0::/system.slice/drover.service/sub\n", NULL},
        {"0::/\n", NULL},
        {"0::/.service\n", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char unit[PROBE_UNIT_SIZE] = "";
        cr_expect_eq(probe_service_unit(rows[i].line, unit), rows[i].unit != NULL, "%s",
                     rows[i].line);
        if (rows[i].unit)
            cr_expect_str_eq(unit, rows[i].unit);
    }
}
