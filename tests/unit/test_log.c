#include "base/log.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support.h"

/* Longer than any line. */
#define TEXT_SIZE 8192

/* Stderr as it was, and the file that stands in its place. */
struct capture {
    int before, file;
};

static void capture_begin(struct capture *c)
{
    speak_english();
    fflush(stderr);
    c->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    c->file = memfd_create("stderr", MFD_CLOEXEC);
    cr_assert(c->before >= 0 && c->file >= 0, "%m");
    cr_assert_eq(dup2(c->file, STDERR_FILENO), STDERR_FILENO, "%m");
}

/* What was written since the last call. */
static void capture_take(const struct capture *c, char text[TEXT_SIZE])
{
    ssize_t n = pread(c->file, text, TEXT_SIZE - 1, 0);
    cr_assert_geq(n, 0, "%m");
    text[n] = '\0';
    cr_assert_eq(ftruncate(c->file, 0), 0, "%m");
    cr_assert_eq(lseek(c->file, 0, SEEK_SET), 0, "%m");
}

static void capture_end(const struct capture *c)
{
    cr_assert_eq(dup2(c->before, STDERR_FILENO), STDERR_FILENO, "%m");
    close(c->before);
    close(c->file);
}

/* Says that the journal is at this file: BEFORE device BETWEEN inode BEHIND. */
static void name_journal(int file, const char *before, const char *between, const char *behind)
{
    char text[128];
    struct stat st;
    cr_assert_eq(fstat(file, &st), 0, "%m");
    snprintf(text, sizeof text, "%s%ju%s%ju%s", before, (uintmax_t)st.st_dev, between,
             (uintmax_t)st.st_ino, behind);
    setenv("JOURNAL_STREAM", text, 1);
}

static void log_all(void)
{
    log_set_level(LOG_DEBUG);
    errno = ENOENT;
    log_fatal("a %d", 1);
    log_fatalx("b");
    log_warn("c");
    log_warnx("d");
    log_info("e");
    log_debug("f");
}

/* Is it a line with a time, and then this? */
static bool is_stamped(const char *line, const char *rest)
{
    static const char like[] = "dddd-dd-dd dd:dd:dd.ddd ";
    for (size_t i = 0; like[i]; i++)
        if (like[i] == 'd' ? !isdigit((unsigned char)line[i]) : line[i] != like[i])
            return false;
    return strcmp(line + strlen(like), rest) == 0;
}

static void expect_stamped(const struct capture *c, const char *rest)
{
    char text[TEXT_SIZE];
    capture_take(c, text);
    cr_expect(is_stamped(text, rest), "%s", text);
}

static void expect_text(const struct capture *c, const char *expected)
{
    char text[TEXT_SIZE];
    capture_take(c, text);
    cr_expect_str_eq(text, expected);
}

/* --------------------------------------------------------------------------- without a journal */

Test(log, time_level_and_writer)
{
    struct capture c;
    unsetenv("JOURNAL_STREAM");
    capture_begin(&c);
    errno = ENOENT;
    log_fatal("pidfile %s", "x");
    expect_stamped(&c, "error master: pidfile x: No such file or directory\n");
    log_set_name("worker 3");
    log_warnx("late");
    expect_stamped(&c, "warn  worker 3: late\n");
    log_info("%s", "");
    expect_stamped(&c, "info  worker 3: \n");
    cr_expect_str_eq(log_prefix(LOG_ERROR), "");
    capture_end(&c);
}

Test(log, levels_above_the_one_that_is_shown)
{
    struct capture c;
    unsetenv("JOURNAL_STREAM");
    capture_begin(&c);
    log_debug("hidden");
    cr_expect_not(log_shows(LOG_DEBUG));
    log_set_level(LOG_ERROR);
    log_warnx("hidden");
    expect_text(&c, "");
    log_fatalx("shown");
    expect_stamped(&c, "error master: shown\n");
    capture_end(&c);
}

/* ------------------------------------------------------------------------------ in the journal */

Test(log, the_journal_gets_a_priority_and_neither_time_nor_level)
{
    struct capture c;
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    log_all();
    expect_text(&c, "<3>master: a 1: No such file or directory\n"
                    "<3>master: b\n"
                    "<4>master: c: No such file or directory\n"
                    "<4>master: d\n"
                    "<6>master: e\n"
                    "<7>master: f\n");
    cr_expect_eq(errno, ENOENT, "%m");
    cr_expect_not_null(getenv("JOURNAL_STREAM"), "the next master needs it");
    capture_end(&c);
}

Test(log, a_line_stays_one_and_has_one_priority)
{
    struct capture c;
    char words[TEXT_SIZE], text[TEXT_SIZE];
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    log_warnx("GET /\n<0>forged\r\x1b");
    expect_text(&c, "<4>master: GET /?<0>forged??\n");
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    log_info("%s", words);
    capture_take(&c, text);
    size_t n = strlen(text);
    cr_expect(n > 4000 && n <= 4096, "PIPE_BUF: %zu", n);
    cr_expect_eq(text[n - 1], '\n');
    capture_end(&c);
}

struct stream {
    char before[8], between[8], behind[8];
};

ParameterizedTestParameters(log, another_files_journal)
{
    static struct stream rows[] = {
        {"1", ":", ""}, /* another device */
        {"", ":1", ""}, /* another inode */
        {"", ":", "1"}, {" ", ":", ""}, {"", ": ", ""}, {"", ":", "x"}, {"", " ", ""},
        {"", "", ""},   {"-", ":", ""}, {"", ":-", ""}, {":", ":", ""}, {"", "::", ""},
    };
    return cr_make_param_array(struct stream, rows, LENGTH(rows));
}

ParameterizedTest(struct stream *row, log, another_files_journal)
{
    struct capture c;
    capture_begin(&c);
    name_journal(c.file, row->before, row->between, row->behind);
    cr_expect_str_eq(log_prefix(LOG_WARN), "", "%s", getenv("JOURNAL_STREAM"));
    log_info("words");
    expect_stamped(&c, "info  master: words\n");
    capture_end(&c);
}

Test(log, stderr_may_become_another_file_and_the_journal_again)
{
    struct capture journal, file;
    capture_begin(&journal);
    name_journal(journal.file, "", ":", "");
    log_info("one");
    capture_begin(&file);
    log_info("two");
    expect_stamped(&file, "info  master: two\n");
    capture_end(&file);
    log_info("three");
    expect_text(&journal, "<6>master: one\n<6>master: three\n");
    capture_end(&journal);
}

/* An application that tidies its environment. */
Test(log, the_environment_is_read_once)
{
    struct capture c;
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    log_info("one");
    unsetenv("JOURNAL_STREAM");
    log_info("two");
    expect_text(&c, "<6>master: one\n<6>master: two\n");
    capture_end(&c);
}

Test(log, the_prefix_of_a_line_past_the_log)
{
    static const char *const prefixes[] = {"<3>", "<4>", "<6>", "<7>"};
    struct capture c;
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++)
        cr_expect_str_eq(log_prefix((enum log_level)level), prefixes[level]);
    close(STDERR_FILENO);
    errno = EXDEV;
    cr_expect_str_eq(log_prefix(LOG_ERROR), "", "there is no stderr");
    cr_expect_eq(errno, EXDEV, "%m");
    capture_end(&c);
}

/* ------------------------------------------------------------------------------ other targets */

Test(log, json_to_stderr_and_behind_the_journals_prefix)
{
    struct capture c;
    char text[TEXT_SIZE];
    log_set_format(LOG_JSON);
    unsetenv("JOURNAL_STREAM");
    capture_begin(&c);
    log_warnx("a \"b\"");
    capture_take(&c, text);
    cr_expect_eq(strncmp(text, "{\"time\":\"", 9), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"message\":\"a \\\"b\\\"\"}\n"), "%s", text);
    capture_end(&c);
}

Test(log, json_in_the_journal)
{
    struct capture c;
    char text[TEXT_SIZE];
    log_set_format(LOG_JSON);
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    log_warnx("b");
    capture_take(&c, text);
    cr_expect_eq(strncmp(text, "<4>{\"time\":\"", 12), 0, "%s", text);
    cr_expect_eq(text[strlen(text) - 1], '\n');
    capture_end(&c);
}

Test(log, a_file_in_place_of_stderr)
{
    struct capture c;
    struct log_output to = {.target = LOG_TO_FILE, .fd = memfd_create("log", MFD_CLOEXEC)};
    struct capture file = {.file = to.fd};
    capture_begin(&c);
    name_journal(c.file, "", ":", "");
    log_set_output(&to);
    log_warnx("there");
    expect_text(&c, "");
    expect_stamped(&file, "warn  master: there\n");
    capture_end(&c);
    close(to.fd);
}

Test(log, an_error_that_is_said_on_stderr_too)
{
    struct capture c;
    struct log_output to = {.target = LOG_TO_FILE, .fd = memfd_create("log", MFD_CLOEXEC)};
    struct capture file = {.file = to.fd};
    unsetenv("JOURNAL_STREAM");
    capture_begin(&c);
    log_stderr_too("the log is there");
    expect_text(&c, "");
    log_set_output(&to);
    log_stderr_too("in\nuse");
    expect_stamped(&c, "error master: in?use\n");
    expect_text(&file, "");
    log_fatalx("goes on");
    expect_stamped(&file, "error master: goes on\n");
    capture_end(&c);
    close(to.fd);
}

/* A socket of one's own stands for the one that syslog reads. */
Test(log, a_socket_gets_a_message_a_line_and_nobody_is_waited_for)
{
    char text[TEXT_SIZE];
    struct log_output to = {.target = LOG_TO_JOURNAL, .address = {.sun_family = AF_UNIX}};
    int reader = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(to.address.sun_path, sizeof to.address.sun_path, "/tmp/test_log.%d", (int)getpid());
    cr_assert_eq(bind(reader, (struct sockaddr *)&to.address, sizeof to.address), 0, "%m");
    to.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* that would wait */
    log_set_output(&to);
    log_warnx("b");
    ssize_t n = recv(reader, text, sizeof text, MSG_DONTWAIT);
    cr_assert_gt(n, 0, "%m");
    text[n] = '\0';
    cr_expect_str_eq(text, "PRIORITY=4\nSYSLOG_IDENTIFIER=drover\nDROVER_PROCESS=master\n"
                           "MESSAGE=master: b\n");
    for (int i = 0; i < 2000; i++) /* more than wait in its queue */
        log_info("again");
    close(reader);
    unlink(to.address.sun_path);
    errno = ENOENT;
    log_warn("to nobody");
    cr_expect_eq(errno, ENOENT);
    close(to.fd);
}

Test(log, a_pipe_that_nobody_reads_costs_lines_and_these_are_counted)
{
    static char text[1 << 17];
    int ends[2], before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    unsetenv("JOURNAL_STREAM");
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0, "%m"); /* its writers would wait */
    cr_assert_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    int room = fcntl(ends[1], F_GETPIPE_SZ);
    for (int i = 0; i < 2 * room / 1000; i++)
        log_info("%01000d", i);
    ssize_t n = read(ends[0], text, sizeof text);
    cr_assert_gt(n, 0);
    cr_expect_eq(text[n - 1], '\n', "whole lines");
    log_info("after");
    n = read(ends[0], text, sizeof text - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    const char *told = strstr(text, " warn  master: log: ");
    cr_assert_not_null(told, "%s", text);
    cr_expect_gt(atoi(told + strlen(" warn  master: log: ")), room / 2000);
    cr_expect_not_null(strstr(text, " lines before this one could not be written\n"), "%s", text);
    cr_expect_not_null(strstr(text, "master: after\n"), "%s", text);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[0]);
    close(ends[1]);
}
