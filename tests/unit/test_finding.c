#include "cli/finding.h"

#include "support.h"

static struct findings findings;

static const char *text_of(void (*print)(const struct findings *, struct buf *))
{
    static struct buf b;
    buf_clear(&b);
    print(&findings, &b);
    buf_add(&b, "", 1);
    cr_assert(!b.failed);
    return b.p;
}

static void as_json(const struct findings *f, struct buf *to)
{
    findings_json(f, "1.2", to);
}

static struct finding *add(const char *what, enum grade grade, const char *found)
{
    struct finding *f = findings_add(&findings, what);
    f->grade = grade;
    finding_found(f, "%s", found);
    return f;
}

Test(finding, a_line_each_and_the_sum)
{
    struct finding *f = add("epoll", GRADE_OK, "works");
    finding_means(f, "%s waits", "it");
    f = add("descriptors", GRADE_NOTE, "20");
    finding_change(f, "ulimit -n %d", 40);
    cr_expect_str_eq(text_of(findings_text), "ok    epoll               works: it waits\n"
                                             "note  descriptors         20\n"
                                             "                          -> ulimit -n 40\n"
                                             "\ndrover can run here; 1 note.\n");
    cr_expect_eq(findings_of(&findings, GRADE_OK), 1);
    cr_expect_eq(findings_of(&findings, GRADE_BAD), 0);
}

Test(finding, what_is_bad_is_named_at_the_end)
{
    add("epoll", GRADE_BAD, "no");
    add("fork", GRADE_OK, "yes");
    add("signalfd", GRADE_BAD, "no");
    add("CPUs", GRADE_NOTE, "2");
    const char *end = strstr(text_of(findings_text), "\n\n");
    cr_assert_not_null(end);
    cr_expect_str_eq(end, "\n\ndrover cannot run here: epoll, signalfd.\n");
}

Test(finding, no_line_is_longer_than_96_columns_unless_a_word_is)
{
    char word[201] = "";
    struct finding *f = add("x", GRADE_OK, "");
    memset(word, 'w', sizeof word - 1);
    finding_means(f, "%0*d one two three four five six seven eight nine ten", 40, 0);
    finding_change(f, "%s and then some, %0*d", word, 90, 0);
    const char *line = text_of(findings_text);
    size_t lines = 0;
    for (; *line; lines++) {
        size_t n = strcspn(line, "\n");
        cr_expect(n <= 96 || memchr(line + 29, ' ', n - 29) == NULL, "%.*s", (int)n, line);
        line += n + 1;
    }
    cr_expect_gt(lines, 5);
}

Test(finding, a_line_is_as_long_as_it_may_be)
{
    struct finding *f = add("x", GRADE_OK, "");
    finding_found(f, "%0*d %0*d", 35, 0, 34, 0); /* behind 26 columns */
    cr_expect_eq(strcspn(text_of(findings_text), "\n"), 96);
    finding_found(f, "%0*d %0*d", 35, 0, 35, 0);
    cr_expect_eq(strcspn(text_of(findings_text), "\n"), 26 + 35);
}

Test(finding, a_terminal_is_safe_from_what_is_found)
{
    add("notify socket", GRADE_OK, "/run/\x1b[2J\xff\xc3\xa9");
    finding_change(&findings.list[0], "%s", "as it is");
    cr_expect_not_null(strstr(text_of(findings_text), " /run/\\x1b[2J\\xff\xc3\xa9\n"));
}

Test(finding, texts_are_cut)
{
    char text[FINDING_TEXT_SIZE * 2];
    struct finding *f = findings_add(&findings, "x");
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    finding_found(f, "%s", text);
    cr_expect_eq(strlen(f->found), FINDING_TEXT_SIZE - 1);
}

Test(finding, json)
{
    struct finding *f = add("epoll", GRADE_OK, "\"works\"");
    finding_means(f, "it waits");
    cr_expect_str_eq(text_of(as_json),
                     "{\"version\":\"1.2\",\"can_run\":true,\"findings\":[\n"
                     "{\"what\":\"epoll\",\"grade\":\"ok\",\"found\":\"\\\"works\\\"\","
                     "\"means\":\"it waits\",\"change\":\"\"}\n]}\n");
    f = add("fork", GRADE_BAD, "no");
    cr_expect_not_null(strstr(text_of(as_json), "\"can_run\":false"));
    cr_expect_not_null(strstr(text_of(as_json), "},\n{\"what\":\"fork\",\"grade\":\"bad\""));
}
