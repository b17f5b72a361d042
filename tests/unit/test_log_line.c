#include "base/log_line.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static const struct log_line *line_with(const char *process, const char *words)
{
    static struct log_line line;
    setenv("TZ", "UTC-1:30", 1);
    tzset();
    speak_english();
    line = (struct log_line){.level = LOG_WARN,
                             .process = process,
                             .pid = 42,
                             .time = {.tv_sec = 1706745600, .tv_nsec = 7000000},
                             .words = words};
    return &line;
}

Test(log_line, text)
{
    char to[LOG_LINE_MAX + 1];
    to[log_line_text(line_with("worker 3", "it \"is\" so"), to)] = '\0';
    cr_expect_str_eq(to, "2024-02-01 01:30:00.007 warn  worker 3: it \"is\" so\n");
    to[log_line_text(line_with("worker 3", "\x9b\xc2\x9b \u202e \xff \u00e4"), to)] = '\0';
    cr_expect_str_eq(to + 24, "warn  worker 3: ??? ??? ? \u00e4\n");
}

static const struct {
    const char *process, *words, *rest;
} objects[] = {
    {"worker 3", "so", "\"process\":\"worker 3\",\"slot\":3,\"pid\":42,\"message\":\"so\"}\n"},
    {"master", "", "\"process\":\"master\",\"pid\":42,\"message\":\"\"}\n"},
    {"new master", "a \"b\" \\c",
     "\"process\":\"new master\",\"pid\":42,\"message\":\"a \\\"b\\\" \\\\c\"}\n"},
    {"admin", "\xc3\xa4 \xff\xc3",
     "\"process\":\"admin\",\"pid\":42,\"message\":\"\xc3\xa4 "
     "\\uFFFD\\uFFFD\"}\n"},
};

Test(log_line, json)
{
    char to[LOG_LINE_MAX + 1];
    const char *start = "{\"time\":\"2024-02-01T01:30:00.007+01:30\",\"level\":\"warn\",";
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        to[log_line_json(line_with(objects[i].process, objects[i].words), to)] = '\0';
        cr_expect_eq(strncmp(to, start, strlen(start)), 0, "%s", to);
        cr_expect_str_eq(to + strlen(start), objects[i].rest);
    }
}

Test(log_line, syslog)
{
    char to[LOG_LINE_MAX + 1];
    to[log_line_syslog(line_with("worker 3", "so"), false, to)] = '\0';
    cr_expect_str_eq(to, "<28>Feb  1 01:30:00 drover[42]: worker 3: so");
    to[log_line_syslog(line_with("master", "so"), true, to)] = '\0';
    cr_expect_str_eq(to,
                     "<28>Feb  1 01:30:00 drover[42]: {\"time\":\"2024-02-01T01:30:00.007+01:30\","
                     "\"level\":\"warn\",\"process\":\"master\",\"pid\":42,\"message\":\"so\"}");
}

Test(log_line, journal)
{
    char to[LOG_LINE_MAX + 1];
    to[log_line_journal(line_with("worker 3", "so"), false, to)] = '\0';
    cr_expect_str_eq(to, "PRIORITY=4\nSYSLOG_IDENTIFIER=drover\nDROVER_PROCESS=worker 3\n"
                         "DROVER_SLOT=3\nMESSAGE=worker 3: so\n");
    to[log_line_journal(line_with("master", "so"), false, to)] = '\0';
    cr_expect_str_eq(to, "PRIORITY=4\nSYSLOG_IDENTIFIER=drover\nDROVER_PROCESS=master\n"
                         "MESSAGE=master: so\n");
}

Test(log_line, one_that_is_too_long_is_cut_and_whole)
{
    static char words[2 * LOG_LINE_MAX];
    char to[LOG_LINE_MAX + 1];
    memset(words, '"', sizeof words - 1);
    const struct log_line *line = line_with("worker 3", words);
    size_t n = log_line_text(line, to);
    cr_expect_leq(n, LOG_LINE_MAX);
    cr_expect_gt(n, LOG_LINE_MAX - 3);
    cr_expect_eq(to[n - 1], '\n');
    n = log_line_json(line, to);
    to[n] = '\0';
    cr_expect_leq(n, LOG_LINE_MAX);
    cr_expect_gt(n, LOG_LINE_MAX - 4);
    cr_expect_str_eq(to + n - 5, "\\\"\"}\n");
    n = log_line_syslog(line, true, to);
    to[n] = '\0';
    cr_expect_leq(n, LOG_LINE_MAX);
    cr_expect_str_eq(to + n - 4, "\\\"\"}");
    n = log_line_journal(line, false, to);
    cr_expect_leq(n, LOG_LINE_MAX);
    cr_expect_eq(to[n - 1], '\n');
}
