#include "master/crashes.h"

#include "support.h"

/* What is told of one more end in slot 3, "" for nothing; until the next call. */
static const char *end_of(struct crashes *crashes, int64_t now, const char *request)
{
    static char text[600];
    text[0] = '\0';
    bool is_told = crashes_note(crashes, 3, now, request, text, sizeof text);
    cr_expect_eq(is_told, text[0] != '\0');
    return text;
}

static struct crashes *none(void)
{
    static struct crashes crashes;
    memset(&crashes, 0, sizeof crashes);
    return &crashes;
}

Test(crashes, three_in_a_row_are_told)
{
    struct crashes *c = none();
    cr_expect_str_eq(end_of(c, 1000, "GET /crash HTTP/1.1"), "");
    cr_expect_str_eq(end_of(c, 1000 + CRASH_ROW_MS, "GET /crash HTTP/1.1"), "");
    cr_expect_str_eq(end_of(c, 1000 + 2 * CRASH_ROW_MS, "GET /crash HTTP/1.1"),
                     "3 workers in a row were ended by signals, at \"GET /crash HTTP/1.1\"");
    cr_expect_eq(crashes_count(c, 3), 3);
    cr_expect_eq(crashes_count(c, 2), 0, "another slot has its own");
}

Test(crashes, a_pause_ends_the_row)
{
    struct crashes *c = none();
    int64_t now = 1;
    for (int i = 0; i < 10; i++) {
        cr_expect_str_eq(end_of(c, now, "GET / HTTP/1.1"), "");
        now += CRASH_ROW_MS + 1;
    }
    cr_expect_eq(crashes_count(c, 3), 1);
}

Test(crashes, are_told_again_only_after_a_while)
{
    struct crashes *c = none();
    int told = 0;
    for (int64_t now = 1; now <= 5 * CRASH_AGAIN_MS; now += 50)
        told += end_of(c, now, "")[0] != '\0';
    cr_expect_eq(told, 5);
    cr_expect_eq(crashes_count(c, 3), 5 * CRASH_AGAIN_MS / 50);
}

/* A new row soon after one that was told waits, too. */
Test(crashes, a_new_row_does_not_shorten_the_while)
{
    struct crashes *c = none();
    for (int i = 0; i < 3; i++)
        end_of(c, 100, "");
    int64_t now = 100 + CRASH_AGAIN_MS + CRASH_ROW_MS;
    cr_expect_str_eq(end_of(c, now, ""), "");
    cr_expect_str_eq(end_of(c, now, ""), "");
    cr_expect_str_eq(end_of(c, now, ""), "3 workers in a row were ended by signals");
}

Test(crashes, name_the_last_requests_that_differ)
{
    struct crashes *c = none();
    end_of(c, 1, "GET /a HTTP/1.1");
    end_of(c, 2, "GET /b HTTP/1.1");
    cr_expect_str_eq(
        end_of(c, 3, "GET /a HTTP/1.1"),
        "3 workers in a row were ended by signals, at \"GET /a HTTP/1.1\", \"GET /b HTTP/1.1\"");
    end_of(c, 4, "");
    end_of(c, 5, "POST /c HTTP/1.1");
    cr_expect_str_eq(end_of(c, 3 + CRASH_AGAIN_MS, "GET /b HTTP/1.1"),
                     "6 workers in a row were ended by signals, at \"GET /b HTTP/1.1\", \"POST /c "
                     "HTTP/1.1\", \"GET /a HTTP/1.1\"");
    cr_expect_str_eq(end_of(c, 3 + 2 * CRASH_AGAIN_MS, "GET /d HTTP/1.1"),
                     "7 workers in a row were ended by signals, at \"GET /d HTTP/1.1\", \"GET /b "
                     "HTTP/1.1\", \"POST /c HTTP/1.1\", and others");
}

Test(crashes, cut_what_is_too_long)
{
    struct crashes *c = none();
    char line[3 * BOARD_REQUEST_SIZE], text[40];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 2; i++)
        end_of(c, 1, line);
    const char *told = end_of(c, 1, line);
    cr_expect_not_null(strstr(told, "ended by signals, at \"xxx"));
    cr_expect_eq(strlen(strchr(told, '"')), BOARD_REQUEST_SIZE + 1, "a line alike is the same one");
    for (int i = 0; i < CRASH_ROW_LEAST; i++)
        if (crashes_note(c, 4, 1, line, text, sizeof text))
            cr_expect_eq(strlen(text), sizeof text - 1);
}
